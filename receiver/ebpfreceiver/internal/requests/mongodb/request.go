package mongodb

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Kinds of the sections of an OP_MSG.
const (
	sectionBody     = 0
	sectionSequence = 1
)

// request takes a message of the client that ends in s.
func (p *Parser) request(h *header, m *dbconn.Message, s *exchange.Segment) {
	if h.op == opKill { // nothing answers it, and nobody waits for it
		return
	}
	ex := p.sink.New(&p.req.first)
	if ex == nil {
		return
	}
	r := pending{id: h.id, ex: ex}
	p.moved(ex, exchange.Request, m)
	f := dbfacts.Of(ex)
	f.System = System
	answered, ok := p.read(&r, h, m)
	switch {
	case !ok && !p.sure:
		p.sink.Drop(ex)
		p.foreign(s)
	case !f.Known(): // it lies beyond what was copied
		p.sink.Drop(ex)
		p.sink.Count(exchange.Truncated)
	case !answered:
		p.sure, p.missed = true, false
		f.Class = exchange.OneWay
		p.done(ex, s.End, exchange.Complete)
	default:
		p.sure, p.missed = true, false
		p.add(r)
		p.replay(&r)
	}
}

// moved adds the bytes of a message to its exchange.
func (p *Parser) moved(ex *exchange.Exchange, side exchange.Side, m *dbconn.Message) {
	if p.sink.Client() == (side == exchange.Request) {
		ex.Sent += headerSize + m.Moved()
	} else {
		ex.Received += headerSize + m.Moved()
	}
}

// read finds out what a request asks for. answered: a reply will come. ok is
// false when the message cannot be one of MongoDB's.
func (p *Parser) read(r *pending, h *header, m *dbconn.Message) (answered, ok bool) {
	if h.op != opMsg {
		return p.readLegacy(r, h, m)
	}
	if len(m.Body) < 4 {
		return true, m.Cut()
	}
	flags := word(m.Body)
	b := m.Body[4:]
	if flags&flagChecksum != 0 && !m.Cut() {
		b = b[:len(b)-4]
	}
	return flags&flagMoreToCome == 0, p.sections(r, b) || m.Cut()
}

// sections reads the sections of an OP_MSG: one document, and sequences of the
// documents of one of its fields.
func (p *Parser) sections(r *pending, b []byte) (ok bool) {
	f := dbfacts.Of(r.ex)
	p.text.dst, f.TextCut = p.text.dst[:0], true // until the command is seen to its end
	for ok = len(b) > 0; ok && len(b) > 0; {
		size := 0
		switch b[0] {
		case sectionBody:
			var d document
			if d, size = openDocument(b[1:]); size > 0 {
				ok = p.command(r, d)
			}
		case sectionSequence:
			size = p.sequence(f, b[1:])
		}
		if size == 0 {
			return false
		}
		b = b[min(1+size, len(b)):]
	}
	if len(p.text.dst) > 0 {
		f.Text, f.TextCut = append(f.Text, p.text.end()...), f.TextCut || p.text.cut
	}
	return ok
}

// command reads the document of a command, whose first field names it.
func (p *Parser) command(r *pending, d document) bool {
	f := dbfacts.Of(r.ex)
	var e element
	if !d.next(&e) {
		return false
	}
	c := lookUp(e.key)
	if c == nil {
		return false
	}
	f.Operation = append(f.Operation[:0], e.key...)
	f.Class, r.kind = c.class, c.kind
	p.subject(r, c, &e)
	for d.next(&e) {
		p.field(r, c, &e)
	}
	f.TextCut = !d.ended
	p.text.cut = p.text.cut || f.TextCut
	return true
}

// subject reads the value of the first field: what the command is about.
func (p *Parser) subject(r *pending, c *command, e *element) {
	f := dbfacts.Of(r.ex)
	switch {
	case c.collection:
		f.Collection = append(f.Collection[:0], e.text()...)
		if c.text {
			p.text.begin(c.name, f.Collection)
		}
	case c.kind == fetches:
		if id, ok := e.number(); ok && p.proto.cursors.has(cursorAt(r.ex, id)) {
			f.Class = exchange.Wait
		}
	case c.kind == explains:
		var inner element
		if d := e.document(); d.next(&inner) {
			if what := lookUp(inner.key); what != nil && what.collection {
				f.Collection = append(f.Collection[:0], inner.text()...)
			}
		}
	}
}

