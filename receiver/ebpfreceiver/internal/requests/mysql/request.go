package mysql

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request follows a segment of the client.
func (p *Parser) request(s *exchange.Segment) {
	if p.phase != commanding {
		if p.phase == greets { // its answer to a greeting that was not seen
			p.phase = answers
		}
		p.identify(s)
		return
	}
	if p.RespHidden && p.Q.Rested(s) && beginsRequest(s.Payload, s.Len) {
		p.Q.End(exchange.Truncated) // so much is over, whatever else was under way
		p.lose(s.End, exchange.Truncated)
	}
	switch {
	case p.Q.Adrift():
		if s = p.joined(s); s == nil {
			return
		}
		if !p.Q.Resync(s, beginsRequest(s.Payload, s.Len)) {
			return
		}
		p.forget()
	case p.fresh(s):
		p.forget()
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 {
		if p.reqHidden {
			p.Q.Torn()
			return
		}
		if p.req.Between() {
			p.since, p.taken = s.Start, 0
		}
		before := c.Left()
		m, found := p.req.Next(&c, &requests)
		p.taken += before - c.Left()
		switch found {
		case dbconn.Lost:
			p.hidden()
			continue
		case dbconn.Whole:
			if !p.packet(&m, s) {
				return
			}
			if p.Q.Len() > 0 {
				p.Q.Took(p.Q.Last(), p.taken, exchange.Request)
			}
		default:
		}
	}
}

// joined puts the header of a command, which servers read by itself, before what
// follows it; nil: s is such a header.
func (p *Parser) joined(s *exchange.Segment) *exchange.Segment {
	begun := len(p.head) > 0
	if !begun && s.Len == headerSize && len(s.Payload) == headerSize && s.Payload[3] == 0 && p.Q.MayBegin(s) {
		p.head, p.headAt = append(p.head, s.Payload...), s.Start
		return nil
	}
	if !begun {
		return s
	}
	p.head = append(p.head, s.Payload...)
	whole := *s
	whole.Payload, whole.Start, whole.Len = p.head, p.headAt, s.Len+headerSize
	p.head = p.head[:0]
	return &whole
}

// fresh tells whether s begins a command whatever came before it.
func (p *Parser) fresh(s *exchange.Segment) bool {
	return p.Q.Len() == 0 && (p.Q.Rested(s) || p.reqHidden && p.Q.MayBegin(s)) && beginsRequest(s.Payload, s.Len)
}

// hidden notes that an unknown number of commands is not at hand.
func (p *Parser) hidden() {
	p.reqHidden = true
	p.database = p.database[:0] // one of them may have changed it
	p.Q.Extra()
	if p.Q.Len() == 0 || p.Q.Last().Info.shape != results { // else it may be the data of LOAD DATA
		p.Q.Sink.Count(exchange.Truncated)
	}
}

// packet takes a packet of the client. It returns false when the rest of the
// segment cannot be used.
func (p *Parser) packet(m *dbconn.Message, s *exchange.Segment) bool {
	if m.Head[3] != 0 { // goes on with what the command began: data, authentication
		return true
	}
	if m.Len == 0 || len(m.Body) == 0 || !plausible(m.Body, m.Len) {
		if m.Cut() && len(m.Body) == 0 {
			p.hidden()
			return true
		}
		p.lose(s.End, exchange.Desynchronized)
		p.Q.Torn()
		return false
	}
	c := commands[m.Body[0]]
	if c.shape == silent {
		if m.Body[0] == comClose && len(m.Body) >= 5 {
			p.statements.Delete(m.Body[1:5])
		}
		return true
	}
	if p.RespHidden && p.Q.Len() == 1 && !p.Q.Pipelined() { // the client has read all of it
		p.end()
	}
	r := p.Q.Begin(s, p.since)
	if r == nil {
		p.forget()
		return false
	}
	r.Info = request{code: m.Body[0], shape: c.shape, long: m.Len == maxPacket}
	if f := p.report(r, s); f != nil {
		p.describe(f, r, m, c.name)
	}
	if c.shape == changes {
		p.Q.End(exchange.Complete)
		p.undecoded(exchange.Replication)
		return false
	}
	return true
}

// describe tells what a command is.
func (p *Parser) describe(f *dbfacts.Facts, r *dbconn.Pending[request], m *dbconn.Message, name string) {
	switch m.Body[0] {
	case comQuery:
		sql, ok := statementText(m.Body)
		if !ok {
			f.Execute(nil)
			return
		}
		st, parent := p.statement(sql, m.Cut())
		f.Execute(st)
		f.Trace(parent)
		r.Info.database = usedDatabase(sql)
	case comPrepare:
		st, parent := p.statement(m.Body[1:], m.Cut())
		f.Prepare(st)
		f.Trace(parent)
		r.Info.st, p.prepared = st, st
	case comExecute, comBulk, comFetch:
		f.Execute(p.byNumber(m.Body))
		if m.Body[0] == comFetch {
			f.Operation = append(f.Operation, name...)
		}
	case comInitDB:
		f.Operation = append(f.Operation, name...)
		if !m.Cut() {
			r.Info.database = string(m.Body[1:])
		}
	case comPing:
		f.Class = exchange.Probe
		f.Operation = append(f.Operation, name...)
	default:
		f.Operation = append(f.Operation, name...)
	}
	switch r.Info.shape {
	case changes:
		f.Class = exchange.Stream
	case login:
		p.database = p.database[:0]
		p.statements.Clear()
		r.Info.database = loginDatabase(m.Body[1:])
	default:
	}
	if m.Body[0] == comReset {
		p.statements.Clear()
	}
}

// byNumber returns the statement that a packet names; -1 is the latest one.
func (p *Parser) byNumber(b []byte) *querytext.Statement {
	if len(b) < 5 {
		return nil
	}
	if binary.LittleEndian.Uint32(b[1:]) == 1<<32-1 {
		return p.prepared
	}
	return p.statements.Get(b[1:5])
}

func (p *Parser) statement(sql []byte, cut bool) (*querytext.Statement, string) {
	return p.proto.cache.Statement(sql, querytext.MySQL, cut)
}

// loginDatabase returns the database that a change of the user chooses, which comes
// behind its name and a proof of a length that is told.
func loginDatabase(b []byte) string {
	_, b, ok := bytes.Cut(b, []byte{0})
	if !ok || len(b) == 0 || len(b) <= int(b[0]) {
		return ""
	}
	name, _, ok := bytes.Cut(b[1+int(b[0]):], []byte{0})
	if !ok || len(name) > maxDatabase {
		return ""
	}
	return string(name)
}

// maxDatabase is the longest name of a database, in bytes.
const maxDatabase = 64 * 4

// usedDatabase returns the database that a USE statement chooses.
func usedDatabase(sql []byte) string {
	if len(sql) > maxDatabase+8 || len(sql) < 5 || !bytes.EqualFold(sql[:4], []byte("use ")) {
		return ""
	}
	return string(bytes.Trim(sql[4:], " \t\r\n;`"))
}
