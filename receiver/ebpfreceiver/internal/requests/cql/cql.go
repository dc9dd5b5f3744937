// Package cql follows connections of Cassandra's native protocol, versions 3 to
// 5, which ScyllaDB and others speak, too: many requests at once on numbered
// streams, prepared statements, batches, and the segments of version 5.
//
// An exchange is one request and the response on its stream.
package cql

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// System is the value of db.system.name. Others that speak the protocol are not
// told apart from Cassandra.
const System = "cassandra"

// Protocol is Cassandra's. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16

	cache    querytext.Cache
	prepared prepared
	unpacked []byte // the last body that was
}

// DefaultBound is as much as there can be: many requests, or responses, come in
// one segment.
const DefaultBound = event.MaxPayload

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bound: DefaultBound} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "cql" }

// Signatures implements exchange.Protocol. Requests are recognised by version,
// flags and opcode, and by what the first bytes of a body of this opcode can be:
// the high bytes of lengths are 0. In segments the same stands behind a header of
// 6 bytes.
func (p *Protocol) Signatures() []event.Signature {
	const all = 0xff
	type bytes = [event.SignatureBytes]byte
	type body struct{ value, mask [2]byte } // at 9 and 10
	var (
		length = body{mask: [2]byte{all, 0}} // of a text, below 16 MiB
		short  = body{mask: [2]byte{0xf0, 0}}
		batch  = body{mask: [2]byte{0xfc, 0}}
	)
	var list []event.Signature
	add := func(at int, version, exact, opcode byte, b body) {
		s := event.Signature{Bound: p.Bound, Every: true}
		put := func(i int, value, mask byte) {
			if i += at; i < len(s.Value) {
				s.Value[i], s.Mask[i] = value, mask
			}
		}
		put(0, version, exact)
		put(1, 0, 0xe0) // flags
		put(2, 0, response)
		put(4, opcode, all)
		put(5, 0, all) // of the length
		put(9, b.value[0], b.mask[0])
		if at > 0 {
			s.Mask[2] = 0xfc // of the length of the segment
		}
		list = append(list, s)
	}
	for _, r := range []struct {
		opcode byte
		body   body
	}{{opStartup, body{mask: [2]byte{all, 0}}}, {opQuery, length}, {opPrepare, length}, {opExecute, short}, {opBatch, batch}} {
		add(0, 3, all, r.opcode, r.body)
		add(0, 4, all, r.opcode, r.body)
		if r.opcode == opStartup {
			add(0, version5, all, r.opcode, r.body)
			add(0, dse1&^1, 0xfc, r.opcode, r.body) // of DataStax
		} else {
			add(segmentHeader, version5, all, r.opcode, r.body)
		}
	}
	for _, version := range []struct{ value, mask byte }{{3, all}, {4, 0xfe}, {dse1 &^ 1, 0xfc}} {
		list = append(list, event.Signature{
			Value: bytes{0: version.value, 4: opOptions}, Mask: bytes{version.mask, 0xe0, response, 0, all, all, all, all, all},
			Bound: p.Bound, Every: true,
		})
	}
	return list
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	n := uint64(len(first))
	switch {
	case beginsBare(first, n, true), beginsSegment(first, n, true):
		return exchange.IsRequest
	case beginsBare(first, n, false) && plausibleResponse(first), beginsSegment(first, n, false):
		return exchange.IsResponse
	}
	return exchange.Foreign
}

// plausibleResponse is stricter than walk where nothing but the bytes tells what
// they are.
func plausibleResponse(b []byte) bool {
	h := parseHeader(b)
	return h.stream >= -1 && h.length <= 1<<24
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &dbfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (p *Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	parser := &Parser{proto: p, streams: make(map[int16]*stream)}
	parser.Reset(sink, false)
	return parser
}

// prepared are the statements that were prepared, by their numbers, which servers
// make of the texts: whoever prepared one, wherever, means the same.
type prepared struct {
	known map[string]*querytext.Statement
}

// Bounds of what is remembered. When there is no room, all is forgotten.
const (
	maxPrepared = 1 << 14
	maxNumber   = 32 // bytes
)

func (p *prepared) put(number []byte, st *querytext.Statement) {
	if len(number) == 0 || len(number) > maxNumber || st == nil {
		return
	}
	if p.known == nil || len(p.known) >= maxPrepared {
		p.known = make(map[string]*querytext.Statement)
	}
	p.known[string(number)] = st
}

func (p *prepared) get(number []byte) *querytext.Statement { return p.known[string(number)] }
