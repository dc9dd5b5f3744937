// Package redis follows connections of RESP2 and RESP3: commands as arrays and
// inline, pipelines, transactions, messages that the server pushes, and values
// beyond what the kernel copies.
//
// An exchange is one command, also in a pipeline: what a client library sends
// as one is not told apart on the wire from commands that happened to be sent
// together. A transaction is one exchange, from MULTI to the answer to EXEC.
package redis

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// System is db.system.name.
const System = "redis"

// Protocol is Redis's. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16
}

// DefaultBound is enough for pipelines of about fifty small commands. Values
// are skipped by their lengths.
const DefaultBound = 2048

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bound: DefaultBound} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return System }

// Signatures implements exchange.Protocol: an array of up to 99 strings, as
// commands are sent by everything but a terminal.
func (p *Protocol) Signatures() []event.Signature {
	const exact, digit = 0xff, 0xf0
	sig := func(value string, mask [event.SignatureBytes]byte) event.Signature {
		s := event.Signature{Mask: mask, Bound: p.Bound, Every: true, Apart: true}
		copy(s.Value[:], value)
		return s
	}
	return []event.Signature{
		sig("*0\r\n$0", [event.SignatureBytes]byte{exact, digit, exact, exact, exact, digit}),
		sig("*00\r\n$0", [event.SignatureBytes]byte{exact, digit, digit, exact, exact, exact, digit}),
	}
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if beginsRequest(first) {
		return exchange.IsRequest
	}
	return exchange.Foreign
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &dbfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	p := &Parser{}
	p.Follow(sink, dbconn.Steps{Request: p.request, Response: p.response, Lose: p.lose, End: p.forget})
	return p
}

// beginsRequest tells whether b begins a command that is known, as an array.
func beginsRequest(b []byte) bool {
	if len(b) == 0 || b[0] != '*' {
		return false
	}
	var lines dbconn.Lines
	c := dbconn.Cursor{Data: b}
	for _, prefix := range []byte{'*', '$'} {
		line, found := lines.Next(&c, maxHeader)
		if found != dbconn.Whole || len(line) == 0 || line[0] != prefix {
			return false
		}
		n, ok := dbconn.Number(line[1:])
		if !ok || n < 1 || prefix == '$' && n > maxCommand {
			return false
		}
		if prefix == '$' {
			return known(c.Data[:min(int(n), len(c.Data))], int(n))
		}
	}
	return false
}
