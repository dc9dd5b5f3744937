package bolt

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// response follows a segment of the server.
func (p *Parser) response(s *exchange.Segment) {
	c := p.cursor(s)
	for p.phase == chooses || p.phase == offers {
		if !p.shake(&c) {
			return
		}
	}
	if p.phase != talks || p.alive(s) || !p.Q.Response(s) {
		return
	}
	for c.Left() > 0 && p.Q.Len() > 0 && !p.Stopped {
		if !p.answer(&c, s) {
			return
		}
	}
	if c.Left() > 0 && !p.Stopped {
		rest := *s
		rest.Payload, rest.Len = c.Data, c.Left()
		if !p.alive(&rest) {
			p.Q.Response(&rest)
		}
	}
}

// alive tells whether s is nothing but empty chunks, which keep a connection
// alive, or the choice of a version whose request was reported late.
func (p *Parser) alive(s *exchange.Segment) bool {
	if !p.resp.between() || p.Q.Len() > 0 || uint64(len(s.Payload)) < s.Len || len(s.Payload) == 0 {
		return false
	}
	for _, b := range s.Payload {
		if b != 0 {
			return len(s.Payload) == versionBytes && s.Payload[0] == 0 && s.Payload[3] <= maxMajor
		}
	}
	return true
}

// answer walks over a part of the answer to the oldest message. It returns false
// when the rest of the segment cannot be used.
func (p *Parser) answer(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.RespHidden {
		return p.hiddenAnswer(c, s)
	}
	if !p.certain && p.resp.between() && isForeign(c.Data) {
		p.violated(s)
		return false
	}
	atEnd(c, s)
	before := c.Left()
	b, cut, found := p.resp.next(c, &responses, maxResponse)
	switch {
	case found == dbconn.Lost:
		p.RespHidden, p.certain = true, true
		p.resp.unfinished()
		return true
	case found == dbconn.More && p.resp.between(): // an empty chunk
		return true
	}
	if !p.Q.Answer(s, before-c.Left(), !p.answering) {
		p.giveUp(s.End, exchange.Desynchronized)
		p.forget()
		return false
	}
	p.answering = true
	p.answered(p.Q.First().Info.op, s, before-c.Left())
	if found != dbconn.Whole {
		return true
	}
	m, ok := parse(b, cut)
	p.certain = p.certain || ok || cut
	if !ok || !p.take(&m) {
		p.violated(s)
		return false
	}
	return true
}

// isForeign tells whether b is too long for doubt, and no message of a server.
func isForeign(b []byte) bool {
	if len(b) < 2*chunkHeader || b[0] == 0 && b[1] == 0 {
		return false
	}
	n, _ := walk(b, false)
	return n == 0
}

// hiddenAnswer looks for the end of an answer in bytes that are not at hand: in
// the last ones of the segment.
func (p *Parser) hiddenAnswer(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.Q.Crowded(s) || p.Q.First().Info.tag == run && !p.Q.First().Info.pulls {
		p.lose(s.End, exchange.Truncated)
		return false
	}
	op := p.Q.First().Info.op
	if op != nil {
		op.unseen(p.Q.First().Info.tag)
	}
	if !p.Q.Answer(s, c.Left(), !p.answering) {
		p.giveUp(s.End, exchange.Desynchronized)
		p.forget()
		return false
	}
	p.answering = true
	p.answered(op, s, c.Left())
	c.Drain()
	last := ending(rear(s), func(tag byte) bool { return tag == success || tag == failure || tag == ignored })
	if n, m := walk(last, false); n == 1 {
		if p.Q.Beyond() { // it may answer a request that was not copied
			p.lose(s.End, exchange.Truncated)
			return false
		}
		p.RespHidden = false
		if !p.take(&m) {
			p.violated(s)
			return false
		}
	}
	return true
}

