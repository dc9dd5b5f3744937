package http2

import (
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/rpcfacts"
)

// Bounds of what one connection may hold.
const (
	maxStreams = 2048 // requests under way
	maxEarly   = 16   // of these, such whose response was seen first
	maxFree    = 32   // streams kept for reuse
)

// Waits, in ns.
const (
	quiet    = 1e9  // how long a response may come before its request
	doubtful = 10e9 // how long a stream whose end may have been lost is waited for
)

// Parser follows one connection.
//
// The two sides are sequences of frames that are followed apart from each
// other; what they share is the streams under way. A side that lost bytes is
// followed again from the next segment that begins with a frame.
type Parser struct {
	sink    exchange.Sink
	sides   [2]side // by exchange.Side
	streams map[uint32]*stream
	free    []*stream
	void    rpcfacts.Facts // takes header blocks that belong to no exchange

	highest  uint32 // id of the last request that was seen to begin
	missed   uint64 // bytes of the request side that were lost since then
	early    int    // streams whose request was not seen yet
	doubts   int    // streams whose end may have been lost
	lastSeen uint64 // when anything was seen
	blind    bool   // what happens now was not seen, and may have happened before
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.sink = sink
	for i := range p.sides {
		p.sides[i].reset(exchange.Side(i), midway)
	}
	clear(p.streams)
	p.highest, p.missed, p.early, p.doubts, p.lastSeen = 0, 0, 0, 0, 0
}

// upgraded is the id of the request that the connection was upgraded with (RFC
// 7540, section 3.2).
const upgraded = 1

// Inherit implements exchange.Heir.
func (p *Parser) Inherit(ex *exchange.Exchange, before exchange.Facts) {
	p.follow(upgraded, ex)
	p.highest = upgraded
	f := facts(ex)
	if h, ok := before.(*httpfacts.Facts); ok {
		f.Facts, *h = *h, f.Facts
	}
	f.Version = httpfacts.HTTP2
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.streams) }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	p.lastSeen = max(p.lastSeen, s.End)
	sd := &p.sides[s.Side]
	c := cursorOf(s)
	if !sd.inSync && !p.resync(sd, s) && !p.seek(sd, &c) {
		p.unseen(sd, s.Len, s.End)
		return
	}
	for c.left() > 0 {
		c.advance()
		if !sd.inSync && !p.rejoin(sd, &c) {
			break
		}
		p.step(sd, &c, s)
	}
	if c.left() > 0 {
		p.unseen(sd, c.left(), s.End)
	}
}

// step walks over a part of a segment: to its end, or that of a frame's header
// or payload.
func (p *Parser) step(sd *side, c *cursor, s *exchange.Segment) {
	switch {
	case sd.preface > 0:
		got := c.take(sd.preface)
		at := len(preface) - sd.preface
		if sd.preface -= len(got); string(got) != preface[at:at+len(got)] || c.unseen > 0 && len(c.data) == 0 {
			p.lose(sd, s.End, exchange.Desynchronized)
		}
	case sd.part == between:
		p.header(sd, c, s)
	case sd.part == collected:
		p.collect(sd, c, s)
	default:
		p.pass(sd, c, s)
	}
}

// header reads on in the header of a frame.
func (p *Parser) header(sd *side, c *cursor, s *exchange.Segment) {
	if len(c.data) == 0 {
		p.lose(sd, s.End, exchange.Truncated)
		return
	}
	if sd.n == 0 && !sd.blocked {
		sd.begins(s)
	}
	sd.n += copy(sd.raw[sd.n:], c.take(frameHeader-sd.n))
	if sd.n < frameHeader {
		return
	}
	sd.frame, _ = parseHeader(sd.raw[:])
	if !sd.frame.valid() || sd.blocked && sd.frame.kind != continuation {
		p.lose(sd, s.End, exchange.Desynchronized)
		return
	}
	sd.enter()
	if st := p.streams[sd.frame.stream]; st != nil && sd.frame.kind <= headers {
		p.took(sd, st, frameHeader)
		st.seen(p, sd)
		sd.cur = st
	}
	if sd.left == 0 {
		p.endFrame(sd, nil, s)
	}
}

// collect reads on in a payload that is needed as a whole.
func (p *Parser) collect(sd *side, c *cursor, s *exchange.Segment) {
	got := c.take(int(sd.left))
	sd.left -= uint32(len(got))
	if st := sd.cur; st != nil {
		p.took(sd, st, uint64(len(got)))
	}
	if sd.left == 0 && len(sd.buf) == 0 {
		p.endFrame(sd, got, s)
		return
	}
	if len(sd.buf)+len(got) <= maxBlock {
		sd.buf = append(sd.buf, got...)
	}
	switch {
	case sd.left == 0:
		p.endFrame(sd, sd.buf, s)
	case c.unseen > 0: // the rest is not at hand
		p.cutFrame(sd, s)
	}
}

