package http1

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

// request follows a segment of the request side.
func (p *Parser) request(s *exchange.Segment) {
	c := cursor{data: s.Payload, unseen: s.Len - uint64(len(s.Payload))}
	p.req.tail.add(s.Last(), s.Len)
	if p.adrift && !p.resync(s) {
		p.torn = true
		return
	}
	for c.left() > 0 {
		before := c.left()
		ex := p.cur
		switch p.req.state {
		case between:
			if !p.beginRequest(&c, s) {
				return
			}
			continue
		case inHead:
			p.requestHead(&c, s)
		case inLength:
			if ex != nil {
				facts(ex).API.AddBody(c.data[:min(uint64(len(c.data)), p.req.left)])
			}
			p.req.left -= c.skip(p.req.left)
			if p.req.left == 0 {
				p.endRequest()
			}
		case inChunks:
			p.requestChunks(&c)
		case inTail, inUnknown:
			if p.answered() && p.begins(c.data, s) {
				p.endRequest()
				continue
			}
			c.skip(c.left())
			p.torn = true
			if p.req.state == inTail && p.req.tail.endsBody() {
				p.torn = false
				p.endRequest()
			}
		default:
			c.skip(c.left())
		}
		p.took(ex, before-c.left(), exchange.Request)
	}
}

// took adds the bytes that a segment held of an exchange, if it is still open.
func (p *Parser) took(ex *exchange.Exchange, n uint64, side exchange.Side) {
	if ex == nil || side == exchange.Request && ex != p.cur {
		return
	}
	if p.sink.Client() == (side == exchange.Request) {
		ex.Sent += n
	} else {
		ex.Received += n
	}
}

// resync tells whether the side may be followed again from the beginning of s:
// it begins a request, and no older one is under way.
func (p *Parser) resync(s *exchange.Segment) bool {
	p.pipelined = p.pipelined || p.owed && startsRequest(s.Payload)
	if p.pipelined && !p.rested(s) || !p.begins(s.Payload, s) {
		return false
	}
	p.adrift, p.orphans, p.given = false, 0, 0
	p.req.restart(between)
	p.resp.restart(between)
	return true
}

// rested tells whether nothing had happened for a while before s.
func (p *Parser) rested(s *exchange.Segment) bool {
	return p.lastSeen != 0 && s.Start > p.lastSeen+quiet
}

// begins tells whether a request begins with b, which is a part of s. When the
// bytes before are missing, b may begin anywhere: then the client must have
// rested, and the word must be a known one.
func (p *Parser) begins(b []byte, s *exchange.Segment) bool {
	if !p.torn {
		return looksLikeRequest(b)
	}
	return p.rested(s) && startsRequest(b)
}

// startsRequest tells whether b, which may be of the midst of a message, begins one.
func startsRequest(b []byte) bool {
	method, _, ok := bytes.Cut(b, []byte(" "))
	return ok && httpfacts.KnownMethod(method) && looksLikeRequest(b)
}

// beginRequest opens an exchange for the request that begins at c. It returns
// false when the rest of the segment cannot be used.
func (p *Parser) beginRequest(c *cursor, s *exchange.Segment) bool {
	for len(c.data) > 0 && (c.data[0] == '\r' || c.data[0] == '\n') {
		c.data = c.data[1:] // RFC 9112, section 2.2
	}
	if c.left() == 0 {
		return false
	}
	if len(c.data) == 0 { // requests that were not copied
		p.extra, p.torn = true, true
		return false
	}
	if p.rested(s) {
		p.settled = true
	}
	if !p.begins(c.data, s) || p.pipelined && p.extra || len(p.open) >= maxOpen {
		p.lose(s.End, exchange.Desynchronized)
		return false
	}
	p.extra, p.missing, p.torn = false, false, false
	ex := p.sink.New(s)
	if ex == nil {
		p.lose(s.End, exchange.Expired)
		return false
	}
	p.open = append(p.open, ex)
	p.cur = ex
	p.req.restart(inHead)
	return true
}

// requestHead reads on in the head of the current request.
func (p *Parser) requestHead(c *cursor, s *exchange.Segment) {
	head, n := p.req.head(c)
	cut := n == 0
	if cut && c.unseen == 0 && len(head) < maxHead {
		return // more to come
	}
	ex := p.cur
	if ex == nil { // answered before its head was complete
		p.lose(s.End, exchange.Desynchronized)
		c.skip(c.left())
		return
	}
	f := facts(ex)
	fr, ok := parseRequest(head, f)
	if !ok {
		f.Method = f.Method[:0]
		p.req.buf = p.req.buf[:0] // nothing of it is worth another look
		p.lose(s.End, exchange.Desynchronized)
		c.skip(c.left())
		return
	}
	f.API.Begin(f.Target)
	switch {
	case cut:
		f.HeadCut = true
		c.skip(c.left())
		p.req.restart(inUnknown)
	case fr.invalid:
		p.req.restart(inUnknown)
	case fr.chunked:
		p.req.restart(inChunks)
	case fr.length != noLength && fr.length > 0:
		p.req.restart(inLength)
		p.req.left = fr.length
	default:
		p.endRequest()
	}
}

// head returns the head that c goes on with, from the buffer when it began in
// an earlier segment, and its length; the length is 0 when it does not end in
// c, and what is at hand of it is in the buffer then.
func (st *stream) head(c *cursor) (head []byte, n int) {
	if len(st.buf) == 0 {
		if n = endOfHead(c.data, 0); n > 0 {
			head = c.data[:n]
			c.data = c.data[n:]
			return head, n
		}
	}
	old := len(st.buf)
	st.buf = append(st.buf, c.data...)
	if n = endOfHead(st.buf, old); n > 0 {
		c.data = c.data[n-old:]
		return st.buf[:n], n
	}
	c.data = nil
	return st.buf, 0
}

func (p *Parser) requestChunks(c *cursor) {
	switch done, lost := p.req.chunks.follow(c); {
	case done:
		p.endRequest()
	case lost:
		p.req.restart(inTail)
		c.skip(c.left())
		if p.req.tail.endsBody() {
			p.endRequest()
		}
	}
}

// endRequest ends the current request; its response may still be to come.
func (p *Parser) endRequest() { p.req.restart(between) }

// answered tells whether the current request has been answered, at least in
// part.
func (p *Parser) answered() bool { return p.cur == nil || p.cur.FirstByte != 0 }
