// Package fastcgi recognises FastCGI, by which web servers hand requests to PHP and
// others. It is not decoded: the web server's requests say what was asked.
package fastcgi

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Protocol implements exchange.Protocol.
type Protocol struct{}

// New returns the protocol.
func New() *Protocol { return &Protocol{} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "fastcgi" }

// What the record that begins a request holds (FastCGI 1.0, sections 3.3 and 5.1): the
// version, its type, a number of the request, eight bytes of content, padding; of
// these a role from 1 to 3, a flag, five zeros. A server may read the first eight bytes
// before the rest.
var (
	value = [event.SignatureBytes]byte{0: 1, 1: 1, 5: 8}
	mask  = [event.SignatureBytes]byte{
		0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0xff,
		0xff, 0xfc, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff,
	}
)

const (
	header  = 8 // bytes of a record before its content
	roleLow = 9 // where the lower byte of the role stands
)

// Signatures implements exchange.Protocol.
func (*Protocol) Signatures() []event.Signature {
	return []event.Signature{{Value: value, Mask: mask, Bound: event.SignatureBytes}}
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	s := event.Signature{Value: value, Mask: mask}
	if len(first) < header || !s.Matches(first) || len(first) > roleLow && first[roleLow] == 0 {
		return exchange.Foreign
	}
	return exchange.IsRequest
}

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser { return &parser{sink: sink} }

// NewFacts implements exchange.Protocol. There is no exchange that would have any.
func (*Protocol) NewFacts() exchange.Facts { return facts{} }

type facts struct{}

func (facts) Reset() {}

// parser tells what the connection is.
type parser struct {
	sink exchange.Sink
	told bool
}

func (p *parser) Reset(sink exchange.Sink, _ bool) { *p = parser{sink: sink} }

func (p *parser) Segment(*exchange.Segment) {
	if !p.told {
		p.told = true
		p.sink.Opaque(exchange.Unsupported)
	}
}

func (*parser) Gap(exchange.Side, uint64, uint64) {}
func (*parser) EOF(exchange.Side, uint64)         {}
func (*parser) Close(uint64)                      {}
func (*parser) Tick(uint64)                       {}
func (*parser) Open() int                         { return 0 }
func (*parser) Abandon(exchange.Reason)           {}
