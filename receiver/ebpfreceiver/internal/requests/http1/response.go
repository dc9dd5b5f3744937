package http1

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

// early is a response segment that was reported before its request: the thread
// that received it was faster out of its call than the one that had sent the
// request.
type early struct {
	seg     exchange.Segment
	payload []byte
	tail    [exchange.TailBytes]byte
}

// response follows a segment of the response side.
func (p *Parser) response(s *exchange.Segment) {
	p.resp.tail.add(s.Last(), s.Len)
	p.torn, p.owed = false, false // what the client says next is a new request
	if p.adrift {
		p.orphan(s)
		return
	}
	if len(p.open) == 0 && p.resp.state != inTunnel {
		p.unasked(s)
		return
	}
	c := cursor{data: s.Payload, unseen: s.Len - uint64(len(s.Payload))}
	for c.left() > 0 && len(p.open) > 0 {
		p.respond(&c, s)
	}
	if c.left() > 0 && !p.adrift {
		rest := *s
		rest.Payload, rest.Len = c.data, c.left()
		p.unasked(&rest)
	}
}

// unasked takes a response segment when no request is under way.
func (p *Parser) unasked(s *exchange.Segment) {
	if p.extra {
		if beginsFinal(s.Payload) {
			p.sink.Count(exchange.Truncated)
		}
		return
	}
	if !p.sink.Client() {
		p.orphan(s)
		return
	}
	if len(p.early) == maxEarly {
		p.dropEarly()
	}
	if len(p.early) == 0 {
		if !looksLikeResponse(s.Payload) {
			return
		}
		p.earlyFrom = s.End
	}
	n := len(p.early)
	if n < cap(p.early) {
		p.early = p.early[:n+1]
	} else {
		p.early = append(p.early, early{})
	}
	e := &p.early[n]
	e.seg = *s
	e.payload = append(e.payload[:0], s.Payload...)
	e.seg.Payload, e.seg.Excerpts = e.payload, nil
	e.seg.Tail = e.tail[:copy(e.tail[:], s.Last())]
}

// orphan takes a response segment that answers no request that we know of. A
// server may say 408 to an idle connection; that it was more, a gap tells,
// which may come to light later.
func (p *Parser) orphan(s *exchange.Segment) {
	switch {
	case !beginsFinal(s.Payload):
	case p.given > 0:
		p.given-- // it has been reported
	case p.missing:
		p.sink.Count(exchange.RequestLost)
	default:
		p.orphans++
	}
}

func (p *Parser) dropEarly() {
	p.orphans++
	p.early = p.early[:0]
}

// replay follows the early segments when a request has come meanwhile.
func (p *Parser) replay() {
	if len(p.early) == 0 || len(p.open) == 0 {
		return
	}
	list := p.early
	p.early = p.early[len(p.early):]
	for i := range list {
		// What came before the request was sent does not answer it.
		if len(p.open) > 0 && list[i].seg.End >= p.open[0].Start {
			p.replays = i < len(list)-1
			p.response(&list[i].seg)
		}
	}
	p.early = list[:0]
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	if len(p.early) > 0 && now > p.earlyFrom+quiet {
		p.dropEarly()
	}
}

// respond walks over a part of a response segment: to the end of the segment or
// of the message.
func (p *Parser) respond(c *cursor, s *exchange.Segment) {
	before, ex := c.left(), p.open[0]
	st := &p.resp
	done := false
	switch st.state {
	case between:
		if !p.beginResponse(c, s) {
			return
		}
		fallthrough
	case inHead:
		done = p.responseHead(c, s)
	case inLength:
		st.left -= c.skip(st.left)
		done = st.left == 0
	case inChunks:
		done = p.responseChunks(c, s)
	case inTail, inUnknown:
		// What comes after the next request has a beginning that can be seen,
		// or it cannot be told whose it is.
		if p.crowded() || len(p.open) > 1 && !beginsResponse(c.data) && mayBegin(c.data) {
			p.lose(s.End, exchange.Truncated)
			return
		}
		if len(p.open) > 1 && beginsResponse(c.data) {
			p.finish(st.last, exchange.Complete)
			st.restart(between)
			return
		}
		c.skip(c.left())
		done = st.state == inTail && st.tail.endsBody()
	default:
		c.skip(c.left())
	}
	if len(p.open) == 0 || p.open[0] != ex {
		return
	}
	p.took(ex, before-c.left(), exchange.Response)
	st.last = p.sent(ex, s)
	if done {
		p.finish(st.last, exchange.Complete)
		st.restart(between)
	}
}

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

// sent tells when the bytes of a response segment were over. A send that cannot
// have waited is over when it begins: what its return comes later by is the
// scheduler's doing, and the client may have all of it already.
func (p *Parser) sent(ex *exchange.Exchange, s *exchange.Segment) uint64 {
	if !p.sink.Client() && ex.Sent <= buffered {
		return s.Start
	}
	return s.End
}

// beginsResponse is looksLikeResponse without the benefit of the doubt.
func beginsResponse(b []byte) bool { return bytes.HasPrefix(b, []byte(responsePrefix)) }

// mayBegin tells whether b is too short to say what it begins.
func mayBegin(b []byte) bool { return len(b) == 0 || looksLikeResponse(b) }

