package http2

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// resync tells whether sd can be followed from the beginning of s.
func (p *Parser) resync(sd *side, s *exchange.Segment) bool {
	if sd.which == exchange.Request && len(s.Payload) >= len(preface) && string(s.Payload[:len(preface)]) == preface {
		sd.preface = len(preface)
	} else if !resumes(s.Payload, s.Len, p.expected) && !p.readable(sd, s.Payload) {
		return false
	}
	sd.inSync = true
	return true
}

// seek tells whether sd can be followed from the next excerpt on, which begins where
// the kernel has seen a frame begin.
func (p *Parser) seek(sd *side, c *cursor) bool {
	at, b, ok := c.excerpts.Peek()
	h, whole := parseHeader(b)
	if !ok || !whole || !h.plausible() || at < c.at() {
		return false
	}
	p.unseen(sd, at-c.at(), p.lastSeen)
	c.seek(at, b)
	c.excerpts.Next()
	sd.inSync = true
	return true
}

// rejoin tells whether sd, which was lost in bytes that are not at hand, can be
// followed again behind them: at an excerpt, or from somewhere in the tail of the
// segment, where a frame of a stream under way begins, from which frames lead to the
// end of the segment.
func (p *Parser) rejoin(sd *side, c *cursor) bool {
	if p.seek(sd, c) {
		return true
	}
	if len(c.data) > 0 || c.unseen <= uint64(len(c.tail)) {
		return false
	}
	for b := c.tail; len(b) >= frameHeader; b = b[1:] {
		h, _ := parseHeader(b)
		if (h.kind == headers || h.kind == data) && p.streams[h.stream] != nil && ends(b) {
			p.unseen(sd, c.unseen-uint64(len(b)), p.lastSeen)
			c.data, c.unseen, sd.inSync = b, 0, true
			return true
		}
	}
	return false
}

// ends tells whether b is nothing but frames.
func ends(b []byte) bool {
	for len(b) > 0 {
		h, ok := parseHeader(b)
		if !ok || !h.plausible() || int(h.length) > len(b)-frameHeader {
			return false
		}
		b = b[frameHeader+h.length:]
	}
	return true
}

// expected tells whether a frame of a stream is likely to come.
func (p *Parser) expected(id uint32) bool {
	return p.streams[id] != nil || p.highest != 0 && id == p.highest+2
}

// readable tells whether b begins with a header block of this side.
func (p *Parser) readable(sd *side, b []byte) bool {
	h, ok := parseHeader(b)
	if !ok || h.kind != headers || !h.plausible() || len(b) < frameHeader+int(h.length) {
		return false
	}
	want := exchange.IsRequest
	if sd.which == exchange.Response {
		want = exchange.IsResponse
	}
	return New().Classify(b) == want
}
