package mysql

import (
	"encoding/binary"
	"strconv"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// answer is how far the response to the oldest command has come.
type answer struct {
	begun   bool
	next    part
	number  byte   // of the last packet
	any     bool   // the next packet may have any number
	columns uint64 // definitions to come
	rows    int64
	goesOn  bool // the next packet belongs to the last one
}

// part of a response.
type part uint8

const (
	verdict     part = iota // OK, an error, or the number of columns
	definitions             // of columns
	afterwards              // the end of the definitions, where there is one
	data                    // rows, until the end
	trailing                // definitions of a prepared statement
)

// First bytes of packets that are not rows.
const (
	isOK     = 0x00
	isInfile = 0xfb
	isEOF    = 0xfe
	isError  = 0xff
)

// States of the server.
const (
	moreResults  = 1 << 3
	cursorExists = 1 << 6
)

// eofSize is the length of an EOF packet; an OK packet in its place is longer.
const eofSize = 5

// response follows a segment of the server.
func (p *Parser) response(s *exchange.Segment) {
	if p.phase == greets || p.phase == proves {
		p.welcome(s)
		return
	}
	if !p.Q.Response(s) {
		return
	}
	c := dbconn.NewCursor(s)
	for c.Left() > 0 && p.Q.Len() > 0 && !p.Stopped {
		if !p.follow(&c, s) {
			return
		}
	}
	if c.Left() > 0 && !p.Stopped {
		rest := *s
		rest.Payload, rest.Len = c.Data, c.Left()
		p.Q.Response(&rest)
	}
}

// follow walks over a part of the response to the oldest command. It returns
// false when the rest of the segment cannot be used.
func (p *Parser) follow(c *dbconn.Cursor, s *exchange.Segment) bool {
	if p.RespHidden {
		return p.followHidden(c, s)
	}
	before := c.Left()
	m, found := p.resp.Next(c, &responses)
	if found == dbconn.Lost {
		p.RespHidden = true
		return true
	}
	if found == dbconn.Whole && p.isStray(&m) {
		p.answer.begun = false
		return true
	}
	if !p.Q.Answer(s, before-c.Left(), !p.answer.begun) {
		p.forget()
		return false
	}
	p.answer.begun = true
	if found != dbconn.Whole {
		return true
	}
	if !p.take(&m) {
		p.lose(s.End, exchange.Desynchronized)
		return false
	}
	return true
}

// isStray tells whether a packet ends the definitions of the statement that was
// prepared last.
func (p *Parser) isStray(m *dbconn.Message) bool {
	number := p.stray
	p.stray = 0
	return number != 0 && m.Head[3] == number && isEOFPacket(m)
}

func isEOFPacket(m *dbconn.Message) bool {
	return m.Len == eofSize && len(m.Body) == eofSize && m.Body[0] == isEOF
}

// followHidden looks for the end of a response in bytes that are not at hand.
func (p *Parser) followHidden(c *dbconn.Cursor, s *exchange.Segment) bool {
	r := p.Q.First()
	if f := r.Facts(); f != nil {
		f.Hidden = true
	}
	if r.Info.shape == prepared {
		p.statements.Clear() // its number was not seen
	}
	if p.Q.Crowded(s) || !p.answer.begun {
		p.lose(s.End, exchange.Truncated)
		return false
	}
	p.Q.Answer(s, c.Left(), false)
	c.Drain()
	if p.answer.next == data && endsRows(s.Last()) {
		p.end()
	}
	return true
}

// endsRows tells whether the last bytes of a segment are the packet that ends
// the last result: EOF, or OK in its place.
func endsRows(b []byte) bool {
	if len(b) < exchange.TailBytes {
		return false
	}
	b = b[len(b)-exchange.TailBytes:]
	if b[0] == 0 && b[1] == 0 && b[3] == isEOF {
		return binary.LittleEndian.Uint16(b[6:])&moreResults == 0
	}
	return b[1] == isEOF && b[2] == 0 && b[3] == 0 && binary.LittleEndian.Uint16(b[4:])&moreResults == 0 && b[7] == 0
}

// end ends the oldest command.
func (p *Parser) end() {
	r := p.Q.First()
	if f := r.Facts(); f != nil && p.answer.rows > 0 && !f.Hidden {
		f.Return(p.answer.rows)
	}
	p.Q.End(exchange.Complete)
	p.answer = answer{}
	if p.RespHidden {
		p.RespHidden = false
		p.resp.Reset()
	}
}

// take takes a packet of the response. It returns false when it cannot be one.
func (p *Parser) take(m *dbconn.Message) bool {
	a := &p.answer
	a.any = a.any || p.packing.on // they count anew with the frames
	if !a.any && m.Head[3] != a.number+1 && (a.number != 0 || !p.Q.First().Info.long) {
		return false
	}
	a.number, a.any = m.Head[3], false
	continued := a.goesOn
	if a.goesOn = m.Len == maxPacket; continued {
		return true
	}
	if len(m.Body) == 0 {
		return a.next == data // a row of one empty text would have a length
	}
	if isProgress(m) {
		return true
	}
	if m.Body[0] == isError && a.next != definitions && a.next != trailing {
		p.failed(m.Body)
		p.end()
		return true
	}
	switch a.next {
	case verdict:
		return p.verdict(m)
	case definitions:
		if a.columns--; a.columns == 0 {
			a.next = afterwards
		}
	case afterwards:
		a.next = data
		if isEOFPacket(m) {
			if binary.LittleEndian.Uint16(m.Body[3:])&cursorExists != 0 {
				p.end()
			}
			return true
		}
		return p.row(m)
	case data:
		return p.row(m)
	case trailing:
		if isEOFPacket(m) {
			return true
		}
		if a.columns--; a.columns == 0 {
			p.stray = m.Head[3] + 1
			p.end()
		}
	}
	return true
}

// isProgress recognises how MariaDB tells what a long command is doing: as an
// error of an impossible number.
func isProgress(m *dbconn.Message) bool {
	return len(m.Body) >= 3 && m.Body[0] == isError && m.Body[1] == 0xff && m.Body[2] == 0xff
}

// row takes a row, or what ends the rows. It returns false when that is not at
// hand.
func (p *Parser) row(m *dbconn.Message) bool {
	switch {
	case m.Body[0] != isEOF || m.Len == maxPacket:
		p.answer.rows++
	case isEOFPacket(m):
		p.ended(binary.LittleEndian.Uint16(m.Body[3:]))
	case m.Cut():
		return false
	default:
		p.ended(okState(m.Body))
	}
	return true
}

// ended ends a result, and the response unless the state says that there is
// another one.
func (p *Parser) ended(state uint16) {
	if state&moreResults != 0 {
		p.answer.next = verdict
		return
	}
	p.end()
}

// okState returns the server's state that an OK packet tells.
func okState(b []byte) uint16 {
	_, rest, _ := cutInteger(b[1:])
	_, rest, _ = cutInteger(rest)
	if len(rest) < 2 {
		return 0
	}
	return binary.LittleEndian.Uint16(rest)
}

// verdict takes the first packet of a response, or of a further result.
func (p *Parser) verdict(m *dbconn.Message) bool {
	r, a := p.Q.First(), &p.answer
	first := m.Body[0]
	switch r.Info.shape {
	case text:
		p.end()
		return true
	case rows:
		a.next = data
		return p.row(m)
	case prepared:
		return first == isOK && p.number(m.Body)
	case login:
		a.any = true
		if first == isOK {
			p.chosen()
			p.end()
		}
		return first == isOK || first == isEOF || first == 1
	default:
	}
	switch {
	case first == isOK && m.Len >= 7 && !m.Cut():
		p.chosen()
		p.ended(okState(m.Body))
	case isEOFPacket(m): // as the answer to SET_OPTION
		p.end()
	case r.Info.shape != results:
		return false
	case first == isInfile:
		a.any = true // and then as ever
	default:
		return p.columns(m)
	}
	return true
}

// columns takes the number of columns. MariaDB may say that their definitions
// have been sent before.
func (p *Parser) columns(m *dbconn.Message) bool {
	n, rest, ok := cutInteger(m.Body)
	if !ok || n == 0 || n > 1<<16 || len(rest) > 1 || m.Cut() {
		return false
	}
	p.answer.columns, p.answer.next = n, definitions
	if len(rest) == 1 && rest[0] == 0 {
		p.answer.next = afterwards
	}
	return true
}

// number takes the number of a prepared statement, and how many definitions
// follow. Whether an EOF packet ends those is not always known; where one comes
// behind the last, it is passed over.
func (p *Parser) number(b []byte) bool {
	if len(b) < 9 {
		return false
	}
	p.statements.Put(b[1:5], p.Q.First().Info.st)
	p.answer.columns = uint64(binary.LittleEndian.Uint16(b[5:])) + uint64(binary.LittleEndian.Uint16(b[7:]))
	p.answer.next = trailing
	if p.answer.columns == 0 {
		p.end()
	}
	return true
}

// chosen follows a change of the database that went well.
func (p *Parser) chosen() {
	if name := p.Q.First().Info.database; name != "" {
		p.database = append(p.database[:0], name...)
	}
}

// failed takes an error: its number, and the SQLSTATE behind a mark.
func (p *Parser) failed(b []byte) {
	f := p.Q.First().Facts()
	if f == nil {
		return
	}
	f.Failed = true
	f.Hidden = f.Hidden || len(b) < 9 // the rest is not at hand
	if len(b) < 3 {
		return
	}
	var number [5]byte
	f.Fail(strconv.AppendUint(number[:0], uint64(binary.LittleEndian.Uint16(b[1:])), 10))
	if len(b) >= 9 && b[3] == '#' && len(f.SQLState) == 0 {
		f.SQLState = append(f.SQLState, b[4:9]...)
	}
}
