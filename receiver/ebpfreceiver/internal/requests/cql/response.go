package cql

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// response takes a response, or an event, which belongs to no request.
func (p *Parser) response(h *header, m *dbconn.Message, s *exchange.Segment) {
	if h.opcode == opEvent || h.stream < 0 {
		return
	}
	first := &p.sides[exchange.Response].first
	st := p.streams[h.stream]
	switch {
	case st == nil && p.mayBeEarly(first):
		if st = p.open(h.stream, first); st == nil {
			return
		}
		st.early = true
		p.early++
	case st == nil:
		if p.missing {
			p.missing = false
			p.sink.Count(exchange.RequestLost)
		}
		return
	case st.early, s.End < st.ex.Start, !p.sink.Client() && first.Start < st.ex.Start: // another one's
		return
	case !answers(st.opcode, h.opcode):
		p.mismatched(st, s)
		return
	}
	p.certain = true
	p.took(st, envelopeHeader+m.Len, exchange.Response)
	st.ex.FirstByte = first.Start
	p.outcome(st, h, m)
	if st.early {
		st.ended = s.End
		return
	}
	if st.id == p.starting {
		p.started(h)
	}
	if !p.stopped {
		p.finish(st, p.sent(st, s), exchange.Complete)
	}
}

// mayBeEarly tells whether a response without a request may be reported before it:
// the thread that received it was faster out of its call than the one that had
// sent the request. After a loss it is more likely the response to one that was
// given up.
func (p *Parser) mayBeEarly(s *exchange.Segment) bool {
	return p.sink.Client() && p.early < maxEarly && (p.lossAt == 0 || s.Start > p.lossAt+quiet)
}

// mismatched takes a response that the request on its stream cannot have.
func (p *Parser) mismatched(st *stream, s *exchange.Segment) {
	if p.strikes++; !p.certain && p.strikes >= p.patience {
		p.refuse()
		return
	}
	p.finish(st, s.End, exchange.Desynchronized)
}

// answers tells whether a request can be answered so.
func answers(request, response byte) bool {
	switch response {
	case opError:
		return true
	case opReady:
		return request == opStartup || request == opRegister
	case opAuthenticate:
		return request == opStartup
	case opAuthChallenge, opAuthSuccess:
		return request == opAuthResponse
	case opSupported:
		return request == opOptions
	}
	return request == opQuery || request == opPrepare || request == opExecute || request == opBatch
}

// started takes the answer to STARTUP, from which on the connection may go on in
// another way.
func (p *Parser) started(h *header) {
	p.starting = -1
	if h.opcode != opReady && h.opcode != opAuthenticate {
		p.packing = packedNot
		return
	}
	if p.packing == packedUnknown || p.packing != packedNot && p.version == version5 {
		p.sink.Opaque(exchange.Compressed)
		p.stop()
		return
	}
	if p.version == version5 {
		p.sides[0].framed, p.sides[1].framed = true, true
	}
}

// Kinds of results.
const (
	resultRows     = 2
	resultKeyspace = 3
	resultPrepared = 4
)

// outcome reads a response.
func (p *Parser) outcome(st *stream, h *header, m *dbconn.Message) {
	f := st.facts()
	r := reader{b: p.body(h, m)}
	r.prologue(h)
	switch h.opcode {
	case opError:
		p.failed(f, &r)
	case opResult:
		p.result(st, f, &r)
	}
}

// failed takes an error: its number, and a message.
func (p *Parser) failed(f *dbfacts.Facts, r *reader) {
	code := uint32(r.int())
	f.Failed = true
	if f.Hidden = f.Hidden || r.bad; r.bad {
		return
	}
	const digits = "0123456789abcdef"
	f.Fail([]byte{'0', 'x', digits[code>>12&0xf], digits[code>>8&0xf], digits[code>>4&0xf], digits[code&0xf]})
}

func (p *Parser) result(st *stream, f *dbfacts.Facts, r *reader) {
	kind := r.int()
	f.RowsHidden = r.bad
	switch kind {
	case resultRows:
		if n, ok := r.rows(); ok {
			f.Return(int64(n))
		} else {
			f.RowsHidden = true
		}
	case resultKeyspace:
		if name := r.text(); len(name) > 0 {
			p.keyspace = append(p.keyspace[:0], name...)
		}
	case resultPrepared:
		p.proto.prepared.put(r.text(), st.prepares)
	}
}
