// Package mysql follows connections of MySQL's and MariaDB's protocol: the
// handshake, text and prepared statements, several results, cursors, and
// results beyond what the kernel copies.
//
// An exchange is one command that is answered. Preparations are exchanges of
// their own.
package mysql

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/unpack"
)

// Values of db.system.name. On a connection that was joined in its midst the
// two are not told apart: it is MySQL's then.
const (
	System  = "mysql"
	MariaDB = "mariadb"
)

// Protocol is MySQL's. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16

	cache  querytext.Cache
	budget dbconn.Budget // of prepared statements on all connections

	streams  unpack.Streams
	unpacked []byte // of a frame
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

// Signatures implements exchange.Protocol. Connections are recognised by the
// server's greeting, older ones by commands: a length below 64 KiB, number 0,
// and text where text must be.
func (p *Protocol) Signatures() []event.Signature {
	const (
		exact, any8 = 0xff, 0x00
		ascii       = 0x80 // with 0: a byte below 0x80
		letter      = 0xc0 // with 0x40: @ A-Z [ \ ] ^ _ ` a-z { | } ~
		digit       = 0xf0 // with 0x30: 0-9 : ; < = > ?
		dot         = 0xe0 // with 0x20: a digit or a dot, among others
	)
	sig := func(value, mask [event.SignatureBytes]byte) event.Signature {
		return event.Signature{Value: value, Mask: mask, Bound: p.Bound, Every: true, Resumes: true, Apart: true}
	}
	return []event.Signature{
		sig([event.SignatureBytes]byte{4: greeting, 5: 0x30, 6: 0x20}, [event.SignatureBytes]byte{any8, exact, exact, exact, exact, digit, dot}),
		sig([event.SignatureBytes]byte{4: comQuery, 5: 0x40, 6: 0x40, 7: 0x40}, [event.SignatureBytes]byte{any8, any8, exact, exact, exact, letter, letter, letter}),
		sig([event.SignatureBytes]byte{4: comQuery, 5: '/', 6: '*'}, [event.SignatureBytes]byte{any8, any8, exact, exact, exact, exact, exact, ascii}),
		sig([event.SignatureBytes]byte{4: comQuery, 5: 0, 6: 1, 7: 0x40}, [event.SignatureBytes]byte{any8, any8, exact, exact, exact, exact, exact, letter}), // with attributes
		sig([event.SignatureBytes]byte{4: comPrepare, 5: 0x40, 6: 0x40, 7: 0x40}, [event.SignatureBytes]byte{any8, any8, exact, exact, exact, letter, letter, letter}),
		sig([event.SignatureBytes]byte{4: comExecute}, [event.SignatureBytes]byte{any8, any8, exact, exact, exact, any8, any8, exact}),
	}
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	switch {
	case len(first) < headerSize+1:
	case isGreeting(first):
		return exchange.IsResponse
	case beginsRequest(first, uint64(len(first))):
		return exchange.IsRequest
	}
	return exchange.Foreign
}

// isGreeting tells whether b begins what a server says first: protocol 10 and
// its version.
func isGreeting(b []byte) bool {
	return len(b) > headerSize+2 && b[1] == 0 && b[2] == 0 && b[3] == 0 && b[4] == greeting && b[5] >= '0' && b[5] <= '9'
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
