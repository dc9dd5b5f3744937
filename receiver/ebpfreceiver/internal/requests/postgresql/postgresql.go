// Package postgresql follows connections of PostgreSQL's protocol 3: simple and
// extended queries, prepared statements, pipelines, COPY, and results beyond
// what the kernel copies.
//
// An exchange is what one ReadyForQuery answers: a simple query, or all
// messages up to a Sync. Several executions before one Sync are a batch. Where
// nothing but a preparation is asked for, that is what is reported.
package postgresql

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// System is db.system.name.
const System = "postgresql"

// Protocol is PostgreSQL's. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies. What is longer, a
	// statement or a result, costs nothing but its end being looked for.
	Bound uint16

	cache  querytext.Cache
	budget dbconn.Budget // of prepared statements on all connections
}

// DefaultBound is enough for most statements and for the small results of most.
const DefaultBound = 2048

// maxPrepared bounds the prepared statements that are remembered, on all
// connections together.
const maxPrepared = 1 << 17

// New returns the protocol with its default bound.
func New() *Protocol {
	return &Protocol{Bound: DefaultBound, budget: dbconn.Budget{Limit: maxPrepared}}
}

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return System }

// Signatures implements exchange.Protocol. Connections are recognised by how
// they begin, older ones by requests: the type, a length below 64 KiB, and text
// where text must be.
func (p *Protocol) Signatures() []event.Signature {
	const (
		exact, any8 = 0xff, 0x00
		ascii       = 0x80 // with 0: a byte below 0x80
		letter      = 0xc0 // with 0x40: @ A-Z [ \ ] ^ _ ` a-z { | } ~
	)
	sig := func(value, mask [event.SignatureBytes]byte) event.Signature {
		return event.Signature{Value: value, Mask: mask, Bound: p.Bound, Every: true, Apart: true}
	}
	return []event.Signature{
		sig([event.SignatureBytes]byte{5: 3}, [event.SignatureBytes]byte{exact, exact, any8, any8, exact, exact, exact, 0xfd}),                                       // 3.0 and 3.2
		sig([event.SignatureBytes]byte{3: 8, 4: 0x04, 5: 0xd2, 6: 0x16, 7: 0x20}, [event.SignatureBytes]byte{exact, exact, exact, exact, exact, exact, exact, 0xe0}), // SSLRequest, GSSENCRequest
		sig([event.SignatureBytes]byte{'Q', 5: 0x40, 6: 0x40, 7: 0x40}, [event.SignatureBytes]byte{exact, exact, exact, any8, any8, letter, letter, letter}),
		sig([event.SignatureBytes]byte{'Q', 5: '/', 6: '*'}, [event.SignatureBytes]byte{exact, exact, exact, any8, any8, exact, exact, ascii}),
		sig([event.SignatureBytes]byte{'P', 6: 0x40, 7: 0x40}, [event.SignatureBytes]byte{exact, exact, exact, any8, any8, exact, letter, letter}), // unnamed
		sig([event.SignatureBytes]byte{'P', 5: 0x40, 6: 0x40}, [event.SignatureBytes]byte{exact, exact, exact, any8, any8, letter, letter, ascii}),
		sig([event.SignatureBytes]byte{'B', 5: 0, 6: 0x40}, [event.SignatureBytes]byte{exact, exact, exact, any8, any8, exact, letter, ascii}), // of a named statement
	}
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	switch {
	case beginsConnection(first), len(first) > typedSize && beginsRequest(first):
		return exchange.IsRequest
	case len(first) > typedSize && beginsResponse(first):
		return exchange.IsResponse
	}
	return exchange.Foreign
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &dbfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (p *Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	parser := &Parser{proto: p}
	parser.statements.Budget = &p.budget
	parser.Follow(sink, dbconn.Steps{Request: parser.request, Response: parser.response, Lose: parser.lose, End: parser.unlearn})
	return parser
}

// Codes in the place of a version at the beginning of a connection.
const (
	version3   = 3 << 16
	codeCancel = 80877102
	codeTLS    = 80877103
	codeGSSAPI = 80877104
)

// Sizes of headers: a length and a code at the beginning, later a type and a
// length, which counts itself.
const (
	untypedSize = 8
	typedSize   = 5
	lengthSize  = 4
)

const (
	maxStartup = 10000   // as in the server
	maxMessage = 1 << 30 // the largest that the server takes
)

var untyped = dbconn.Header{
	Size: untypedSize,
	Length: func(head []byte) (uint64, bool) {
		n, code := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[lengthSize:])
		known := code>>16 == 3 || code >= codeCancel && code <= codeGSSAPI
		return uint64(n) - untypedSize, known && n >= untypedSize && n <= maxStartup
	},
	Keep: func([]byte) int { return 1024 },
}

// beginsConnection tells whether b begins the first message of a connection. The
// parameters of a session begin with the name of one, which tells them from other
// protocols' messages that have a length first.
func beginsConnection(b []byte) bool {
	if len(b) < untypedSize {
		return false
	}
	_, ok := untyped.Length(b)
	if version := binary.BigEndian.Uint32(b[lengthSize:]); version>>16 == 3 && len(b) > untypedSize {
		ok = ok && b[untypedSize] >= '_' && b[untypedSize] <= 'z'
	}
	return ok
}
