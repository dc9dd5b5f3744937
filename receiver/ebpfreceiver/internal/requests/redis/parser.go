package redis

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request is what is remembered of a command under way.
type request struct {
	kind     kind
	answers  int  // that are expected, of subscribes
	leaves   bool // the client may go without one
	followed bool // others were sent behind it, presumably, which were not copied
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
	dbconn.Conn[request]

	args arguments
	vals values
	cmd  building
	tx   transaction
	db   []byte // number of the database; empty: not known

	replies    replies // that the client has asked for
	beginning  bool    // nothing has been seen yet
	subscribed bool    // messages may come unasked
	reqHidden  bool    // where the next command begins is not known
	uncounted  bool    // nor whether there were any
	answering  bool    // the answer to the oldest command has begun
}

// Reset implements exchange.Parser.
func (p *Parser) Reset(sink exchange.Sink, midway bool) {
	p.Restart(sink, midway)
	p.forget()
	p.beginning, p.replies = !midway, replyOn
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
	p.reqHidden, p.uncounted, p.RespHidden, p.answering = false, false, false, false
}

func (p *Parser) lose(now uint64, why exchange.Reason) {
	p.Q.Lose(now, why)
	p.forget()
	p.db = p.db[:0]
}

// replication ends the following of a connection between servers: what looks
// like commands on it is not answered.
func (p *Parser) replication() {
	p.Q.Discard()
	p.Q.Sink.Opaque(exchange.Replication)
	p.Stop()
}

// EOF implements exchange.Parser.
func (p *Parser) EOF(side exchange.Side, at uint64) {
	if side == exchange.Response {
		p.left()
	}
	p.Conn.EOF(side, at)
}

// Close implements exchange.Parser.
func (p *Parser) Close(at uint64) {
	p.left()
	p.Conn.Close(at)
}

// left ends the commands of a client that went without waiting for what does not
// matter to it any more.
func (p *Parser) left() {
	for p.Q.Len() > 0 && p.Q.First().Info.leaves && !p.answering {
		if f := p.Q.First().Facts(); f != nil {
			f.Class = exchange.OneWay
		}
		p.Q.End(exchange.Complete)
	}
}

// Gap implements exchange.Parser.
func (p *Parser) Gap(side exchange.Side, n, now uint64) {
	p.Q.Gap(side, now, p.cmd.bytes == 0 && !p.reqHidden && !p.RespHidden)
	switch {
	case p.Stopped:
	case side == exchange.Request:
		if !p.args.survives(n) {
			p.Q.Missed()
			p.lose(now, exchange.Desynchronized)
		}
	case p.vals.survives(n):
	case p.Q.Len() == 0 && !p.Q.Adrift(): // a message
		p.vals.reset()
	default:
		p.lose(now, exchange.ResponseLost)
	}
}

// report makes a command one that is reported.
func (p *Parser) report(r *dbconn.Pending[request], s *exchange.Segment) *dbfacts.Facts {
	f := p.Q.Report(r, s)
	if f != nil {
		f.System = System
		f.Namespace = append(f.Namespace, p.db...)
	}
	return f
}