// field reads a further field of a command.
func (p *Parser) field(r *pending, c *command, e *element) {
	f := dbfacts.Of(r.ex)
	switch string(e.key) {
	case "$db":
		f.Namespace = append(f.Namespace[:0], e.text()...)
	case "collection":
		if c.kind == fetches {
			f.Collection = append(f.Collection[:0], e.text()...)
		}
	case "tailable":
		r.waits = r.waits || c.kind == queries && e.isTrue()
	case "maxTimeMS": // of a fetch it says how long to wait for something to come
		if c.kind == fetches {
			f.Class = exchange.Wait
		}
	case "maxAwaitTimeMS":
		if c.kind == greets {
			f.Class = exchange.Wait
		}
	case "pipeline":
		r.waits = r.waits || watches(e.document())
	case "documents", "updates", "deletes":
		if n, ok := e.document().count(); ok && e.kind == kindArray && sequences[string(e.key)] == c.name {
			f.Batch = n
		}
	}
	if c.text && shown[string(e.key)] {
		p.text.field(e)
	}
}

// watches tells whether a pipeline begins with a stream of changes.
func watches(pipeline document) bool {
	var stage, first element
	if !pipeline.next(&stage) {
		return false
	}
	d := stage.document()
	return d.next(&first) && first.isKey("$changeStream")
}

// sequence reads a sequence of documents: its length, its name, and the
// documents. It returns the length, 0 when it is none.
func (p *Parser) sequence(f *dbfacts.Facts, b []byte) int {
	if len(b) < 4 {
		return 0
	}
	size := word(b)
	if size < minDocument || size > maxMessage {
		return 0
	}
	whole := int(size) <= len(b)
	name, docs, ok := bytes.Cut(b[4:min(int(size), len(b))], []byte{0})
	if !ok {
		return int(size)
	}
	if operation := sequences[string(name)]; operation != "" {
		if len(f.Operation) == 0 { // the command comes behind its documents, or not at all
			f.Operation = append(f.Operation, operation...)
		}
		p.documents(f, name, docs, whole)
	}
	return int(size)
}

// documents counts those of a sequence, and shows the first.
func (p *Parser) documents(f *dbfacts.Facts, name, docs []byte, whole bool) {
	first, _ := openDocument(docs)
	n, rest := 0, docs
	for len(rest) > 0 {
		_, size := openDocument(rest)
		if size == 0 {
			whole = false
			break
		}
		n++
		rest = rest[min(size, len(rest)):]
	}
	if whole {
		f.Batch = n
	}
	if len(p.text.dst) > 0 && shown[string(name)] {
		p.text.sequence(name, first, n > 1 || !whole)
	}
}

// readLegacy reads the messages of older drivers. Commands are queries of a
// collection that does not exist.
func (p *Parser) readLegacy(r *pending, h *header, m *dbconn.Message) (answered, ok bool) {
	what, known := legacy[h.op]
	if !known || len(m.Body) < 4 {
		return false, m.Cut()
	}
	name, rest, found := bytes.Cut(m.Body[4:], []byte{0})
	database, collection, dotted := bytes.Cut(name, []byte{'.'})
	if !found || !dotted {
		return what.answered, m.Cut() && !found
	}
	f := dbfacts.Of(r.ex)
	f.Namespace = append(f.Namespace, database...)
	if h.op != opQuery || string(collection) != "$cmd" {
		f.Operation = append(f.Operation, what.operation...)
		f.Collection = append(f.Collection, collection...)
		return what.answered, true
	}
	if len(rest) < 8 { // how many to skip, and to return
		return true, m.Cut()
	}
	d, size := openDocument(rest[8:])
	ok = size > 0 && p.command(r, unwrapped(d))
	p.text.dst = p.text.dst[:0]
	return true, ok || m.Cut()
}

// unwrapped returns the command of a document that has preferences beside it.
func unwrapped(d document) document {
	inner, e := d, element{}
	if inner.next(&e) && (e.isKey("$query") || e.isKey("query")) && e.kind == kindDocument {
		return e.document()
	}
	return d
}
