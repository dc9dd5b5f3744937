package amqp

import (
	"math"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// strikes is how many segments that cannot be read it takes to refuse a
// connection of which nothing was read yet.
const strikes = 32

// Waits, in ns.
const (
	quiet    = 1e9  // after which a channel has no calls under way that were not seen
	doubtful = 10e9 // how long a confirm is waited for that may have been lost
)

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

// Parser follows one connection.
//
// The two sides are sequences of frames that are followed apart from each other;
// what they share is the state of the channels. A side that lost bytes is
// followed again from the next segment that begins with a method.
type Parser struct {
	sink      exchange.Sink
	sides     [2]side // by exchange.Side
	channels  map[uint16]*channel
	consumers []consumer
	opened    int    // exchanges under way
	misses    int    // segments that could not be read
	latest    uint64 // when anything was seen

	midway  bool // channels may be older than what was seen
	torn    bool // not all of the connection was seen
	sure    bool // a method was read
	refused bool // it was never of this protocol
}

// side is one direction of a connection, as a sequence of frames.
type side struct {
	frames dbconn.Frames
	inSync bool             // the next byte is the one that frames expects
	latest uint64           // when bytes of it were seen
	first  exchange.Segment // that the current frame began in, without its bytes
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.sink = sink
	for i := range p.sides {
		p.sides[i].frames.Reset()
		p.sides[i].inSync, p.sides[i].latest = !midway, 0
	}
	clear(p.channels)
	p.consumers = p.consumers[:0]
	p.opened, p.misses, p.latest = 0, 0, 0
	p.midway, p.torn, p.sure, p.refused = midway, midway, false, false
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return p.opened }

// begun begins an exchange with the frame that is being read on a side; nil when
// too many are under way.
func (p *Parser) begun(which exchange.Side, operation string) *exchange.Exchange {
	ex := p.sink.New(&p.sides[which].first)
	if ex == nil {
		return nil
	}
	p.opened++
	f := factsOf(ex)
	f.System, f.Operation = System, operation
	return ex
}

// done ends an exchange.
func (p *Parser) done(ex *exchange.Exchange, end uint64, why exchange.Reason) {
	ex.End, ex.Incomplete, ex.Class = max(end, ex.Start, ex.FirstByte), why, factsOf(ex).Class
	p.opened--
	p.sink.Done(ex)
}

// sent tells when what ends in s was over. A send that cannot have waited is
// over when it begins: what its return comes later by is the scheduler's doing.
func (p *Parser) sent(ex *exchange.Exchange, s *exchange.Segment) uint64 {
	if p.sends(s.Side) && ex.Sent <= buffered {
		return s.Start
	}
	return s.End
}

// sends tells whether a side is what this process sends.
func (p *Parser) sends(which exchange.Side) bool {
	return p.sink.Client() == (which == exchange.Request)
}

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if p.refused {
		return
	}
	sd := &p.sides[s.Side]
	// After a loss, what looked like a frame may have been a part of a message:
	// a side that rested does not begin in the midst of one.
	if p.torn && sd.inSync && !sd.frames.Between() && s.Start > sd.latest+quiet && begins(s.Payload) != exchange.Foreign {
		p.lose(s.Side, s.Start, exchange.Desynchronized)
	}
	p.latest, sd.latest = max(p.latest, s.End), s.End
	c := dbconn.NewCursor(s)
	if !sd.inSync && !p.resumes(sd, s.Side, &c) {
		return
	}
	for c.Left() > 0 && !p.refused {
		if sd.frames.Between() {
			sd.first = exchange.Segment{Side: s.Side, Start: s.Start, End: s.End, Who: s.Who}
		}
		m, found := sd.frames.Next(&c, &frames)
		switch {
		case found == dbconn.Lost:
			p.lose(s.Side, s.End, exchange.Truncated)
			return
		case found == dbconn.Foreign, found == dbconn.Whole && !p.frame(&m, s):
			p.foreign(s)
			return
		}
	}
}

// resumes tells whether a side that is not followed is so again from the
// beginning of a segment, or from one of the excerpts, where the kernel side has
// seen frames begin.
func (p *Parser) resumes(sd *side, which exchange.Side, c *dbconn.Cursor) bool {
	other := exchange.IsResponse
	if which == exchange.Response {
		other = exchange.IsRequest
	}
	for v := begins(c.Data); v == exchange.Foreign || v == other; v = begins(c.Data) {
		if c.Pass() {
			continue
		}
		if len(c.Data) >= headSize {
			p.misses++
		}
		if p.misses > strikes && !p.sure {
			p.refuse()
		}
		return false
	}
	sd.frames.Reset()
	sd.inSync = true
	return true
}

// frame takes a frame that ends in s. It returns false when it can be none.
func (p *Parser) frame(m *dbconn.Message, s *exchange.Segment) bool {
	if string(m.Head) == preface[:headSize] {
		p.sure = true
		return s.Side == exchange.Request
	}
	if !m.Cut() {
		if m.Body[len(m.Body)-1] != frameEnd {
			return false
		}
		m.Body = m.Body[:len(m.Body)-1]
	}
	ch := p.channel(uint16(m.Head[1])<<8 | uint16(m.Head[2]))
	switch {
	case m.Head[0] == frameHeartbeat:
	case ch == nil:
		p.sink.Count(exchange.Expired)
	case m.Head[0] == frameMethod:
		return p.method(ch, m, s)
	case m.Head[0] == frameHeader:
		p.moved(ch, m, s.Side)
		p.header(ch, m, s)
	default:
		p.moved(ch, m, s.Side)
		p.body(ch, m.Len-1, s)
	}
	return true
}

