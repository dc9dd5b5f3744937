package kafka

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Bounds of one connection.
const (
	maxOpen   = 1024 // requests under way
	maxKept   = 4096 // bytes of a message that comes in parts
	respBytes = 8    // size and correlation id
	patience  = 60e9 // ns that a request waits whose response may have been lost
	buffered  = 16 << 10

	maxOdd      = 3 // of what speaks against the protocol before a connection is refused
	maxOddLossy = 16
	maxSkipped  = 256 // segments in which no message was found
)

// pending is a request under way.
type pending struct {
	ex          *exchange.Exchange // nil when it is not reported
	correlation uint32
	lost        uint64 // when its response may have been lost; 0: it was not
}

// side is how far the messages of one side are known.
type side struct {
	frames dbconn.Frames
	header dbconn.Header
	hidden bool   // where the next message begins is not known
	since  uint64 // when the current message began
	begun  bool   // the bytes before were the beginning of a header, perhaps
}

// Parser follows one connection.
type Parser struct {
	proto     *Protocol
	sink      exchange.Sink
	req, resp side
	open      []pending
	early     early
	client    []byte // id of the client
	session   session
	reader    reader // reused
	segment   uint64 // bytes of the response side's current segment
	latest    uint64

	sound    bool // no byte of the connection was missed
	proven   bool // a response has matched a request
	odd      int  // what spoke against that
	skipped  int  // segments that were passed over
	refused  bool
	peerGone bool // the peer has ended its side
}

func (p *Parser) init() {
	p.req.header = dbconn.Header{Size: requestHeadBytes, Length: p.requestLength, Keep: keep}
	p.resp.header = dbconn.Header{Size: respBytes, Length: p.responseLength, Keep: keep}
}

func keep([]byte) int { return maxKept }

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.sink, p.sound = sink, !midway
	p.open, p.client = p.open[:0], p.client[:0]
	p.early.reset()
	p.session.forget()
	p.req.lose(midway)
	p.resp.lose(midway)
	p.latest, p.odd, p.skipped = 0, 0, 0
	p.proven, p.refused, p.peerGone = false, false, false
}

// lose forgets where messages begin.
func (s *side) lose(hidden bool) {
	s.frames.Reset()
	s.hidden, s.begun = hidden, false
}

// Open implements exchange.Parser.
func (p *Parser) Open() (n int) {
	for i := range p.open {
		if p.open[i].ex != nil {
			n++
		}
	}
	return n
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	for i := range p.open {
		if ex := p.open[i].ex; ex != nil {
			p.sink.Drop(ex)
		}
	}
	p.open = p.open[:0]
	p.early.reset()
	p.refused = true
}

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	p.latest = max(p.latest, s.End)
	switch {
	case p.refused:
	case s.Side == exchange.Request:
		p.request(s)
	default:
		p.response(s)
	}
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(which exchange.Side, n, now uint64) {
	if which == exchange.Request {
		if !p.req.frames.Survives(n) {
			p.req.lose(true)
			p.sound = false
			p.session.forget()
		}
		return
	}
	if p.resp.frames.Survives(n) {
		return
	}
	p.sound = false
	p.resp.lose(true)
	p.session.forget()
	for i := range p.open {
		p.open[i].lost = max(now, 1)
	}
}

// find returns the place of a request under way, -1 when there is none.
func (p *Parser) find(correlation uint32) int {
	for i := range p.open {
		if p.open[i].correlation == correlation {
			return i
		}
	}
	return -1
}

// take takes out the request at a place.
func (p *Parser) take(i int) pending {
	it := p.open[i]
	n := copy(p.open[i:], p.open[i+1:]) + i
	p.open[n] = pending{}
	p.open = p.open[:n]
	return it
}

// finish ends an exchange.
func (p *Parser) finish(ex *exchange.Exchange, end uint64, why exchange.Reason) {
	if ex == nil {
		return
	}
	f := facts(ex)
	p.complete(ex, f)
	ex.End, ex.Incomplete = max(end, ex.Start), why
	f.conclude(ex)
	p.sink.Done(ex)
}

// complete adds what other requests have told about topics and groups.
func (p *Parser) complete(ex *exchange.Exchange, f *Facts) {
	f.topics.resolve(&p.proto.ids)
	f.answers.resolve(&p.proto.ids)
	set := f.destination()
	switch {
	case f.Code != 0:
	case f.key == keyFetch && !f.Replica && !set.more:
		p.group(ex, f, set)
	case (f.key == keyOffsetCommit || f.key == keyOffsetFetch) && f.Answered && len(f.Group) > 0:
		for i := range set.list {
			p.proto.groups.learn(ex, f, set.name(i))
		}
	}
}

// group gives a fetch its group, if it is the same for all of its topics.
func (p *Parser) group(ex *exchange.Exchange, f *Facts, set *topics) {
	for i := range set.list {
		group := p.proto.groups.find(ex, f, set.name(i))
		if group == "" || i > 0 && group != string(f.Group) {
			f.Group = f.Group[:0]
			return
		}
		f.Group = append(f.Group[:0], group...)
	}
}

// drain ends everything under way.
func (p *Parser) drain(at uint64, why exchange.Reason) {
	for len(p.open) > 0 {
		it := p.take(len(p.open) - 1)
		reason := why
		if it.lost != 0 && why == exchange.ConnectionClosed {
			reason = exchange.ResponseLost
		}
		p.finish(it.ex, at, reason)
	}
	p.early.drop(p.sink)
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(which exchange.Side, at uint64) {
	p.latest = max(p.latest, at)
	if which == exchange.Request {
		p.callerGone()
		return
	}
	p.peerGone = true
	p.drain(at, exchange.ConnectionClosed)
}

func (p *Parser) callerGone() {
	for i := range p.open {
		if ex := p.open[i].ex; ex != nil {
			facts(ex).CallerGone = true
		}
	}
}

// Close implements exchange.Parser. A client whose server has not ended before
// has ended the connection itself.
func (p *Parser) Close(at uint64) {
	if p.sink.Client() && !p.peerGone {
		p.callerGone()
	}
	p.drain(at, exchange.ConnectionClosed)
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) {
	for range p.early.tick(now) {
		p.unasked()
	}
	for i := 0; i < len(p.open); i++ {
		if lost := p.open[i].lost; lost != 0 && now > lost+patience {
			p.finish(p.take(i).ex, lost, exchange.ResponseLost)
			i--
		}
	}
}

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) { p.drain(p.latest, why) }
