// Package tls recognises connections that are encrypted from their first byte,
// so that they can be told instead of passed over in silence. It decodes
// nothing.
package tls

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Protocol implements exchange.Protocol.
type Protocol struct{}

// New returns the protocol.
func New() *Protocol { return &Protocol{} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "tls" }

// The beginning of a record (RFC 8446, section 5.1): its type, a version that is
// 3.x in all of them, two bytes of length; and of what a handshake record holds
// the type of the message.
const (
	handshake   = 22
	application = 23
	major       = 3
	clientHello = 1
	serverHello = 2
)

// maxMinor is the highest minor version on the wire; TLS 1.3 says 1.2 there.
const maxMinor = 3

// bound is enough to classify a record.
const bound = 8

// Signatures implements exchange.Protocol: a record of a handshake or, on a
// connection that is older than the agent, of application data.
func (*Protocol) Signatures() []event.Signature {
	return []event.Signature{{
		Value: [event.SignatureBytes]byte{0: handshake, 1: major},
		Mask:  [event.SignatureBytes]byte{0: ^byte(handshake ^ application), 1: 0xff, 2: ^byte(maxMinor), 3: 0x80},
		Bound: bound,
	}}
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if len(first) < 6 || first[0] != handshake || first[1] != major || first[2] > maxMinor {
		return exchange.Foreign
	}
	switch first[5] {
	case clientHello:
		return exchange.IsRequest
	case serverHello:
		return exchange.IsResponse
	}
	return exchange.Foreign
}

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser { return &parser{sink: sink} }

// NewFacts implements exchange.Protocol. There is no exchange that would have
// any.
func (*Protocol) NewFacts() exchange.Facts { return facts{} }

type facts struct{}

func (facts) Reset() {}

// parser tells of the connection at its first bytes.
type parser struct {
	sink exchange.Sink
	told bool
}

func (p *parser) Reset(sink exchange.Sink, _ bool) { *p = parser{sink: sink} }

func (p *parser) Segment(*exchange.Segment) {
	if !p.told {
		p.told = true
		p.sink.Opaque(exchange.TLS)
	}
}

func (*parser) Gap(exchange.Side, uint64, uint64) {}
func (*parser) EOF(exchange.Side, uint64)         {}
func (*parser) Close(uint64)                      {}
func (*parser) Tick(uint64)                       {}
func (*parser) Open() int                         { return 0 }
func (*parser) Abandon(exchange.Reason)           {}
