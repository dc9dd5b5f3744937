package bolt

import (
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request follows a segment of the client.
func (p *Parser) request(s *exchange.Segment) {
	c := p.cursor(s)
	if p.phase != talks && !p.propose(&c) {
		return
	}
	p.overtake(s)
	begins := beginsRequest(s.Payload)
	if p.reqHidden && p.Q.MayBegin(s) && (begins || isShort(s)) {
		p.resume(reset)
	}
	switch {
	case p.Q.Adrift():
		if !p.Q.Resync(s, begins) {
			return
		}
		p.forget()
	case p.fresh(s) && (begins || isShort(s)):
		p.forget()
	}
	for c.Left() > 0 && !p.Stopped && !p.Q.Adrift() {
		if p.reqHidden {
			p.unreadable(s)
			return
		}
		atEnd(&c, s)
		if p.req.between() {
			p.since = s.Start
		}
		before := c.Left()
		b, cut, found := p.req.next(&c, &requests, maxRequest)
		switch found {
		case dbconn.Lost:
			p.hidden(&c, s)
		case dbconn.Whole:
			p.message(b, cut, before-c.Left(), s)
		default:
		}
	}
}

// propose takes what a client says before messages. It returns false when the
// rest of the segment is of no interest.
func (p *Parser) propose(c *dbconn.Cursor) bool {
	for p.phase == proposes || p.phase == settles {
		if !p.shake(c) {
			return false
		}
	}
	if p.phase != talks { // what the server chose was not reported yet, or was lost
		if !beginsRequest(c.Data) {
			return false
		}
		p.phase, p.hands = talks, p.hands[:0]
	}
	return true
}

// cursor returns a cursor at the beginning of a segment, whose first and last
// bytes may be all of it.
func (p *Parser) cursor(s *exchange.Segment) dbconn.Cursor {
	c := dbconn.NewCursor(s)
	if n := uint64(len(s.Tail)); c.Unseen > 0 && c.Unseen <= n && len(c.Data) > 0 {
		p.joined = append(append(p.joined[:0], c.Data...), s.Tail[n-c.Unseen:]...)
		c = dbconn.Cursor{Data: p.joined}
	}
	return c
}

// atEnd goes on with the last bytes of a segment when those between were walked
// over.
func atEnd(c *dbconn.Cursor, s *exchange.Segment) {
	if n := uint64(len(s.Tail)); len(c.Data) == 0 && c.Unseen > 0 && c.Unseen <= n {
		c.Data, c.Unseen = s.Tail[n-c.Unseen:], 0
	}
}

// overtake gives up an answer whose end was not seen when the client goes on
// after a rest: so much is over, whatever else was under way.
func (p *Parser) overtake(s *exchange.Segment) {
	if !p.RespHidden || !p.answering || p.Q.Len() == 0 || !p.Q.Rested(s) || !beginsRequest(s.Payload) {
		return
	}
	if op := p.Q.First().Info.op; op != nil && op.ex != nil {
		p.finish(op, exchange.Truncated)
	}
	p.lose(s.End, exchange.Truncated)
}

// resume ends an answer whose end was not seen when the client, which waits for
// answers, goes on with a message: it has read all of it.
func (p *Parser) resume(tag byte) {
	if !p.RespHidden || !p.answering || p.Q.Len() != 1 || p.Q.Pipelined() {
		return
	}
	if op := p.Q.First().Info.op; op != nil && op.ex != nil {
		op.unseen(p.Q.First().Info.tag)
		if tag != pull && tag != discard { // else it goes on
			op.facts().Hidden = true
			p.finish(op, exchange.Complete)
		}
	}
	p.end()
}

// fresh tells whether a request may begin with s whatever came before it.
func (p *Parser) fresh(s *exchange.Segment) bool {
	return p.Q.Len() == 0 && (p.Q.Rested(s) && !p.req.between() || p.reqHidden && p.Q.MayBegin(s))
}

// isShort tells whether a segment has too few bytes to tell whether a message
// begins with it.
func isShort(s *exchange.Segment) bool {
	const least = chunkHeader + 2
	n := len(s.Payload)
	return s.Len < least && uint64(n) == s.Len && (n <= chunkHeader || s.Payload[chunkHeader]>>4 == structNibble)
}

// unreadable takes bytes of the client of which it is not known where messages
// begin in them. When an answer whose end was not seen had begun, they may be
// about another one already.
func (p *Parser) unreadable(s *exchange.Segment) {
	if p.RespHidden && p.answering {
		p.lose(s.End, exchange.Truncated)
	}
	p.Q.Torn()
}

// hidden takes bytes of the client that are not at hand: an unknown number of
// messages, unless the last bytes of the segment tell how it ends.
func (p *Parser) hidden(c *dbconn.Cursor, s *exchange.Segment) {
	if b := p.req.unfinished(); b != nil {
		p.message(b, true, uint64(len(b)), s)
	}
	if p.Stopped || p.Q.Adrift() {
		return
	}
	last := ending(s.Tail, func(tag byte) bool { return tag == pull || tag == discard })
	if last != nil && uint64(len(last)) <= c.Unseen && p.Q.Len() > 0 && p.Q.Last().Info.tag == run {
		c.Data, c.Unseen = last, 0
		return
	}
	c.Drain()
	p.reqHidden, p.certain = true, true
	if p.RespHidden && p.answering {
		p.unreadable(s)
		return
	}
	if p.Q.Len() > 0 && p.Q.Last().Info.tag == run { // which clients send together with a PULL
		last := &p.Q.Last().Info
		last.pulls = true
		if last.op != nil {
			last.op.asked = true
		}
	}
	p.Q.Extra()
}

// together tells whether clients send a message at once with the one before it,
// so that the time between the two says nothing.
func together(before, tag byte) bool {
	switch before {
	case hello, begin, telemetry, logoff:
		return true
	case run:
		return tag == pull || tag == discard
	case reset:
		return tag != reset
	}
	return false
}

// message takes a message of the client that is n bytes long.
func (p *Parser) message(b []byte, cut bool, n uint64, s *exchange.Segment) {
	m, ok := parse(b, cut)
	if !ok || !shapes[m.tag].asks {
		p.certain = p.certain || cut
		p.violated(s)
		return
	}
	if m.tag == goodbye {
		return
	}
	p.resume(m.tag)
	since := p.since
	if p.Q.Len() > 0 && together(p.Q.Last().Info.tag, m.tag) {
		since = min(since, p.Q.Last().Start)
	}
	g := p.Q.Begin(s, since)
	if g == nil {
		p.lose(s.End, exchange.Desynchronized)
		return
	}
	g.Start = min(p.since, s.Start)
	g.Info.tag = m.tag
	var op *operation
	switch m.tag {
	case run:
		op = p.runs(g, &m, s)
	case pull, discard:
		op = p.pulls(g, &m)
	case begin, commit, rollback, route, hello, logon:
		op = p.other(g, &m, s)
	}
	g.Start = min(g.Start, since) // by which the queue tells what was sent later
	p.took(op, n, exchange.Request)
}

// runs takes a query: its text, parameters, and metadata.
func (p *Parser) runs(g *dbconn.Pending[request], m *message, s *exchange.Segment) *operation {
	p.latest = nil
	op := p.open(g, s)
	if op == nil {
		return nil
	}
	p.latest = op
	f := op.facts()
	r := reader{m.body}
	text, whole := r.text()
	st, parent := p.proto.cache.Statement(text, querytext.Cypher, !whole)
	f.Execute(st)
	f.Trace(parent)
	var meta metadata
	if whole && r.skip() {
		meta.read(&r)
	}
	f.Namespace = append(f.Namespace, meta.db...)
	if len(meta.db) == 0 {
		f.Namespace = append(f.Namespace, p.database...)
		f.NamespaceHidden = !meta.whole && m.cut && len(p.database) == 0
	}
	return op
}

// pulls takes a request for records, or to throw them away.
func (p *Parser) pulls(g *dbconn.Pending[request], m *message) *operation {
	meta := metadata{qid: -1}
	if r := (reader{m.body}); len(m.body) > 0 {
		meta.read(&r)
	}
	op := p.result(meta.qid)
	if op != nil {
		g.Info.op = op
		op.waiting++
		op.asked = true
	}
	return op
}

// other takes a message that is an operation of its own.
func (p *Parser) other(g *dbconn.Pending[request], m *message, s *exchange.Segment) *operation {
	op := p.open(g, s)
	if op == nil {
		return nil
	}
	f := op.facts()
	f.Operation = append(f.Operation, shapes[m.tag].name...)
	op.quiet = m.tag == hello || m.tag == logon
	r := reader{m.body}
	switch m.tag {
	case begin:
		var meta metadata
		meta.read(&r)
		p.database = append(p.database[:0], meta.db...)
	case route:
		var meta metadata
		r.skip() // where it wants to go
		if r.skip() {
			meta.read(&r)
		}
		f.Namespace = append(f.Namespace, meta.db...)
		return op
	}
	f.Namespace = append(f.Namespace, p.database...)
	return op
}
