package mongodb

import (
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Bounds of what one connection may hold.
const (
	maxPending = 256 // requests under way
	maxEarly   = 16  // replies whose requests were not seen yet
)

// Waits, in ns.
const (
	quiet    = 1e9  // how long a reply may be reported before its request
	doubtful = 10e9 // how long a request is waited for whose reply may have been lost
)

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

// pending is a request under way.
type pending struct {
	id       uint32
	ex       *exchange.Exchange // never nil
	kind     kind
	waits    bool            // it opens a cursor that waits
	doubt    uint64          // when bytes were lost that its reply may have been in; 0 when none were
	doubtWhy exchange.Reason // how they were
}

// find returns the place of the request with an id, negative if there is none.
func (p *Parser) find(id uint32) int {
	return slices.IndexFunc(p.open, func(r pending) bool { return r.id == id })
}

// add begins to wait for a reply.
func (p *Parser) add(r pending) {
	if i := p.find(r.id); i >= 0 { // ids are not used again so soon
		p.finish(i, p.latest, exchange.Desynchronized)
	}
	if len(p.open) >= maxPending {
		p.finish(0, p.latest, exchange.Expired)
	}
	p.open = append(p.open, r)
}

// finish ends a request under way.
func (p *Parser) finish(i int, end uint64, why exchange.Reason) {
	ex := p.open[i].ex
	p.open = slices.Delete(p.open, i, i+1)
	p.done(ex, end, why)
}

func (p *Parser) done(ex *exchange.Exchange, end uint64, why exchange.Reason) {
	ex.End, ex.Incomplete, ex.Class = max(end, ex.Start, ex.FirstByte), why, dbfacts.Of(ex).Class
	p.sink.Done(ex)
}

// finishAll ends everything under way, at a time unless it may have ended
// before.
func (p *Parser) finishAll(at uint64, why exchange.Reason) {
	for len(p.open) > 0 {
		if r := &p.open[0]; r.doubt != 0 {
			p.finish(0, r.doubt, r.doubtWhy)
		} else {
			p.finish(0, at, why)
		}
	}
}

// doubt says that the replies to what is under way may have been lost.
func (p *Parser) doubt(now uint64, why exchange.Reason) {
	for i := range p.open {
		if r := &p.open[i]; r.doubt == 0 {
			r.doubt, r.doubtWhy = max(now, r.ex.Start), why
		}
	}
}

// early is a reply that was reported before its request: the thread that
// received it was faster out of its call than the one that had sent the request.
type early struct {
	header     header
	start, end uint64
	message    dbconn.Message // without its head
}

// hold keeps a reply for its request. It returns false when there are too many.
func (p *Parser) hold(h *header, m *dbconn.Message) bool {
	n := len(p.early)
	if n == maxEarly || !p.sink.Client() {
		return false
	}
	if n < cap(p.early) {
		p.early = p.early[:n+1]
	} else {
		p.early = append(p.early, early{})
	}
	e := &p.early[n]
	e.message.Body = append(e.message.Body[:0], m.Body...)
	e.message.Len, e.message.Packed = m.Len, m.Packed
	e.header, e.start, e.end = *h, p.resp.first.Start, p.latest
	return true
}

// replay gives a request the reply that was reported before it. A reply that
// came before the request was sent answers another one.
func (p *Parser) replay(r *pending) {
	for i := range p.early {
		if e := &p.early[i]; e.header.response == r.id {
			if e.end >= r.ex.Start {
				p.answer(p.find(r.id), e)
			}
			last := len(p.early) - 1
			p.early[i], p.early[last] = p.early[last], p.early[i]
			p.early = p.early[:last]
			return
		}
	}
}

// forgetEarly drops replies whose requests do not come any more.
func (p *Parser) forgetEarly(now uint64) {
	for len(p.early) > 0 && now > p.early[0].end+quiet {
		p.orphan()
		last := len(p.early) - 1
		p.early[0], p.early[last] = p.early[last], p.early[0]
		p.early = p.early[:last]
	}
}

// orphan takes a reply to no request that we know of.
func (p *Parser) orphan() {
	if p.missed {
		p.missed = false
		p.sink.Count(exchange.RequestLost)
	}
}
