// Package bolt follows connections of Bolt, the protocol of Neo4j and of other
// graph databases: the agreement on a version, messages in chunks, several
// results of a transaction that are fetched in turns, and results beyond what
// the kernel copies.
//
// An exchange is a query from RUN to the end of its last PULL or DISCARD. The
// beginning and the end of a transaction are exchanges of their own.
package bolt

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Values of db.system.name. Only the beginning of a connection tells them apart:
// one that was joined later is Neo4j's.
const (
	Neo4j    = "neo4j"
	Memgraph = "memgraph"
	FalkorDB = "falkordb"
)

// Protocol is Bolt. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16

	cache querytext.Cache
}

// DefaultBound has the kernel copy the end of long segments, too: it tells how a
// result ended.
const DefaultBound = event.MaxPayload

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bound: DefaultBound} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "bolt" }

// Signatures implements exchange.Protocol. Connections are recognised by the
// proposal of versions, older ones by messages: the length of the first chunk, a
// marker, a tag, and how the first field begins.
func (p *Protocol) Signatures() []event.Signature {
	const (
		all   = 0xff
		upper = 0xf0 // the kind of a short value
		ascii = 0x80 // with 0: a byte below 0x80
	)
	type bytes = [event.SignatureBytes]byte
	list := []event.Signature{
		{Value: bytes([]byte(magic + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")), Mask: bytes{all, all, all, all, all}},
		// RUN, whose text has a length in its marker, in one byte, in two.
		{Value: bytes{2: 0xb3, 3: run, 4: 0x80}, Mask: bytes{all, upper, all, all, upper, ascii, ascii, ascii, ascii}},
		{Value: bytes{2: 0xb3, 3: run, 4: 0xd0}, Mask: bytes{upper, 0, all, all, all, 0, ascii, ascii, ascii, ascii, ascii, ascii}},
		{Value: bytes{2: 0xb3, 3: run, 4: 0xd1}, Mask: bytes{upper, 0, all, all, all, upper, 0, ascii, ascii, ascii, ascii, ascii}},
		// BEGIN: no metadata, or a map that begins with a short name.
		{Value: bytes{1: 3, 2: 0xb1, 3: begin, 4: 0xa0}, Mask: bytes{all, all, all, all, all, all, all}},
		{Value: bytes{2: 0xb1, 3: begin, 4: 0xa0, 5: 0x80}, Mask: bytes{upper, 0, all, all, upper, upper, ascii, ascii}},
		// What ends a transaction, or makes a pooled connection anew.
		{Value: bytes{1: 2, 2: 0xb0, 3: commit}, Mask: bytes{all, all, all, 0xfe, all, all}},
		{Value: bytes{1: 2, 2: 0xb0, 3: reset}, Mask: bytes{all, all, all, all, all, all}},
	}
	for i := range list {
		list[i].Bound, list[i].Every = p.Bound, true
	}
	return list
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	switch {
	case len(first) >= len(magic) && string(first[:len(magic)]) == magic:
		return exchange.IsRequest
	case beginsRequest(first):
		return exchange.IsRequest
	}
	if n, m := walk(first, false); n > 0 && m.tag != record {
		return exchange.IsResponse
	}
	return exchange.Foreign
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &dbfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (p *Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	parser := &Parser{proto: p}
	parser.Follow(sink, dbconn.Steps{Request: parser.request, Response: parser.response, Lose: parser.lose, End: parser.forget})
	return parser
}
