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
	dbconn.Conn[request]

	proto     *Protocol
	req, resp stream
	ops       []*operation // under way, oldest first
	free      []*operation
	latest    *operation // of the latest RUN; nil when it has ended
	since     uint64     // when the message of the client began
	system    string
	database  []byte // of the transaction
	hands     []byte // of the agreement, so far
	joined    []byte // the first and the last bytes of a segment

	phase     phase
	answering bool // the answer to the oldest message has begun
	reqHidden bool // where the next request begins is not known
	certain   bool // it is of this protocol, or bytes are missing that might tell
	doubts    int  // how often it was not, while that was not certain
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.Restart(sink, midway)
	p.forget()
	if p.phase = proposes; midway {
		p.phase = talks
	}
	p.ops, p.latest = p.ops[:0], nil
	p.system, p.hands = Neo4j, p.hands[:0]
	p.certain, p.doubts = !midway, 0
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.req.reset()
	p.resp.reset()
	p.database = p.database[:0]
	p.answering, p.reqHidden, p.RespHidden = false, false, false
}

// lose gives up everything under way.
func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.Q.Lose(now, why)
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
		p.Q.Torn()
	}
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	for _, op := range p.ops {
		if op.ex != nil {
			p.Q.Sink.Drop(op.ex)
			op.ex = nil
		}
	}
	p.ops = p.ops[:0]
	p.Refuse()
}

// Open implements exchange.Parser.
func (p *Parser) Open() int { return len(p.ops) }

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.Q.Gap(side, now, p.req.between() && !p.reqHidden && !p.RespHidden)
	p.certain = true
	switch {
	case p.Stopped:
	case p.phase != talks: // it may have been agreed on
		p.phase = talks
		p.Q.Missed()
		p.lose(now, exchange.Desynchronized)
	case side == exchange.Request:
		if !p.req.frames.Survives(n) {
			p.Q.Missed()
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
		p.Conn.EOF(side, at)
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
	if p.RespHidden && p.answering && p.Q.Len() > 0 {
		if op := p.Q.First().Info.op; op != nil && op.ex != nil {
			p.finish(op, exchange.Truncated)
		}
	}
	p.giveUp(at, exchange.ConnectionClosed)
	p.Q.Close(at, false)
	p.forget()
}

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.Conn.Abandon(why)
	p.giveUp(0, why)
}
