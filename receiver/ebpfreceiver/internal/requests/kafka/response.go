package kafka

import (
	"encoding/binary"
	"math"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// answer is a response that was read to its end.
type answer struct {
	correlation uint32
	since, end  uint64 // when its first byte was seen, and its last
	size        uint64 // bytes
	body        []byte // the first of them behind the header
}

// response follows a segment of the broker.
func (p *Parser) response(s *exchange.Segment) {
	if !p.resp.follow(s, p.proven || p.sound, p.beginsResponse) {
		p.skip()
		return
	}
	p.segment = s.Len
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && !p.refused {
		if p.resp.frames.Between() {
			p.resp.since = s.Start
		}
		m, found := p.resp.frames.Next(&c, &p.resp.header)
		switch found {
		case dbconn.Foreign, dbconn.Lost:
			p.lostResponse(s, found == dbconn.Foreign)
			return
		case dbconn.Whole:
			p.resp.hidden = false
			p.answered(&m, s)
		default:
		}
	}
}

// beginsResponse tells whether a segment begins a response.
func (p *Parser) beginsResponse(s *exchange.Segment) bool {
	if len(s.Payload) < respBytes {
		return false
	}
	p.segment = s.Len
	return p.likelyResponse(s.Payload)
}

// likelyResponse tells whether a header of which nothing but its bytes say that
// it is one may be a response's: to a request that is under way, or as long as
// its segment, in which the size may be missing that was read before.
func (p *Parser) likelyResponse(b []byte) bool {
	size := uint64(binary.BigEndian.Uint32(b))
	return size == p.segment || size+lengthBytes == p.segment || p.find(binary.BigEndian.Uint32(b[lengthBytes:])) >= 0
}

// lostResponse takes bytes behind which it is not known where a response begins.
func (p *Parser) lostResponse(s *exchange.Segment, foreign bool) {
	tried := p.resp.hidden
	if foreign && !p.proven && p.sound {
		p.refuse()
		return
	}
	if !tried {
		p.doubt()
	}
	p.Gap(exchange.Response, 1, s.End)
	if foreign && tried && !p.refused && p.beginsResponse(s) { // what came before was not its first part
		p.response(s)
	}
}

// responseLength is how many bytes follow the header of a response.
func (p *Parser) responseLength(b []byte) (n uint64, ok bool) {
	size := binary.BigEndian.Uint32(b)
	ok = size >= respBytes-lengthBytes && size <= maxBody && binary.BigEndian.Uint32(b[lengthBytes:]) <= math.MaxInt32
	return uint64(size) + lengthBytes - respBytes, ok && (p.sound || p.likelyResponse(b))
}

// answered takes a whole response.
func (p *Parser) answered(m *dbconn.Message, s *exchange.Segment) {
	a := answer{
		correlation: binary.BigEndian.Uint32(m.Head[lengthBytes:]),
		since:       p.resp.since, end: s.End, size: m.Len + respBytes, body: m.Body,
	}
	// A send that cannot have waited is over when it begins: what its return
	// comes later by is the scheduler's doing.
	if !p.sink.Client() && a.size <= buffered {
		a.end = s.Start
	}
	if i := p.find(a.correlation); i >= 0 {
		p.pair(i, &a)
		return
	}
	if p.sink.Client() && p.early.hold(&a, s.End) {
		return
	}
	p.unasked()
}

// unasked takes a response to a request that was not seen.
func (p *Parser) unasked() {
	p.sink.Count(exchange.RequestLost)
	p.doubt()
}

// doubt counts what speaks against the protocol, until a response has matched a
// request.
func (p *Parser) doubt() {
	limit := maxOdd
	if !p.sound {
		limit = maxOddLossy
	}
	if p.odd++; !p.proven && p.odd > limit {
		p.refuse()
	}
}

// skip notes that a segment does not begin a message where one is looked for.
func (p *Parser) skip() {
	if p.skipped++; !p.proven && p.skipped > maxSkipped {
		p.refuse()
	}
}

// replay pairs what came before its request was reported.
func (p *Parser) replay() {
	for i := range p.early.list {
		a := &p.early.list[i]
		k := p.find(a.correlation)
		if k < 0 || p.open[k].ex != nil && a.since < p.open[k].ex.Start {
			continue
		}
		p.pair(k, a)
		p.early.remove(i)
		return
	}
}

// pair ends the request at a place with its response. Brokers answer in order:
// of earlier ones whose responses may have been lost, they were.
func (p *Parser) pair(i int, a *answer) {
	p.proven = true
	for k := 0; k < i; {
		if p.open[k].lost == 0 {
			k++
			continue
		}
		it := p.take(k)
		p.finish(it.ex, it.lost, exchange.ResponseLost)
		i--
	}
	it := p.take(i)
	if it.ex == nil {
		return
	}
	f := facts(it.ex)
	it.ex.FirstByte = max(a.since, it.ex.Start)
	p.moved(it.ex, exchange.Response, a.size)
	f.learn = &p.proto.ids
	p.reader = reader{b: a.body, unseen: a.size - respBytes - uint64(len(a.body))}
	f.readResponse(&p.reader)
	f.learn = nil
	if f.key == keyFetch {
		p.session.response(f)
	}
	p.finish(it.ex, a.end, exchange.Complete)
}
