package bolt

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Parser follows one connection.
//
// Messages under way wait in a queue for their answers; the operations that they
// belong to are kept apart, because a query may be under way while no message
// is.
type Parser struct {
	proto     *Protocol
	q         dbconn.Queue[request]
	req, resp stream
	ops       []*operation // under way, oldest first
	free      []*operation
	latest    *operation // of the latest RUN; nil when it has ended
	since     uint64     // when the message of the client began
	system    string
	database  []byte // of the transaction
	hands     []byte // of the agreement, so far
	joined    []byte // the first and the last bytes of a segment

	phase      phase
	answering  bool // the answer to the oldest message has begun
	reqHidden  bool // where the next request begins is not known
	respHidden bool // the same of the answer
	certain    bool // it is of this protocol, or bytes are missing that might tell
	doubts     int  // how often it was not, while that was not certain
	stopped    bool // the connection is not followed any more
	refused    bool // it was never of this protocol
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.q.Reset(sink, midway)
	p.forget()
	if p.phase = proposes; midway {
		p.phase = talks
	}
	p.ops, p.latest = p.ops[:0], nil
	p.system, p.hands = Neo4j, p.hands[:0]
	p.certain, p.stopped, p.refused, p.doubts = !midway, false, false, 0
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.reset()
	p.resp.reset()
	p.database = p.database[:0]
	p.answering, p.reqHidden, p.respHidden = false, false, false
}

// lose gives up everything under way.
func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.q.Lose(now, why)
	p.giveUp(now, why)
	p.forget()
}

// giveUp ends the operations under way, after their messages.
func (p *Parser) giveUp(now uint64, why exchange.Reason) {
	for len(p.ops) > 0 {
		op := p.ops[0]
		op.waiting = 0
		p.finishAt(op, max(op.last, now), why)
	}
}

// maxDoubts is how often a connection that was joined in its midst, perhaps in
// the midst of a message, may look like none of this protocol.
const maxDoubts = 3

// violated takes what cannot be a conversation of this protocol. Where it was
// one before, the place was lost.
func (p *Parser) violated(s *exchange.Segment) {
	if p.doubts++; !p.certain && p.doubts >= maxDoubts {
		p.refuse()
		return
	}
	p.lose(s.End, exchange.Desynchronized)
	if s.Side == exchange.Request {
		p.q.Torn()
	}
}

// stop ends the following of a connection.
func (p *Parser) stop() {
	p.lose(0, exchange.Desynchronized)
	p.stopped = true
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	for _, op := range p.ops {
		if op.ex != nil {
			p.q.Sink.Drop(op.ex)
			op.ex = nil
		}
	}
	p.ops = p.ops[:0]
	p.q.Discard()
	p.stop()
	p.refused = true
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.ops) }

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if p.stopped {
		return
	}
	if s.Side == exchange.Request {
		p.request(s)
		p.q.Replay(p.response)
	} else {
		p.response(s)
	}
	p.q.Seen(s)
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.certain = true
	switch {
	case p.stopped:
	case p.phase != talks: // it may have been agreed on
		p.phase = talks
		p.q.Missed()
		p.lose(now, exchange.Desynchronized)
	case side == exchange.Request:
		if !p.req.frames.Survives(n) {
			p.q.Missed()
			p.lose(now, exchange.Desynchronized)
		} else {
			p.req.cut = true
		}
	case !p.resp.frames.Survives(n):
		p.lose(now, exchange.ResponseLost)
	default:
		p.resp.cut = true
	}
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	if side == exchange.Request {
		p.q.CallerGone(at)
		for _, op := range p.ops {
			op.facts().CallerGone = true
		}
		return
	}
	p.over(at)
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) { p.over(at) }

// over ends everything under way at the end of the connection. Whatever nobody
// had asked for any more was complete before.
func (p *Parser) over(at uint64) {
	p.settle()
	if p.respHidden && p.answering && p.q.Len() > 0 {
		if op := p.q.First().Info.op; op != nil && op.ex != nil {
			p.finish(op, exchange.Truncated)
		}
	}
	p.giveUp(at, exchange.ConnectionClosed)
	p.q.Close(at, false)
	p.forget()
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) { p.q.Tick(now) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.q.Abandon(why)
	p.giveUp(0, why)
	p.forget()
}
