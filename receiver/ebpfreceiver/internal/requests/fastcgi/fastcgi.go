// Package fastcgi recognises FastCGI, SCGI and uwsgi, by which web servers hand requests
// to PHP, Python and others. They are not decoded: the web server's requests say what was
// asked.
package fastcgi

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Protocol implements exchange.Protocol.
type Protocol struct {
	name       string
	signatures []event.Signature
	is         func(first []byte) bool // first matches one of signatures
	least      int                     // bytes that tell
}

// New returns FastCGI.
func New() *Protocol {
	return &Protocol{
		name: "fastcgi", least: header, signatures: []event.Signature{{Value: value, Mask: mask, Bound: event.SignatureBytes}},
		is: func(first []byte) bool { return len(first) <= roleLow || first[roleLow] != 0 },
	}
}

// NewSCGI returns SCGI.
func NewSCGI() *Protocol {
	p := &Protocol{name: "scgi", least: event.SignatureBytes, is: isSCGI}
	for digits := 2; digits <= 4; digits++ {
		p.signatures = append(p.signatures, scgi(digits))
	}
	return p
}

// NewUWSGI returns uwsgi, the protocol of the server of that name.
func NewUWSGI() *Protocol {
	return &Protocol{
		name: "uwsgi", least: event.SignatureBytes, is: isUWSGI,
		signatures: []event.Signature{{Value: uwsgiValue, Mask: uwsgiMask, Bound: uwsgiBound}},
	}
}

// Name implements exchange.Protocol.
func (p *Protocol) Name() string { return p.name }

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

// scgiFirst is the name of what a request of SCGI has first, behind its length in digits.
const scgiFirst = ":CONTENT_LENGTH\x00"

// scgi is the beginning of requests whose length has so many digits.
func scgi(digits int) event.Signature {
	s := event.Signature{Bound: event.SignatureBytes}
	for i := range digits {
		s.Value[i], s.Mask[i] = 0x30, 0xf0
	}
	for i := digits; i < event.SignatureBytes; i++ {
		s.Value[i], s.Mask[i] = scgiFirst[i-digits], 0xff
	}
	return s
}

func isSCGI(first []byte) bool {
	for _, c := range first[:bytes.IndexByte(first, ':')] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return first[0] != '0'
}

// A request of uwsgi: 0 for Python, how many bytes of variables, the lower byte first, 0;
// of the first variable the length of its name, and that. Its server reads four bytes
// before the rest, which may be others' as well, of whom no less is to be copied.
var (
	uwsgiValue = [event.SignatureBytes]byte{6: 0x40, 7: 0x40, 8: 0x40, 9: 0x40, 10: 0x40, 11: 0x40, 12: 0x40, 13: 0x40, 14: 0x40, 15: 0x40}
	uwsgiMask  = [event.SignatureBytes]byte{
		0xff, 0, 0, 0xff, 0xc0, 0xff, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xe0,
	}
)

const (
	uwsgiBound = 1024
	uwsgiNames = 6 // where the first name begins
)

func isUWSGI(first []byte) bool {
	name := first[uwsgiNames:event.SignatureBytes]
	length, all := int(binary.LittleEndian.Uint16(first[4:])), int(binary.LittleEndian.Uint16(first[1:]))
	if length < len(name) || all < 4+length {
		return false
	}
	for _, c := range name {
		if (c < 'A' || c > 'Z') && c != '_' {
			return false
		}
	}
	return true
}

// Signatures implements exchange.Protocol.
func (p *Protocol) Signatures() []event.Signature { return p.signatures }

// Classify implements exchange.Protocol.
func (p *Protocol) Classify(first []byte) exchange.Verdict {
	if len(first) < p.least {
		return exchange.Foreign
	}
	for i := range p.signatures {
		if p.signatures[i].Matches(first) && p.is(first) {
			return exchange.IsRequest
		}
	}
	return exchange.Foreign
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
