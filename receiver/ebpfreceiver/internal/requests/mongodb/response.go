package mongodb

import (
	"encoding/binary"
	"strconv"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

func word(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// reply takes a message of the server that ends in s.
func (p *Parser) reply(h *header, m *dbconn.Message, s *exchange.Segment) {
	i := p.find(h.response)
	if i < 0 || s.End < p.open[i].ex.Start {
		if !p.hold(h, m) {
			p.orphan()
		}
		return
	}
	p.sure = true
	p.answer(i, &early{header: *h, start: p.resp.first.Start, end: p.over(i, m, s), message: *m})
}

// over is when the last byte of a reply was seen. A send that cannot have waited
// is over when it begins: what its return comes later by is the scheduler's
// doing.
func (p *Parser) over(i int, m *dbconn.Message, s *exchange.Segment) uint64 {
	if !p.sink.Client() && p.open[i].ex.Sent+headerSize+m.Moved() <= buffered {
		return s.Start
	}
	return s.End
}

// answer takes a reply to the request at a place. More of them may follow: each
// answers the one before it.
func (p *Parser) answer(i int, a *early) {
	r := &p.open[i]
	m := &a.message
	p.moved(r.ex, exchange.Response, m)
	if r.ex.FirstByte == 0 {
		r.ex.FirstByte = max(a.start, r.ex.Start)
	}
	r.doubt = 0
	more := p.outcome(r, &a.header, m)
	if more && r.kind != greets {
		dbfacts.Of(r.ex).Class = exchange.Stream
		r.id = a.header.id
		return
	}
	p.finish(i, a.end, exchange.Complete)
}

// outcome reads a reply and tells whether more of them will come.
func (p *Parser) outcome(r *pending, h *header, m *dbconn.Message) (more bool) {
	f := dbfacts.Of(r.ex)
	if h.op == opReply {
		p.legacyOutcome(r, m)
		return false
	}
	if len(m.Body) < 4 {
		f.Hidden = true
		return false
	}
	f.Hidden = true // until it is seen
	if b := m.Body[4:]; len(b) > 0 && b[0] == sectionBody {
		d, _ := openDocument(b[1:])
		p.result(r, d)
	}
	return word(m.Body)&flagMoreToCome != 0
}

// legacyReply is what an OP_REPLY has before its documents: flags, a cursor, and
// which and how many documents follow.
const legacyReply = 20

// queryFailed is a flag of an OP_REPLY.
const queryFailed = 2

func (p *Parser) legacyOutcome(r *pending, m *dbconn.Message) {
	f := dbfacts.Of(r.ex)
	if len(m.Body) < legacyReply {
		f.Hidden = true
		return
	}
	d, _ := openDocument(m.Body[legacyReply:])
	switch {
	case word(m.Body)&queryFailed != 0:
		f.Failed = true
		p.result(r, d)
	case string(f.Operation) == "find" || string(f.Operation) == "getMore":
		f.Return(int64(word(m.Body[16:])))
	default:
		f.Hidden = true
		p.result(r, d)
	}
}

// result reads the document that says what became of a command.
func (p *Parser) result(r *pending, d document) {
	f := dbfacts.Of(r.ex)
	var e element
	var code, name []byte
	for d.next(&e) {
		switch string(e.key) {
		case "ok":
			if n, ok := e.number(); ok {
				f.Hidden, f.Failed = false, f.Failed || n == 0
			}
		case "code":
			code = p.code(&e)
		case "codeName":
			name = e.text()
		case "writeErrors":
			p.writeErrors(f, e.document())
		case "writeConcernError":
			p.fault(f, e.document())
		case "n":
			if n, ok := e.number(); ok && r.kind == inserts && f.Batch == 0 {
				f.Batch = int(max(0, min(n, maxMessage)))
			}
		case "cursor":
			f.Hidden = false // there is none where a command has failed
			p.cursor(r, e.document())
		}
	}
	switch {
	case !f.Failed || len(f.Status) > 0:
	case code != nil:
		f.Fail(code)
	case name != nil:
		f.Fail(name)
	default:
		f.Hidden = f.Hidden || !d.ended
	}
}

// code is the text of a number of an error, nil when it is none.
func (p *Parser) code(e *element) []byte {
	n, ok := e.number()
	if !ok {
		return nil
	}
	p.digits = strconv.AppendInt(p.digits[:0], n, 10)
	return p.digits
}

// writeErrors takes the first of the errors of single writes: how many were
// written says nothing about how many there were.
func (p *Parser) writeErrors(f *dbfacts.Facts, list document) {
	var e element
	if list.next(&e) {
		p.fault(f, e.document())
	}
}

// fault takes an error that is a document of its own.
func (p *Parser) fault(f *dbfacts.Facts, d document) {
	f.Failed = true
	var e element
	for d.next(&e) {
		if e.isKey("code") {
			if code := p.code(&e); code != nil {
				f.Fail(code)
			}
		}
	}
}

// cursor reads what a cursor returned, and remembers one that waits.
func (p *Parser) cursor(r *pending, d document) {
	var e element
	for d.next(&e) {
		switch string(e.key) {
		case "firstBatch", "nextBatch":
			if n, ok := e.document().count(); ok {
				dbfacts.Of(r.ex).Return(int64(n))
			}
		case "id":
			if id, ok := e.number(); ok && id != 0 && r.waits {
				p.proto.cursors.add(cursorAt(r.ex, id))
			}
		}
	}
}
