package redis

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request follows a segment of the client.
func (p *Parser) request(s *exchange.Segment) {
	if p.RespHidden && p.answering && p.Q.Rested(s) && beginsRequest(s.Payload) {
		p.Q.End(exchange.Truncated) // so much is over, whatever else was under way
		p.lose(s.End, exchange.Truncated)
	}
	if p.reqHidden && p.readWhole() && p.Q.MayBegin(s) && beginsRequest(s.Payload) {
		p.end()
	}
	switch {
	case p.Q.Adrift():
		if !p.Q.Resync(s, beginsRequest(s.Payload)) {
			return
		}
		p.forget()
	case p.fresh(s):
		p.args.reset()
		p.vals.reset()
		p.cmd.reset()
		p.reqHidden, p.RespHidden = false, false
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		if p.reqHidden {
			p.Q.Torn()
			return
		}
		if p.cmd.bytes == 0 {
			p.cmd.start = s.Start
		}
		before := c.Left()
		found := p.args.next(&c)
		p.cmd.bytes += before - c.Left()
		switch found {
		case dbconn.Foreign:
			if p.beginning {
				p.Refuse()
				return
			}
			p.lose(s.End, exchange.Desynchronized)
			p.Q.Torn()
			return
		case dbconn.Lost:
			if !p.hidden(s, p.cmd.bytes < s.Len-c.Left()) {
				return
			}
			continue
		case dbconn.Whole:
			p.beginning = false
			whole := uint64(len(p.args.text)) == p.args.size
			if p.args.index == 1 && !whole { // it may be any command
				p.cmd.reset()
				p.hidden(s, true)
				continue
			}
			p.cmd.argument(&p.args, p.args.text, whole)
			if p.args.index == p.args.count && !p.command(s) {
				return
			}
		default:
		}
	}
}

// readWhole tells whether a client that sends a command now must have read the whole
// answer to the only one under way.
func (p *Parser) readWhole() bool {
	return p.RespHidden && p.answering && p.Q.Len() == 1 && !p.Q.Pipelined()
}

// fresh tells whether s begins a command whatever came before it.
func (p *Parser) fresh(s *exchange.Segment) bool {
	return p.Q.Len() == 0 && (p.Q.Rested(s) || p.reqHidden && p.Q.MayBegin(s)) && beginsRequest(s.Payload)
}

// hidden notes that an unknown number of commands are not at hand. Of the first of
// them the name may be known, and that the next answer is to it: nearly always it is
// the only one, with many arguments; not where others were sent before it by the same
// call. It returns false when the rest of the segment cannot be used.
func (p *Parser) hidden(s *exchange.Segment, several bool) bool {
	if named := len(p.cmd.name) > 0 && !p.tx.open && p.cmd.spec.kind.harmless(); named {
		p.cmd.cut = true
		if !p.command(s) {
			return false
		}
		if p.uncounted = true; p.Q.Len() > 0 {
			p.Q.Last().Info.followed = several
		}
	} else {
		p.Q.Sink.Count(exchange.Truncated)
	}
	p.reqHidden, p.beginning = true, false
	p.args.reset()
	p.cmd.reset()
	p.db = p.db[:0] // one of them may have changed it
	p.tx = transaction{name: p.tx.name[:0]}
	p.Q.Extra()
	return true
}

// surplus takes an answer to a command behind one that was not copied to its end.
func (p *Parser) surplus() {
	if p.uncounted && p.Q.Beyond() {
		p.Q.Sink.Count(exchange.Truncated)
	}
	p.uncounted = false
}

// command takes a command that is complete. It returns false when the rest of
// the segment cannot be used.
func (p *Parser) command(s *exchange.Segment) bool {
	defer p.cmd.reset()
	b := &p.cmd
	switch {
	case b.spec.kind == replicates:
		p.replication()
		return false
	case p.unanswered():
		p.oneWay(s)
		return true
	}
	if p.readWhole() {
		p.end()
	}
	r := p.Q.Begin(s, b.start)
	if r == nil {
		p.forget()
		return false
	}
	r.Info = request{kind: b.spec.kind, answers: max(p.args.count-1, 1), leaves: b.spec.leaves}
	switch {
	case b.spec.kind == begins:
		p.tx = transaction{open: true, start: b.start, name: p.tx.name[:0]}
		return true
	case p.tx.open && (b.spec.kind == executes || b.spec.kind == discards):
		p.transaction(r, s)
		return true
	case p.tx.open:
		p.tx.add(b.name)
		return true
	}
	f := p.report(r, s)
	if f == nil {
		return true
	}
	p.Q.Took(r, b.bytes, exchange.Request)
	p.describe(f)
	p.changes()
	return true
}

// describe tells what the command is.
func (p *Parser) describe(f *dbfacts.Facts) {
	b := &p.cmd
	f.Operation = append(f.Operation, b.name...)
	f.Text = append(f.Text, b.text...)
	f.TextCut = b.cut
	f.Procedure = append(f.Procedure, b.script...)
	f.Class = b.spec.class
	if b.waits {
		f.Class = exchange.Wait
	}
	if !isName(f.Operation) {
		f.Operation = append(f.Operation[:0], "_OTHER"...)
		f.Text = f.Text[:0]
	}
}

// changes follows what a command does to the connection.
func (p *Parser) changes() {
	switch p.cmd.spec.kind {
	case selects:
		p.db = p.db[:0]
		if n, ok := dbconn.Number(p.cmd.db); ok && n >= 0 {
			p.db = append(p.db, p.cmd.db...)
		}
	case resets:
		p.db = append(p.db[:0], '0')
		p.subscribed = false
	case subscribes:
		p.subscribed = true
	default:
	}
}

// add takes a command of the transaction.
func (t *transaction) add(name []byte) {
	switch {
	case t.count == 0:
		t.name = append(t.name[:0], name...)
	case string(t.name) != string(name):
		t.mixed = true
	}
	t.count++
}

// transaction makes an exchange of what was sent since MULTI.
func (p *Parser) transaction(r *dbconn.Pending[request], s *exchange.Segment) {
	r.Start = p.tx.start
	if f := p.report(r, s); f != nil {
		f.Operation = append(f.Operation, "MULTI"...)
		if p.cmd.spec.kind == discards {
			f.Operation = append(f.Operation[:0], p.cmd.name...)
		} else if p.tx.count > 0 && !p.tx.mixed && isName(p.tx.name) {
			f.Operation = append(f.Operation, ' ')
			f.Operation = append(f.Operation, p.tx.name...)
		}
		f.Batch = p.tx.count
	}
	p.tx.open = false
}
