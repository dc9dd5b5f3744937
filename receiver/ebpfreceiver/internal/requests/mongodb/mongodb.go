// Package mongodb follows connections of MongoDB's wire protocol: commands in
// OP_MSG, the OP_QUERY that old drivers and handshakes begin with, document
// sequences, compressed messages, writes that are not acknowledged, cursors that wait, and replies
// beyond what the kernel copies.
//
// An exchange is one command. Each reply names the request that it answers, so
// that requests may overtake each other, and nothing is mixed up where records
// are lost.
package mongodb

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/unpack"
)

// System is db.system.name.
const System = "mongodb"

// Protocol is MongoDB's. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16

	cursors  cursors // that wait for what is to come
	streams  unpack.Streams
	unpacked []byte // the last message that was
}

// DefaultBound is enough for most commands without the documents that they
// insert, and for the beginning of any reply.
const DefaultBound = 2048

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bound: DefaultBound} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return System }

// Signatures implements exchange.Protocol: a length below 64 MiB, and the kind
// of a message where it must be. What OP_QUERY begins answers nothing.
func (p *Protocol) Signatures() []event.Signature {
	const exact = 0xff
	sig := func(op opcode, mask [event.SignatureBytes]byte) event.Signature {
		s := event.Signature{Mask: mask, Bound: p.Bound, Every: true}
		s.Mask[3] = 0xfc
		for i := opcodeAt; i < headerSize; i++ {
			s.Mask[i] = exact
		}
		binary.LittleEndian.PutUint32(s.Value[opcodeAt:], uint32(op))
		return s
	}
	asks := [event.SignatureBytes]byte{responseAt: exact, exact, exact, exact}
	return []event.Signature{
		sig(opMsg, [event.SignatureBytes]byte{}),
		sig(opCompressed, [event.SignatureBytes]byte{}),
		sig(opQuery, asks),
	}
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict { return begins(first) }

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &dbfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (p *Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	return &Parser{proto: p, sink: sink}
}
