package cql

import (
	"bytes"

	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// request takes a request.
func (p *Parser) request(h *header, m *dbconn.Message, s *exchange.Segment) {
	first := &p.sides[exchange.Request].first
	st := p.streams[h.stream]
	switch {
	case st == nil:
	case st.early && first.Start <= st.ended:
		p.meet(st, first)
	case st.early:
		p.drop(st)
		st = nil
	case st.doubt != 0:
		p.finish(st, st.doubt, st.doubtWhy)
		st = nil
	default: // whose response was not seen all the same
		p.finish(st, s.End, exchange.Desynchronized)
		st = nil
	}
	if st == nil {
		if st = p.open(h.stream, first); st == nil {
			return
		}
	}
	p.took(st, envelopeHeader+m.Len, exchange.Request)
	st.opcode = h.opcode
	f := st.facts()
	f.System = System
	f.Namespace = append(f.Namespace, p.keyspace...)
	p.describe(st, f, h, m)
	if p.stopped {
		return
	}
	switch {
	case st.early: // answered already
		p.early--
		st.early = false
		p.finish(st, st.ended, exchange.Complete)
	case !p.sides[exchange.Response].inSync: // and its response may pass unseen
		p.doubts++
		st.doubt, st.doubtWhy = max(s.End, st.ex.Start), exchange.ResponseLost
	}
}

// meet joins a request with its response, which was reported first.
func (p *Parser) meet(st *stream, s *exchange.Segment) {
	ex := st.ex
	ex.Owner, ex.TID, ex.CgroupID, ex.CgroupHierarchy = s.Who.Owner, s.Who.TID, s.Who.CgroupID, s.Who.CgroupHierarchy
	ex.Start = min(s.Start, ex.FirstByte)
}

// describe tells what a request is.
func (p *Parser) describe(st *stream, f *dbfacts.Facts, h *header, m *dbconn.Message) {
	op := &operations[h.opcode]
	f.Operation = append(f.Operation, op.name...)
	st.quiet = op.quiet
	r := reader{b: p.body(h, m)}
	r.prologue(h)
	switch h.opcode {
	case opOptions:
		f.Class = exchange.Probe
	case opStartup:
		p.startup(st, h, &r)
	case opQuery:
		text, cut := r.longText()
		f.Execute(p.statement(f, text, cut))
		f.Consistency = r.consistency()
	case opPrepare:
		text, cut := r.longText()
		st.prepares = p.statement(f, text, cut)
		f.Prepare(st.prepares)
	case opExecute:
		p.execute(f, h, &r)
	case opBatch:
		p.batch(f, &r)
	}
}

// statement reads the text of a statement.
func (p *Parser) statement(f *dbfacts.Facts, text []byte, cut bool) *querytext.Statement {
	st, parent := p.proto.cache.Statement(text, querytext.CQL, cut)
	f.Trace(parent)
	return st
}

// startup reads what the client wants of the connection: names and values in
// turn.
func (p *Parser) startup(st *stream, h *header, r *reader) {
	p.starting, p.version = st.id, h.version
	for n := r.short(); n > 0 && !r.bad; n-- {
		name, value := r.text(), r.text()
		if bytes.EqualFold(name, []byte("COMPRESSION")) && len(value) > 0 && !bytes.EqualFold(value, []byte("none")) {
			p.packing = packingOf(value)
		}
	}
}

func (p *Parser) execute(f *dbfacts.Facts, h *header, r *reader) {
	f.Execute(p.proto.prepared.get(r.text()))
	if h.version == version5 {
		r.text() // the number of the description of its result
	}
	f.Consistency = r.consistency()
}

// batch reads the statements of a batch. Their number is known, even if some of
// them are not at hand.
func (p *Parser) batch(f *dbfacts.Facts, r *reader) {
	r.byte() // logged or not, or counters
	n := int(r.short())
	for range n {
		if r.bad {
			break
		}
		switch r.byte() {
		case 0:
			if text, cut := r.longText(); len(text) > 0 {
				f.Execute(p.statement(f, text, cut))
			}
		case 1:
			if number := r.text(); len(number) > 0 {
				f.Execute(p.proto.prepared.get(number))
			}
		}
		r.values(false)
	}
	f.TextCut = f.TextCut || r.bad && f.Batch < n
	f.Mixed = f.Mixed || f.TextCut
	if f.Batch = n; n == 1 {
		f.Batch = 0 // the conventions have none of one
	}
	if !f.Known() {
		f.Operation = append(f.Operation, "BATCH"...)
	}
	f.Consistency = r.consistency()
}
