package bolt

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// operation is an exchange under way. A query outlives its RUN: it is under way
// as long as records of its result are left, also while nobody asks for them.
type operation struct {
	ex      *exchange.Exchange // nil when it has ended
	waiting int                // messages under way that belong to it
	last    uint64             // when the last byte of an answer to it was seen
	qid     int64              // by which a transaction names its result; -1 when it is not known
	rows    int64
	columns bool // its records have any
	uncount bool // records were not seen
	quiet   bool // reported only if it fails
	asked   bool // its records were asked for
}

// request is what is remembered of a message under way.
type request struct {
	tag byte
	op  *operation // nil: it belongs to none that is known
	// pulls says of a RUN that the PULL behind it was not copied.
	pulls bool
}

// maxOperations bounds the results of one connection that are left unfinished.
const maxOperations = 64

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

// unseen notes that records were not seen, nor perhaps, if the answer to RUN was
// not either, whether they have columns.
func (op *operation) unseen(tag byte) {
	op.columns = op.columns || tag == run && !op.uncount && op.qid != pulling
	op.uncount = true
}

// facts returns what is known of an operation, nil when it has ended or is not
// reported.
func (op *operation) facts() *dbfacts.Facts {
	if op == nil || op.ex == nil {
		return nil
	}
	return dbfacts.Of(op.ex)
}

// open begins an operation with a message under way.
func (p *Parser) open(g *dbconn.Pending[request], s *exchange.Segment) *operation {
	f := p.Q.Report(g, s)
	if f == nil {
		return nil
	}
	f.System = p.system
	if len(p.ops) >= maxOperations {
		p.finish(p.ops[0], exchange.Complete)
	}
	var op *operation
	if n := len(p.free); n > 0 {
		op, p.free = p.free[n-1], p.free[:n-1]
	} else {
		op = new(operation)
	}
	*op = operation{ex: g.Ex, waiting: 1, last: g.Start, qid: -1}
	g.Ex, g.Info.op = nil, op // the queue ends messages, not operations
	p.ops = append(p.ops, op)
	return op
}

// took adds bytes to an operation.
func (p *Parser) took(op *operation, n uint64, side exchange.Side) {
	switch {
	case op == nil || op.ex == nil:
	case p.Q.Sink.Client() == (side == exchange.Request):
		op.ex.Sent += n
	default:
		op.ex.Received += n
	}
}

// answered notes bytes of an answer to an operation.
func (p *Parser) answered(op *operation, s *exchange.Segment, n uint64) {
	if op == nil || op.ex == nil {
		return
	}
	if op.ex.FirstByte == 0 {
		op.ex.FirstByte = s.Start
	}
	p.took(op, n, exchange.Response)
	// A send that cannot have waited is over when it begins: what its return
	// comes later by is the scheduler's doing.
	op.last = s.End
	if !p.Q.Sink.Client() && op.ex.Sent <= buffered {
		op.last = s.Start
	}
}

// finish ends an operation.
func (p *Parser) finish(op *operation, why exchange.Reason) { p.finishAt(op, op.last, why) }

func (p *Parser) finishAt(op *operation, end uint64, why exchange.Reason) {
	ex := op.ex
	if ex == nil {
		return
	}
	for i := range p.ops {
		if p.ops[i] == op {
			p.ops = append(p.ops[:i], p.ops[i+1:]...)
			break
		}
	}
	op.ex = nil
	if p.latest == op {
		p.latest = nil
	}
	p.recycle(op)
	f := dbfacts.Of(ex)
	if !f.Known() || op.quiet && !f.Failed {
		p.Q.Sink.Drop(ex)
		return
	}
	if op.columns && why == exchange.Complete && !f.Failed {
		if f.RowsHidden = op.uncount; !op.uncount {
			f.Return(op.rows)
		}
	}
	ex.End, ex.Incomplete, ex.Class = max(end, ex.Start, ex.FirstByte), why, f.Class
	p.Q.Sink.Done(ex)
}

// recycle keeps an operation for the next use when nothing refers to it.
func (p *Parser) recycle(op *operation) {
	if op.ex == nil && op.waiting == 0 && len(p.free) < maxOperations {
		p.free = append(p.free, op)
	}
}

// release ends a message of an operation.
func (p *Parser) release(op *operation) {
	if op == nil {
		return
	}
	op.waiting--
	p.recycle(op)
}

// settle ends the results that nobody asks for any more: those that no message
// under way belongs to.
func (p *Parser) settle() {
	for i := 0; i < len(p.ops); {
		switch op := p.ops[i]; {
		case op.waiting > 0:
			i++
		case op.asked:
			p.finish(op, exchange.Complete)
		default:
			p.finish(op, exchange.Truncated)
		}
	}
}

// result finds the operation that a PULL or DISCARD is for: the latest query's,
// unless it names another one.
func (p *Parser) result(qid int64) *operation {
	if qid < 0 {
		return p.latest
	}
	for _, op := range p.ops {
		if op.qid == qid {
			return op
		}
	}
	return nil
}
