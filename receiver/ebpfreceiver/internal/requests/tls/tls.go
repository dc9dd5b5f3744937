// Package tls recognises connections that are encrypted from their first byte
// and reads the beginning of their handshake, which is not encrypted. The plain
// text is another stream, which comes by other ways.
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

// helloVersion is where a hello says its version, which begins as a record's does.
const helloVersion = recordHead + handshakeHead

// maxMinor is the highest minor version on the wire; TLS 1.3 says 1.2 there.
const maxMinor = 3

// Bytes to copy: of a handshake what its first message takes, keys that withstand
// quantum computers included; else enough to classify a record.
const (
	helloBound = 2048
	bound      = 8
)

// Signatures implements exchange.Protocol: a record of a handshake or, on a
// connection that is older than the agent, of application data. The first looks
// farther than those of other protocols do and so comes before them: by its length
// alone a hello may look like an answer of DNS over TCP. Who reads the head of a
// record first shows no more than that.
func (*Protocol) Signatures() []event.Signature {
	record := func(kind byte, bound uint16) event.Signature {
		return event.Signature{
			Value: [event.SignatureBytes]byte{0: kind, 1: major},
			Mask:  [event.SignatureBytes]byte{0: 0xff, 1: 0xff, 2: ^byte(maxMinor), 3: 0x80},
			Bound: bound,
		}
	}
	hello := record(handshake, helloBound)
	hello.Value[helloVersion], hello.Mask[helloVersion] = major, 0xff
	return []event.Signature{hello, record(handshake, helloBound), record(application, bound)}
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

// maxHello bounds what is kept of one end until its hello is read.
const maxHello = 4096

// parser reads the two hellos, and then tells that the connection goes on
// encrypted.
type parser struct {
	sink  exchange.Sink
	hello [2]hello // by exchange.Side
	told  bool
}

// hello is the beginning of what one end sends.
type hello struct {
	kept []byte
	done bool
}

func (p *parser) Reset(sink exchange.Sink, midway bool) {
	*p = parser{sink: sink}
	p.hello[0].done, p.hello[1].done = midway, midway
}

func (p *parser) Segment(s *exchange.Segment) {
	if p.told {
		return
	}
	h := &p.hello[s.Side&1]
	if !h.done {
		p.read(h, s)
	}
	if p.hello[0].done && p.hello[1].done {
		p.tell()
	}
}

// read reads a hello by the bytes at hand.
func (p *parser) read(h *hello, s *exchange.Segment) {
	whole := uint64(len(s.Payload)) == s.Len
	sent := s.Payload
	if len(h.kept) > 0 {
		sent = append(h.kept, sent...)
	}
	var e exchange.Encryption
	if sink, ok := p.sink.(exchange.EncryptionSink); ok {
		h.done = helloIn(sent, sink.Encryption())
	} else {
		h.done = helloIn(sent, &e)
	}
	if h.done = h.done || !whole || len(sent) > maxHello; h.done {
		h.kept = nil
		return
	}
	if len(h.kept) > 0 {
		h.kept = sent
	} else {
		h.kept = append([]byte(nil), sent...)
	}
}

func (p *parser) tell() {
	if !p.told {
		p.told = true
		p.sink.Opaque(exchange.TLS)
	}
}

// Gap implements exchange.Parser: what is missing was the rest of a hello.
func (p *parser) Gap(side exchange.Side, _, _ uint64) { p.hello[side&1] = hello{done: true} }

// Close implements exchange.Parser. A connection that ends before both hellos
// was none that could be decoded.
func (p *parser) Close(uint64) {}

func (*parser) EOF(exchange.Side, uint64) {}
func (*parser) Tick(uint64)               {}
func (*parser) Open() int                 { return 0 }
func (*parser) Abandon(exchange.Reason)   {}
