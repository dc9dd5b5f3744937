package postgresql

import (
	"bytes"
	"encoding/binary"

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
	switch {
	case p.Q.Adrift():
		if !p.Q.Resync(s, beginsRequest(s.Payload)) {
			return
		}
		p.forget()
	case p.fresh(s):
		p.forget()
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		if p.reqHidden {
			p.hidden(s)
			return
		}
		if p.req.Between() {
			p.since, p.taken = s.Start, 0
		}
		before := c.Left()
		m, found := p.nextRequest(&c)
		p.taken += before - c.Left()
		if p.Stopped || p.Q.Adrift() {
			return
		}
		switch found {
		case dbconn.Foreign:
			p.foreign(s)
			return
		case dbconn.Lost:
			p.reqHidden = true
			if p.building {
				p.Q.Last().Info.cut = true
			}
			p.Q.Extra()
			continue
		case dbconn.Whole:
			if p.starting {
				p.startup(&m, s)
			} else if !p.message(&m, s) {
				return
			}
			if p.Q.Len() > 0 {
				p.Q.Took(p.Q.Last(), p.taken, exchange.Request)
			}
		default:
		}
	}
}

// fresh tells whether s begins a request whatever came before it.
func (p *Parser) fresh(s *exchange.Segment) bool {
	return p.Q.Len() == 0 && !p.starting && (p.Q.Rested(s) || p.reqHidden && p.Q.MayBegin(s)) && beginsRequest(s.Payload)
}

func (p *Parser) nextRequest(c *dbconn.Cursor) (dbconn.Message, dbconn.Found) {
	if p.starting {
		return p.req.Next(c, &untyped)
	}
	return p.req.Next(c, &requests)
}

// foreign gives up bytes that are no message. A connection that begins so is
// not PostgreSQL's.
func (p *Parser) foreign(s *exchange.Segment) {
	if p.starting {
		p.Refuse()
		return
	}
	p.lose(s.End, exchange.Desynchronized)
	p.Q.Torn()
}

// hidden looks for the end of a request in bytes that are not at hand.
func (p *Parser) hidden(s *exchange.Segment) {
	if p.building && bytes.HasSuffix(s.Last(), synced) {
		p.building = false
		p.Q.Last().Info.synced = true
	}
	p.Q.Torn()
}

// startup takes a message without a type.
func (p *Parser) startup(m *dbconn.Message, s *exchange.Segment) {
	switch binary.BigEndian.Uint32(m.Head[lengthSize:]) {
	case codeCancel: // no answer
		p.Stop()
	case codeTLS:
		p.expect(asksTLS, s)
	case codeGSSAPI:
		p.expect(asksGSS, s)
	default:
		p.session(m.Body)
		p.starting = false
		p.expect(connects, s)
	}
}

// expect adds a request that is not reported.
func (p *Parser) expect(k kind, s *exchange.Segment) {
	if g := p.begin(s); g != nil {
		g.Info = group{kind: k, synced: true}
	}
}

// begin adds a request. It returns nil when its answer could not be told.
func (p *Parser) begin(s *exchange.Segment) *dbconn.Pending[group] {
	g := p.Q.Begin(s, p.since)
	if g == nil {
		p.forget()
	}
	return g
}

// session reads the parameters of a session: names and values in turn.
func (p *Parser) session(b []byte) {
	var user []byte
	for len(b) > 0 {
		name, rest, ok := cutString(b)
		value, rest, ok2 := cutString(rest)
		if !ok || !ok2 {
			break
		}
		switch string(name) {
		case "database":
			p.database = append(p.database[:0], value...)
		case "user":
			user = value
		}
		b = rest
	}
	if len(p.database) == 0 {
		p.database = append(p.database, user...)
	}
}