// moved adds the bytes of a frame to the message that it belongs to.
func (p *Parser) moved(ch *channel, m *dbconn.Message, which exchange.Side) {
	p.took(ch.content[which].ex, m, which)
}

func (p *Parser) took(ex *exchange.Exchange, m *dbconn.Message, which exchange.Side) {
	switch {
	case ex == nil:
	case p.sends(which):
		ex.Sent += headSize + m.Len
	default:
		ex.Received += headSize + m.Len
	}
}

// foreign gives up bytes that are no frame. A connection that begins so is not
// AMQP's, nor is one of which nothing can be read.
func (p *Parser) foreign(s *exchange.Segment) {
	if p.misses++; !p.sure && (!p.torn || p.misses > strikes) {
		p.refuse()
		return
	}
	p.lose(s.Side, s.End, exchange.Desynchronized)
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	for _, ch := range p.channels {
		for i := range ch.content {
			p.drop(ch.content[i].ex)
		}
		for _, c := range ch.calls {
			p.drop(c.ex)
		}
		for _, t := range []*tags{&ch.out, &ch.in} {
			for _, m := range t.all() {
				p.drop(m.ex)
			}
		}
	}
	clear(p.channels)
	p.refused = true
}

func (p *Parser) drop(ex *exchange.Exchange) {
	if ex != nil {
		p.opened--
		p.sink.Drop(ex)
	}
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// lose gives up following a side: why says how the bytes that it goes on with
// came to be unknown.
func (p *Parser) lose(which exchange.Side, now uint64, why exchange.Reason) {
	p.torn = true
	sd := &p.sides[which]
	sd.frames.Reset()
	sd.inSync = false
	for _, ch := range p.channels {
		ch.lose(p, which, now, why)
	}
}

// lose says that bytes of a side were lost that may have been the channel's.
func (ch *channel) lose(p *Parser, which exchange.Side, now uint64, why exchange.Reason) {
	p.interrupt(ch, which, now)
	ch.torn, ch.last = true, max(ch.last, now)
	waiting := &ch.in // what the client may have settled
	if which == exchange.Response {
		waiting = &ch.out
		p.endCalls(ch, now, why)
	} else {
		ch.confirms, ch.since = ch.unsure(), 2
	}
	for i := range waiting.all() {
		if m := &waiting.all()[i]; m.doubt == 0 {
			m.doubt = now
		}
	}
}

// unsure is what is known of confirms after messages may have been published
// unseen.
func (ch *channel) unsure() confirms {
	if ch.confirms == numbered || ch.confirms == uncounted {
		return uncounted
	}
	return perhaps
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(which exchange.Side, n, now uint64) {
	sd := &p.sides[which]
	if p.refused || sd.inSync && sd.frames.Survives(n) {
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
	for _, ch := range p.channels {
		for _, c := range ch.calls {
			if c.ex != nil {
				factsOf(c.ex).CallerGone = true
			}
		}
		for _, m := range ch.out.all() {
			if m.ex != nil {
				factsOf(m.ex).CallerGone = true
			}
		}
	}
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) { p.endAll(at, exchange.ConnectionClosed, "") }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) { p.endAll(p.latest, why, "") }

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	if !p.torn {
		return
	}
	for _, ch := range p.channels {
		for _, m := range ch.out.all() {
			if m.ex != nil && m.doubt != 0 && now > m.doubt+doubtful {
				ch.out.take(m.tag)
				p.done(m.ex, m.doubt, exchange.ResponseLost)
				break // the list has changed: the others at the next turn
			}
		}
	}
}

// endAll ends everything under way on all channels.
func (p *Parser) endAll(at uint64, why exchange.Reason, code string) {
	for _, ch := range p.channels {
		p.end(ch, at, why, code)
	}
	clear(p.channels)
	p.consumers = p.consumers[:0]
}

// end ends everything under way on a channel; code is the error that it is
// closed with, empty for none. It returns how much was told the error.
func (p *Parser) end(ch *channel, at uint64, why exchange.Reason, code string) (told int) {
	p.interrupt(ch, exchange.Request, at)
	p.interrupt(ch, exchange.Response, at)
	fail := func(ex *exchange.Exchange) {
		if code != "" {
			factsOf(ex).Fail(code)
			told++
		}
	}
	for _, c := range ch.calls {
		if c.ex != nil {
			fail(c.ex)
			p.done(c.ex, at, why)
		}
	}
	ch.calls = ch.calls[:0]
	for m := ch.out.first(math.MaxUint64); m.ex != nil; m = ch.out.first(math.MaxUint64) {
		if m.doubt != 0 {
			p.done(m.ex, m.doubt, exchange.ResponseLost)
			continue
		}
		fail(m.ex)
		p.done(m.ex, at, why)
	}
	for m := ch.in.first(math.MaxUint64); m.ex != nil; m = ch.in.first(math.MaxUint64) {
		p.unsettled(m.ex, m.end)
	}
	return told
}

// endCalls ends the calls of a channel, whose answers may have been lost.
func (p *Parser) endCalls(ch *channel, now uint64, why exchange.Reason) {
	for _, c := range ch.calls {
		if c.ex != nil {
			p.done(c.ex, now, why)
		}
	}
	ch.calls = ch.calls[:0]
}