// beginsFinal tells whether b begins a response that is no interim one.
func beginsFinal(b []byte) bool {
	const codeAt = len("HTTP/1.x ")
	return beginsResponse(b) && len(b) > codeAt && b[codeAt] != '1'
}

// beginResponse begins the response to the oldest request. It returns false,
// having given up, when the bytes are none or are not at hand.
func (p *Parser) beginResponse(c *cursor, s *exchange.Segment) bool {
	if p.overlaps(s) && !p.settled { // more may be under way than we know of
		p.lose(s.End, exchange.Desynchronized)
		c.skip(c.left())
		return false
	}
	if len(c.data) > 0 && looksLikeResponse(c.data) {
		if p.open[0].FirstByte == 0 {
			p.open[0].FirstByte = s.Start
		}
		p.resp.restart(inHead)
		return true
	}
	why := exchange.Desynchronized
	if len(c.data) == 0 { // pipelined responses that were not copied
		why = exchange.Truncated
	}
	p.lose(s.End, why)
	c.skip(c.left())
	return false
}

// overlaps tells whether a later call had begun to send a further request before
// the response that s begins.
func (p *Parser) overlaps(s *exchange.Segment) bool {
	for _, ex := range p.open[1:] {
		if ex.Start != p.open[0].Start {
			if ex.Start < s.Start {
				p.pipelined = true
				return true
			}
			break
		}
	}
	return false
}

// responseHead reads on in the head of the current response. It returns true
// when the response ends with it.
func (p *Parser) responseHead(c *cursor, s *exchange.Segment) (done bool) {
	before := c.left()
	head, n := p.resp.head(c)
	cut := n == 0
	if cut && c.unseen == 0 && len(head) < maxHead {
		return false // more to come
	}
	ex := p.open[0]
	f := facts(ex)
	fr, ok := parseResponse(head, f)
	if !ok {
		f.Status = 0
		p.lose(s.End, exchange.Desynchronized)
		c.skip(c.left())
		return false
	}
	if cut {
		c.skip(c.left())
	}
	if f.Status < 200 && f.Status != 101 { // interim: the real one follows
		f.Status, ex.FirstByte = 0, 0
		p.resp.restart(between)
		if cut {
			p.lose(s.End, exchange.Truncated)
		}
		return false
	}
	if fr.h2c && f.Status == 101 && !cut && p.switches(c, before-c.left(), s) {
		return false
	}
	next, length := bodyOf(f, &fr, cut)
	if (cut || next == inUnknown) && p.crowded() {
		p.lose(s.End, exchange.Truncated)
		return false
	}
	p.resp.restart(next)
	p.resp.left = length
	if next == inTunnel {
		f.Upgraded = true
		p.req.restart(inTunnel)
	}
	return next == between
}

// switches tells whether the connection goes on in HTTP/2, behind the head that
// was read, of which s held n bytes: the request is answered there. The side of
// the requests has to be over with its own.
func (p *Parser) switches(c *cursor, n uint64, s *exchange.Segment) bool {
	sink, ok := p.sink.(exchange.Switcher)
	if !ok || p.req.state != between || len(p.open) != 1 || p.replays {
		return false
	}
	ex, f := p.open[0], facts(p.open[0])
	status, first := f.Status, ex.FirstByte
	f.Status, ex.FirstByte = 0, 0 // of what was an interim response
	rest := *s
	rest.Payload, rest.Len, rest.Excerpts = c.data, c.left(), nil
	if !sink.Switch("http2", ex, &rest) {
		f.Status, ex.FirstByte = status, first
		return false
	}
	p.took(ex, n, exchange.Response)
	p.open = p.open[:0]
	c.data, c.unseen = nil, 0
	return true
}

// bodyOf tells how the body behind a response head is delimited (RFC 9112,
// section 6.3). A response that ends with its head is between messages.
func bodyOf(f *httpfacts.Facts, fr *framing, cut bool) (next state, length uint64) {
	connect := string(f.Method) == "CONNECT" && f.Status < 300
	switch {
	case f.Status == 101 || connect:
		return inTunnel, 0
	case string(f.Method) == "HEAD" || f.Status == 204 || f.Status == 304:
		return between, 0
	case cut || fr.invalid:
		return inUnknown, 0
	case fr.chunked:
		return inChunks, 0
	case fr.length == noLength:
		return inRest, 0
	case fr.length == 0:
		return between, 0
	}
	return inLength, fr.length
}

func (p *Parser) responseChunks(c *cursor, s *exchange.Segment) (done bool) {
	st := &p.resp
	done, lost := st.chunks.follow(c)
	if !lost {
		return done
	}
	c.skip(c.left())
	if p.crowded() {
		p.lose(s.End, exchange.Truncated)
		return false
	}
	st.restart(inTail)
	return st.tail.endsBody()
}

// crowded tells whether other responses may lie in bytes that are not at hand,
// behind the end of the current one. A single further request may have been
// read before the end of the current response was reported, by another thread.
func (p *Parser) crowded() bool {
	return len(p.open) > 2 || len(p.open) == 2 && (p.pipelined || p.open[0].Start == p.open[1].Start)
}