// message takes a message with a type. It returns false when the rest of the
// segment cannot be used.
func (p *Parser) message(m *dbconn.Message, s *exchange.Segment) bool {
	switch m.Head[0] {
	case 'Q':
		p.flushed()
		if p.building { // not allowed before Sync
			p.lose(s.End, exchange.Desynchronized)
			return false
		}
		g := p.begin(s)
		if g == nil {
			return false
		}
		g.Info.synced = true
		p.query(p.report(g, s), m)
	case 'F':
		g := p.begin(s)
		if g == nil {
			return false
		}
		g.Info.synced = true
		if f := p.report(g, s); f != nil {
			f.Operation = append(f.Operation, "FUNCTION CALL"...)
		}
	case 'P', 'B', 'E', 'D', 'C', 'H':
		return p.extended(m, s)
	case 'S':
		return p.sync(s)
	}
	return true
}

// report makes a request one that is reported.
func (p *Parser) report(g *dbconn.Pending[group], s *exchange.Segment) *dbfacts.Facts {
	f := p.Q.Report(g, s)
	if f != nil && f.System == "" {
		f.System = System
		f.Namespace = append(f.Namespace, p.database...)
	}
	return f
}

func (p *Parser) query(f *dbfacts.Facts, m *dbconn.Message) {
	if f == nil {
		return
	}
	st, parent := p.statement(bytes.TrimSuffix(m.Body, []byte{0}), m.Cut())
	f.Execute(st)
	f.Trace(parent)
}

// sync ends a group. One that nothing was asked in is answered all the same.
func (p *Parser) sync(s *exchange.Segment) bool {
	p.flushed()
	switch {
	case p.building:
		p.building = false
		p.Q.Last().Info.synced = true
	case p.swallow:
		p.swallow = false
	default:
		p.expect(asks, s)
		return !p.Q.Adrift()
	}
	return true
}

// flushed ends a request that a Flush had answered in full: the client asks on
// without a Sync, perhaps much later.
func (p *Parser) flushed() {
	if !p.building || p.Q.Len() != 1 || !p.answering || p.RespHidden || !p.resp.Between() {
		return
	}
	if info := &p.Q.First().Info; info.owed != 0 || info.opened || info.cut || info.failed {
		return
	}
	p.building = false
	p.finish()
}

// extended takes a message of the extended protocol.
func (p *Parser) extended(m *dbconn.Message, s *exchange.Segment) bool {
	p.flushed()
	if !p.building {
		if m.Head[0] == 'H' {
			return true // nothing is asked
		}
		g := p.begin(s)
		if g == nil {
			return false
		}
		p.building, g.Info.extended = true, true
	}
	g := p.Q.Last()
	if m.Head[0] != 'H' {
		g.Info.owed++
	}
	switch m.Head[0] {
	case 'P':
		p.parse(g, m, s)
	case 'B':
		g.Info.opened = true
		p.bind(m.Body)
	case 'E':
		g.Info.opened = false
		portal, _, _ := cutString(m.Body)
		if f := p.report(g, s); f != nil {
			f.Execute(p.portals.Get(portal))
		}
	case 'C':
		if name, _, ok := cutString(m.Body[min(1, len(m.Body)):]); ok && m.Body[0] == 'S' {
			p.statements.Delete(name)
		}
	}
	return true
}

// bind reads which statement a portal is for.
func (p *Parser) bind(b []byte) {
	portal, rest, ok := cutString(b)
	name, _, whole := cutString(rest)
	switch {
	case !ok: // any of them may have been replaced
		p.portals.Clear()
	case !whole:
		p.portals.Put(portal, nil)
	default:
		p.portals.Put(portal, p.statements.Get(name))
	}
}

func (p *Parser) parse(g *dbconn.Pending[group], m *dbconn.Message, s *exchange.Segment) {
	name, rest, ok := cutString(m.Body)
	if !ok { // any of them may have been replaced
		p.statements.Clear()
		if f := p.report(g, s); f != nil {
			f.Prepare(nil)
		}
		return
	}
	text, _, whole := cutString(rest)
	st, parent := p.statement(text, !whole)
	p.statements.Put(name, st)
	if len(name) > 0 {
		g.Info.parses++
		g.Info.named = string(name)
	}
	if f := p.report(g, s); f != nil {
		f.Prepare(st)
		f.Trace(parent)
	}
}
