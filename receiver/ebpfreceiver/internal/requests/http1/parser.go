package http1

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

// state is where in its message a side is.
type state uint8

const (
	between   state = iota // before the first byte of a message
	inHead                 // in a head; its beginning is in stream.buf
	inLength               // stream.left bytes of the body are to come
	inChunks               // in a chunked body, followed byte by byte
	inTail                 // in a chunked body whose last bytes will tell its end
	inRest                 // in a response body that ends with the connection
	inUnknown              // in a message whose end only the next message tells
	inTunnel               // no more HTTP
)

// stream is one side of a connection.
type stream struct {
	state  state
	left   uint64
	chunks chunks
	tail   tail // of the side, whatever state it is in
	buf    []byte
	last   uint64 // when the last byte of the current message was seen
}

// Bounds of what one connection may hold.
const (
	maxHead  = 16 << 10 // bytes of a head that comes in parts
	maxOpen  = 128      // requests under way
	maxEarly = 16       // responses seen before their requests, in segments
	keepBuf  = 4 << 10  // a larger buffer is not kept for the next connection
)

// quiet is how long nothing must happen, in ns, before a pipelined connection
// is believed to have nothing under way.
const quiet = 1e9

// Parser follows one connection.
//
// The two sides are followed apart from each other; requests under way wait in
// a queue for their responses, which come in the same order. What the response
// side needs to know of the request side is only the method of the request that
// it answers.
type Parser struct {
	sink exchange.Sink
	req  stream
	resp stream
	open []*exchange.Exchange // requests under way, oldest first
	cur  *exchange.Exchange   // the request that the request side is in; may have been answered already

	early     []early // response segments that are waiting for their request
	earlyFrom uint64  // when the first of them came

	lastSeen  uint64 // when anything was seen
	orphans   int    // responses without a request, since the last gap
	given     int    // requests that were given up and may yet be answered
	adrift    bool   // it is not known which response is whose
	settled   bool   // nothing is under way that was not seen to begin
	pipelined bool   // requests have been sent before all that came in earlier calls were answered
	extra     bool   // requests younger than those in open were not copied
	missing   bool   // bytes of the request side were lost since it was followed last
	owed      bool   // and no bytes of the response side were moved since
	replied   bool   // bytes of the response side were lost since the last segment
	replays   bool   // other response segments have come before the one that is followed was
	torn      bool   // the next bytes of the request side may begin anywhere in a message
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	*p = Parser{
		sink: sink, open: p.open[:0], early: p.early[:0],
		req:    stream{buf: recycle(p.req.buf)},
		resp:   stream{buf: recycle(p.resp.buf)},
		adrift: midway, settled: !midway,
	}
}

func recycle(b []byte) []byte {
	if cap(b) > keepBuf {
		return nil
	}
	return b[:0]
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.open) }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if s.Side == exchange.Request {
		p.request(s)
		p.replay()
	} else {
		p.response(s)
	}
	p.lastSeen, p.replied = max(p.lastSeen, s.End), false
}

// facts returns what is known about an exchange of this protocol.
func facts(ex *exchange.Exchange) *httpfacts.Facts { return ex.Facts.(*httpfacts.Facts) }

// finish ends the oldest request under way.
func (p *Parser) finish(end uint64, why exchange.Reason) {
	ex := p.open[0]
	n := copy(p.open, p.open[1:])
	p.open[n] = nil
	p.open = p.open[:n]
	if p.cur == ex {
		p.cur = nil
	}
	f := facts(ex)
	if len(f.Method) == 0 { // its head was still coming
		if _, ok := parseRequest(p.req.buf, f); !ok || f.Status == 0 {
			p.sink.Drop(ex)
			return
		}
		f.HeadCut = true
	}
	ex.End, ex.Incomplete, ex.Class = max(end, ex.Start), why, f.Class()
	p.sink.Done(ex)
}

// lose gives up all requests under way, because it is not certain any more
// which response is whose.
func (p *Parser) lose(now uint64, why exchange.Reason) {
	if n := len(p.open); n > 2 || n == 2 && p.open[0].FirstByte == 0 { // see crowded
		p.pipelined = true
	}
	p.given += len(p.open)
	for len(p.open) > 0 {
		p.finish(now, why)
	}
	p.adrift, p.settled, p.extra = true, false, false
	p.torn = p.torn || p.req.state != between
	p.req.restart(between)
	p.resp.restart(between)
	p.early = p.early[:0]
}

