package redis

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request is what is remembered of a command under way.
type request struct {
	kind    kind
	answers int // that are expected, of subscribes
}

// transaction is what was sent since MULTI.
type transaction struct {
	open  bool
	start uint64
	count int
	name  []byte // of the commands
	mixed bool   // they are different ones
}

// Parser follows one connection.
type Parser struct {
	q    dbconn.Queue[request]
	args arguments
	vals values
	cmd  building
	tx   transaction
	db   []byte // number of the database; empty: not known

	beginning  bool // nothing has been seen yet
	subscribed bool // messages may come unasked
	reqHidden  bool // where the next command begins is not known
	respHidden bool // the same of the answers
	answering  bool // the answer to the oldest command has begun
	stopped    bool // the connection goes on in another way
	refused    bool // it was never of this protocol
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.q.Reset(sink, midway)
	p.forget()
	p.beginning, p.stopped, p.refused = !midway, false, false
	if p.db = p.db[:0]; !midway {
		p.db = append(p.db, '0')
	}
}

// forget loses the place on both sides.
func (p *Parser) forget() {
	p.args.reset()
	p.vals.reset()
	p.cmd.reset()
	p.tx = transaction{name: p.tx.name[:0]}
	p.beginning, p.subscribed = false, false
	p.reqHidden, p.respHidden, p.answering = false, false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.q.Lose(now, why)
	p.forget()
	p.db = p.db[:0]
}

// stop ends the following of a connection that goes on in another way.
func (p *Parser) stop() {
	p.lose(0, exchange.Desynchronized)
	p.stopped = true
}

// replication ends the following of a connection between servers: what looks
// like commands on it is not answered.
func (p *Parser) replication() {
	p.q.Discard()
	p.q.Sink.Opaque(exchange.Replication)
	p.stop()
}

// refuse ends the following of a connection of another protocol.
func (p *Parser) refuse() {
	p.q.Discard()
	p.stop()
	p.refused = true
}

// Refused implements exchange.Refuser.
func (p *Parser) Refused() bool { return p.refused }

// Open implements exchange.Parser.
func (p *Parser) Open() int { return p.q.Open() }

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
	switch {
	case p.stopped:
	case side == exchange.Request:
		if !p.args.survives(n) {
			p.q.Missed()
			p.lose(now, exchange.Desynchronized)
		}
	case p.vals.survives(n):
	case p.q.Len() == 0 && !p.q.Adrift(): // a message
		p.vals.reset()
	default:
		p.lose(now, exchange.ResponseLost)
	}
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	if side == exchange.Request {
		p.q.CallerGone(at)
		return
	}
	p.Close(at)
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) {
	p.q.Close(at, p.respHidden)
	p.forget()
}

// Tick implements exchange.Parser.
func (p *Parser) Tick(now uint64) { p.q.Tick(now) }

// Abandon implements exchange.Parser.
func (p *Parser) Abandon(why exchange.Reason) {
	p.q.Abandon(why)
	p.forget()
}

// report makes a command one that is reported.
func (p *Parser) report(r *dbconn.Pending[request], s *exchange.Segment) *dbfacts.Facts {
	f := p.q.Report(r, s)
	if f != nil {
		f.System = System
		f.Namespace = append(f.Namespace, p.db...)
	}
	return f
}