// pass walks over a payload of which nothing, or only a part, is of interest.
func (p *Parser) pass(sd *side, c *cursor, s *exchange.Segment) {
	if sd.part == padLength {
		got := c.take(1)
		if len(got) == 0 {
			sd.part, sd.pad = skipped, 0
			sd.cur.blind(sd)
		} else {
			sd.part, sd.pad = inData, uint32(got[0])
			sd.left--
		}
	}
	n := uint64(sd.left)
	if sd.part == inData { // up to the padding
		n -= min(n, uint64(sd.pad))
	}
	seen, unseen := c.skip(n)
	sd.left -= uint32(len(seen)) + uint32(unseen)
	if st := sd.cur; st != nil {
		p.took(sd, st, uint64(len(seen))+unseen)
		if sd.part == inData {
			st.data(sd, seen, unseen, s)
		}
	}
	if sd.part == inData && sd.left <= sd.pad {
		sd.part = skipped
	}
	if sd.left == 0 {
		p.endFrame(sd, nil, s)
	}
}

// endFrame takes a frame that is complete; payload only if it was collected.
func (p *Parser) endFrame(sd *side, payload []byte, s *exchange.Segment) {
	sd.part = between
	h := &sd.frame
	switch h.kind {
	case data:
		if h.flags&flagEndStream != 0 {
			p.endStream(sd, h.stream, s)
		}
	case headers, pushPromise, continuation:
		p.headerFrame(sd, payload, false, s)
	case rstStream:
		p.rst(sd, payload, s)
	case goAway:
		p.goAway(sd, payload, s)
	default:
	}
	sd.cur = nil
}

// cutFrame takes a collected frame of which the rest was not copied.
func (p *Parser) cutFrame(sd *side, s *exchange.Segment) {
	sd.part = skipped
	switch sd.frame.kind {
	case headers, pushPromise, continuation:
		p.headerFrame(sd, sd.buf, true, s)
		sd.frame.kind = priority // nothing is done at the end of its payload
	default:
	}
}

// took adds bytes to what a stream has moved.
func (p *Parser) took(sd *side, st *stream, n uint64) {
	if p.sink.Client() == (sd.which == exchange.Request) {
		st.ex.Sent += n
	} else {
		st.ex.Received += n
	}
}

// lose gives up following a side: why says how the bytes that it goes on with
// came to be unknown.
func (p *Parser) lose(sd *side, now uint64, why exchange.Reason) {
	p.blind = true
	if sd.part == collected {
		p.cutFrame(sd, &exchange.Segment{Side: sd.which, Start: now, End: now})
	} else if sd.blocked && !sd.dropped {
		p.block(sd, sd.open, sd.block, true)
	}
	p.blind = false
	sd.lose()
	if sd.which == exchange.Request {
		why = exchange.Desynchronized // all that can be missed of a stream is that it was given up
	}
	for _, st := range p.streams {
		if st.doubt == 0 {
			p.doubts++
			st.doubt, st.doubtWhy = max(now, st.ex.Start), why
		}
		for i := range st.messages {
			st.messages[i].lost = true
		}
	}
}

// unseen takes note of bytes that a side which is not followed has moved.
func (p *Parser) unseen(sd *side, n, now uint64) {
	if sd.which == exchange.Request {
		p.missed += n
		return
	}
	for _, st := range p.streams {
		if st.doubt != 0 && st.doubtWhy == exchange.Truncated {
			st.doubt = max(st.doubt, now) // these bytes may be its
		}
	}
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	sd := &p.sides[side]
	if sd.inSync && sd.part != between && sd.preface == 0 && n <= uint64(sd.left) {
		s := exchange.Segment{Side: side, Start: now, End: now, Len: n}
		c := cursor{unseen: n, length: n}
		p.blind = true
		for c.left() > 0 {
			p.step(sd, &c, &s)
		}
		p.blind = false
		return
	}
	if sd.inSync {
		p.lose(sd, now, exchange.ResponseLost)
	}
	p.unseen(sd, n, now)
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	p.lastSeen = max(p.lastSeen, at)
	if side == exchange.Request {
		for _, st := range p.streams {
			facts(st.ex).CallerGone = true
		}
		return
	}
	p.finishAll(at, exchange.ConnectionClosed)
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) { p.finishAll(at, exchange.ConnectionClosed) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) { p.finishAll(p.lastSeen, why) }

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	if p.early == 0 && p.doubts == 0 {
		return
	}
	for _, id := range p.ids() {
		switch st := p.streams[id]; {
		case st.early && now > st.ex.Start+quiet:
			p.drop(st)
		case st.doubt != 0 && now > st.doubt+doubtful:
			p.finish(st, st.doubt, st.doubtWhy)
		}
	}
}

// ids returns the streams under way, oldest first.
func (p *Parser) ids() []uint32 {
	ids := make([]uint32, 0, len(p.streams))
	for id := range p.streams {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (p *Parser) finishAll(at uint64, why exchange.Reason) {
	for _, id := range p.ids() {
		switch st := p.streams[id]; {
		case st.early:
			p.drop(st)
		case st.doubt != 0: // it may have ended before
			p.finish(st, st.doubt, st.doubtWhy)
		default:
			p.finish(st, at, why)
		}
	}
}
