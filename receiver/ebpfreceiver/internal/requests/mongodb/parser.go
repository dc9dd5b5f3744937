package mongodb

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// strikes is how many segments that cannot be read it takes to refuse a
// connection of which nothing was read yet.
const strikes = 32

// Parser follows one connection.
//
// The two sides are sequences of messages that are followed apart from each
// other; what they share is the requests under way, by their ids. A side that
// lost bytes is followed again from the next segment that begins with a message.
type Parser struct {
	proto  *Protocol
	sink   exchange.Sink
	req    side
	resp   side
	open   []pending // oldest first
	early  []early
	text   writer
	digits []byte // of the code of an error
	latest uint64 // when anything was seen
	misses int    // segments that could not be read

	missed  bool // bytes of the request side were lost since a request was read
	rested  bool // nothing had happened for a while before this segment
	torn    bool // not all of the connection was seen
	sure    bool // something was read that nothing else looks like
	stopped bool // the connection goes on in another way
	refused bool // it was never of this protocol
}

// side is one direction of a connection, as a sequence of messages.
type side struct {
	frames dbconn.Frames
	inSync bool             // the next byte is the one that frames expects
	first  exchange.Segment // that the current message began in, without its bytes
}

func (sd *side) reset(midway bool) {
	sd.frames.Reset()
	sd.inSync = !midway
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.sink = sink
	p.req.reset(midway)
	p.resp.reset(midway)
	p.open, p.early = p.open[:0], p.early[:0]
	p.latest, p.misses = 0, 0
	p.missed, p.torn, p.sure, p.stopped, p.refused = false, midway, false, false, false
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.open) }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if p.stopped {
		return
	}
	p.rested = s.Start > p.latest+quiet
	p.latest = max(p.latest, s.End)
	if s.Side == exchange.Request {
		p.follow(&p.req, s)
	} else {
		p.follow(&p.resp, s)
	}
}

// follow walks over a segment of a side and takes the messages that end in it.
func (p *Parser) follow(sd *side, s *exchange.Segment) {
	if sd.inSync && p.torn && !sd.frames.Between() && p.mistaken(s) {
		p.lose(s.Side, s.Start, exchange.Desynchronized)
	}
	if !sd.inSync && !p.resumes(sd, s) {
		return
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && !p.stopped {
		if sd.frames.Between() {
			sd.first = exchange.Segment{Side: s.Side, Start: s.Start, End: s.End, Who: s.Who}
		}
		m, found := sd.frames.Next(&c, &messages)
		switch found {
		case dbconn.Whole:
			h := parseHeader(m.Head)
			if h.op == opCompressed && !p.unpack(&h, &m) {
				p.compressed()
				return
			}
			switch {
			case h.side() != s.Side:
				p.foreign(s)
				return
			case s.Side == exchange.Request:
				p.request(&h, &m, s)
			default:
				p.reply(&h, &m, s)
			}
		case dbconn.Foreign:
			p.foreign(s)
			return
		case dbconn.Lost:
			p.lose(s.Side, s.End, exchange.Truncated)
			return
		default:
		}
	}
}

// resumes tells whether a side that is not followed is so again from the
// beginning of s.
func (p *Parser) resumes(sd *side, s *exchange.Segment) bool {
	want := exchange.IsRequest
	if s.Side == exchange.Response {
		want = exchange.IsResponse
	}
	if begins(s.Payload) != want && !isLength(s) {
		if len(s.Payload) >= headerSize {
			p.misses++
		}
		if p.misses > strikes && !p.sure {
			p.refuse()
		}
		return false
	}
	p.misses = 0
	sd.frames.Reset()
	sd.inSync = true
	return true
}

// isLength tells whether s is the length of a message alone, which many drivers
// read by a call of its own. What follows has to prove it.
func isLength(s *exchange.Segment) bool {
	const size = 4
	return s.Len == size && len(s.Payload) == size && word(s.Payload) >= opMsg.least() && word(s.Payload) <= maxMessage
}

// mistaken tells whether a side is not where it was thought to be, within a
// message: what looked like the beginning of one was a part of another.
func (p *Parser) mistaken(s *exchange.Segment) bool {
	switch begins(s.Payload) {
	case exchange.IsRequest:
		return s.Side == exchange.Request && p.rested
	case exchange.IsResponse:
		h := parseHeader(s.Payload)
		return s.Side == exchange.Response && p.find(h.response) >= 0
	default:
		return false
	}
}

// foreign gives up bytes that are no message. A connection that begins so is not
// MongoDB's, nor is one of which nothing can be read.
func (p *Parser) foreign(s *exchange.Segment) {
	if p.misses++; !p.sure && (!p.torn || p.misses > strikes) {
		p.refuse()
		return
	}
	p.lose(s.Side, s.End, exchange.Desynchronized)
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	for _, r := range p.open {
		p.sink.Drop(r.ex)
	}
	p.open, p.early = p.open[:0], p.early[:0]
	p.stopped, p.refused = true, true
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// compressed ends the following of a connection that goes on compressed in a way
// that is not known.
func (p *Parser) compressed() {
	p.stopped = true
	p.finishAll(p.latest, exchange.Desynchronized)
	p.early = p.early[:0]
	p.sink.Opaque(exchange.Compressed)
}

// lose gives up following a side: why says how the bytes that it goes on with
// came to be unknown.
func (p *Parser) lose(which exchange.Side, now uint64, why exchange.Reason) {
	p.torn = true
	if which == exchange.Request {
		p.req.reset(true)
		p.missed = true
		return
	}
	p.resp.reset(true)
	p.doubt(now, why)
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(which exchange.Side, n, now uint64) {
	sd := &p.req
	if which == exchange.Response {
		sd = &p.resp
	}
	if p.stopped || sd.inSync && sd.frames.Survives(n) {
		return
	}
	p.lose(which, now, exchange.ResponseLost)
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(which exchange.Side, at uint64) {
	p.latest = max(p.latest, at)
	if which == exchange.Response {
		p.Close(at)
		return
	}
	for i := range p.open {
		dbfacts.Of(p.open[i].ex).CallerGone = true
	}
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) {
	p.finishAll(at, exchange.ConnectionClosed)
	p.early = p.early[:0]
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	p.forgetEarly(now)
	for i := 0; i < len(p.open); {
		if r := &p.open[i]; r.doubt != 0 && now > r.doubt+doubtful {
			p.finish(i, r.doubt, r.doubtWhy)
			continue
		}
		i++
	}
}

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.finishAll(p.latest, why)
	p.early = p.early[:0]
}