func (st *stream) restart(s state) {
	*st = stream{state: s, buf: st.buf[:0], last: st.last, tail: st.tail}
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	if side == exchange.Request {
		p.oweMore(now)
		p.requestGap(n, now)
		return
	}
	p.replied = true
	if !p.resp.survives(n) {
		p.lose(now, exchange.ResponseLost)
		return
	}
	if p.resp.state == between && len(p.open) > 0 {
		p.finish(now, exchange.ResponseLost) // when it ended is not known
	}
}

// oweMore notes that bytes of the request side were lost. Where no answer was lost with
// them, the requests in them are under way: who sends another one does not wait.
func (p *Parser) oweMore(now uint64) {
	if p.replied {
		return
	}
	p.lastSeen, p.owed = max(p.lastSeen, now), true
	if p.req.state == between && len(p.open) > 0 && p.open[0].FirstByte == 0 {
		p.pipelined = true
	}
}

func (p *Parser) requestGap(n, now uint64) {
	if p.req.survives(n) {
		return
	}
	for ; p.orphans > 0; p.orphans-- {
		p.sink.Count(exchange.RequestLost)
	}
	p.missing, p.torn = true, true
	if p.req.inBody() && !p.pipelined && !p.answered() {
		p.req.restart(inUnknown) // the client waits for the answer to this one
		return
	}
	if len(p.open) == 1 && (p.resp.state == inTail || p.resp.state == inUnknown) {
		p.finish(p.resp.last, exchange.Complete) // a later request was sent
	}
	p.lose(now, exchange.Desynchronized)
}

func (st *stream) inBody() bool {
	return st.state == inLength || st.state == inChunks || st.state == inTail || st.state == inUnknown
}

// survives walks a stream over n unseen bytes. It returns false when more than
// the current body may be in them.
func (st *stream) survives(n uint64) bool {
	c := cursor{unseen: n}
	st.tail.n = 0
	switch st.state {
	case inLength:
		if n > st.left {
			return false
		}
		if st.left -= n; st.left == 0 {
			st.restart(between)
		}
		return true
	case inChunks:
		if st.chunks.at != chunkData || n > st.chunks.size {
			return false
		}
		st.chunks.follow(&c)
		return true
	case inRest, inTunnel:
		return true
	default:
		return false
	}
}

// Skip implements exchange.Skipper. What is still under way when a request
// begins behind others was itself answered in between.
func (p *Parser) Skip(now uint64) {
	if p.req.state == inTunnel || p.resp.state == inTunnel {
		return // what looked like a request is none
	}
	p.lose(now, exchange.ResponseLost)
	if p.pipelined {
		p.torn = true // answers to what was left out may still come
		return
	}
	p.adrift, p.settled, p.torn, p.missing, p.owed = false, true, false, false, false
	p.orphans, p.given = 0, 0
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	p.lastSeen = max(p.lastSeen, at)
	if side == exchange.Request {
		for _, ex := range p.open {
			facts(ex).CallerGone = true
		}
		return
	}
	if p.resp.state == inTunnel {
		return
	}
	p.endResponses(at)
}

// Close implements exchange.Parser. Had the server ended its side before,
// nothing would be under way: a client that closes gives up what is.
func (p *Parser) Close(at uint64) {
	if p.sink.Client() && p.resp.state != inTunnel {
		for _, ex := range p.open {
			facts(ex).CallerGone = true
		}
	}
	p.endResponses(at)
}

// endResponses ends everything under way at the end of the response side.
func (p *Parser) endResponses(at uint64) {
	if len(p.open) > 0 {
		switch p.resp.state {
		case inRest:
			p.finish(p.resp.last, exchange.Complete)
		case inTail, inUnknown:
			p.finish(p.resp.last, exchange.Truncated)
		case inTunnel:
			p.finish(at, exchange.Complete)
		default:
		}
	}
	for len(p.open) > 0 {
		p.finish(at, exchange.ConnectionClosed)
	}
	p.req.restart(between)
	p.resp.restart(between)
}

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) { p.lose(p.lastSeen, why) }
