package cql

import (
	"slices"

	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// stream is a request under way, or a response that was reported before its
// request.
type stream struct {
	id       int16
	opcode   byte
	quiet    bool // reported only if it fails
	ex       *exchange.Exchange
	prepares *querytext.Statement
	early    bool
	ended    uint64          // when an early response ended
	doubt    uint64          // when bytes were lost that may have answered it; 0 when none were
	doubtWhy exchange.Reason // how they came to be lost
}

// Bounds of what one connection may hold.
const (
	maxStreams = 1 << 15
	maxEarly   = 64
	maxFree    = 64
)

// Waits, in ns.
const (
	quiet    = 1e9  // how long a response may be reported before its request
	doubtful = 10e9 // how long a request whose response may have been lost is waited for
)

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

func (st *stream) facts() *dbfacts.Facts { return dbfacts.Of(st.ex) }

// open begins to follow a stream; it returns nil when too many requests are.
func (p *Parser) open(id int16, s *exchange.Segment) *stream {
	if len(p.streams) >= maxStreams {
		p.sink.Count(exchange.Expired)
		return nil
	}
	ex := p.sink.New(s)
	if ex == nil {
		return nil
	}
	var st *stream
	if n := len(p.free); n > 0 {
		st, p.free = p.free[n-1], p.free[:n-1]
	} else {
		st = new(stream)
	}
	*st = stream{id: id, ex: ex}
	p.streams[id] = st
	return st
}

// took adds bytes to what a stream has moved.
func (p *Parser) took(st *stream, n uint64, side exchange.Side) {
	if p.sink.Client() == (side == exchange.Request) {
		st.ex.Sent += n
	} else {
		st.ex.Received += n
	}
}

// forget ends the following of a stream.
func (p *Parser) forget(st *stream) {
	delete(p.streams, st.id)
	if st.early {
		p.early--
	}
	if st.doubt != 0 {
		p.doubts--
	}
	st.ex, st.prepares = nil, nil
	if len(p.free) < maxFree {
		p.free = append(p.free, st)
	}
}

// drop forgets what is no request.
func (p *Parser) drop(st *stream) {
	p.sink.Drop(st.ex)
	p.forget(st)
}

// finish ends the exchange of a stream.
func (p *Parser) finish(st *stream, end uint64, why exchange.Reason) {
	ex, f := st.ex, st.facts()
	if !f.Known() || st.early || st.quiet && !f.Failed {
		p.drop(st)
		return
	}
	ex.End, ex.Incomplete, ex.Class = max(end, ex.Start, ex.FirstByte), why, f.Class
	p.forget(st)
	p.sink.Done(ex)
}

// sent tells when the bytes of a response were over. A send that cannot have
// waited is over when it begins: what its return comes later by is the
// scheduler's doing.
func (p *Parser) sent(st *stream, s *exchange.Segment) uint64 {
	if !p.sink.Client() && st.ex.Sent <= buffered {
		return s.Start
	}
	return s.End
}

// suspect notes that bytes of the server were lost: any of the requests under way
// may have been answered in them.
func (p *Parser) suspect(now uint64, why exchange.Reason) {
	for _, st := range p.streams {
		if st.doubt == 0 && !st.early {
			p.doubts++
			st.doubt, st.doubtWhy = max(now, st.ex.Start), why
		}
	}
}

// settle ends those requests whose response may have been lost. It is called when
// it cannot be told any more from the response to a later one on their stream.
func (p *Parser) settle() {
	if p.doubts == 0 {
		return
	}
	for _, id := range p.ids() {
		if st := p.streams[id]; st.doubt != 0 {
			p.finish(st, st.doubt, st.doubtWhy)
		}
	}
}

// ids returns the streams under way in the order in which they began.
func (p *Parser) ids() []int16 {
	p.order = p.order[:0]
	for id := range p.streams {
		p.order = append(p.order, id)
	}
	slices.SortFunc(p.order, func(a, b int16) int {
		if d := int64(p.streams[a].ex.Start) - int64(p.streams[b].ex.Start); d != 0 {
			return int(max(-1, min(1, d)))
		}
		return int(a) - int(b)
	})
	return p.order
}

// finishAll ends everything under way.
func (p *Parser) finishAll(at uint64, why exchange.Reason) {
	for _, id := range p.ids() {
		switch st := p.streams[id]; {
		case st.early:
			p.drop(st)
		case st.doubt != 0:
			p.finish(st, st.doubt, st.doubtWhy)
		default:
			p.finish(st, at, why)
		}
	}
}