// end ends the oldest message.
func (p *Parser) end() {
	op := p.Q.First().Info.op
	p.Q.End(exchange.Complete)
	p.answering, p.RespHidden = false, false
	p.resp.reset()
	p.release(op)
}

// take takes a message of the server. It returns false when it cannot be the
// answer to the oldest one.
func (p *Parser) take(m *message) bool {
	g := p.Q.First()
	op, tag := g.Info.op, g.Info.tag
	switch m.tag {
	case record:
		if tag != pull && !g.Info.pulls {
			return false
		}
		if op != nil {
			op.rows++
		}
		return true
	case success:
		return p.succeeded(g, op, m)
	case ignored:
		p.ignored(op)
		p.end()
		return true
	case failure:
		p.failed(op, m)
		p.end()
		return true
	}
	return false
}

// ignored takes that a message was passed over, because one before it failed.
func (p *Parser) ignored(op *operation) {
	f := op.facts()
	if f == nil {
		return
	}
	f.Failed = true
	if f.Hidden = op.uncount; !op.uncount { // else its own error may not have been seen
		f.Fail([]byte("IGNORED"))
	}
	p.finish(op, exchange.Complete)
}

// failed takes an error.
func (p *Parser) failed(op *operation, m *message) {
	f := op.facts()
	if f == nil {
		return
	}
	var meta metadata
	r := reader{m.body}
	meta.read(&r)
	f.Failed = true
	f.Hidden = f.Hidden || m.cut && len(meta.code) == 0
	if len(meta.code) > 0 {
		f.Fail(meta.code)
	}
	p.finish(op, exchange.Complete)
}

// succeeded takes metadata.
func (p *Parser) succeeded(g *dbconn.Pending[request], op *operation, m *message) bool {
	var meta metadata
	r := reader{m.body}
	meta.read(&r)
	if !meta.whole && !m.cut {
		return false
	}
	switch tag := g.Info.tag; tag {
	case run:
		return p.ran(g, op, &meta)
	case pull, discard:
		if meta.fields {
			return false
		}
		p.pulled(op, &meta)
	default:
		if meta.fields {
			return false
		}
		if op != nil && op.ex != nil {
			p.finish(op, exchange.Complete)
		}
		p.passed(tag, &meta)
	}
	p.end()
	return true
}

// ran takes the answer to a query: the columns of the records to come.
func (p *Parser) ran(g *dbconn.Pending[request], op *operation, meta *metadata) bool {
	if g.Info.pulls && !meta.fields && op != nil && (op.qid == pulling || op.uncount) {
		p.pulled(op, meta) // the end of its records
		p.end()
		return true
	}
	if !meta.fields && meta.whole {
		return false
	}
	if op != nil {
		op.qid, op.columns = meta.qid, meta.columns
		if !meta.fields || meta.fieldsCut { // whether there are any is not known
			op.columns, op.uncount = true, true
		}
		named(op, meta)
	}
	if g.Info.pulls {
		if op != nil {
			op.qid = pulling
		}
		return true
	}
	p.end()
	return true
}

// pulling is the qid of a query whose PULL was not copied, once it has been
// answered.
const pulling = -2

// pulled takes the end of records.
func (p *Parser) pulled(op *operation, meta *metadata) {
	if op == nil || op.ex == nil {
		return
	}
	named(op, meta)
	if !meta.more {
		p.finish(op, exchange.Complete)
	}
}

// named notes which database an answer names, where the request did not.
func named(op *operation, meta *metadata) {
	if f := op.facts(); f != nil && len(f.Namespace) == 0 {
		f.Namespace = append(f.Namespace, meta.db...)
		f.NamespaceHidden = f.NamespaceHidden && len(meta.db) == 0
	}
}

// passed takes the success of what is no query.
func (p *Parser) passed(tag byte, meta *metadata) {
	switch tag {
	case commit, rollback, reset:
		p.settle()
		p.database = p.database[:0]
	case hello:
		p.identify(string(meta.server))
	}
}
