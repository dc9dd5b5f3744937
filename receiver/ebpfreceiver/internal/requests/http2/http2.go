// Package http2 follows HTTP/2 connections (RFC 9113): many streams at once,
// header blocks in several frames, trailers, resets, and gRPC on top. A
// connection may be joined at any time, and pieces of it may be lost or lie
// beyond what the kernel copies: what is not known then is told to be so.
package http2

import (
	"bytes"
	"slices"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http2/hpack"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/rpcfacts"
)

// Protocol is HTTP/2. Its bound may be changed before the first use.
type Protocol struct {
	// Bytes is how much of each segment the kernel copies.
	Bytes uint16
}

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bytes: event.MaxPayload} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "http2" }

// preface is what a client begins a connection with (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Signatures implements exchange.Protocol. A frame begins with the length of
// its payload (3 bytes), its kind, its flags, and the stream (4 bytes).
func (p *Protocol) Signatures() []event.Signature {
	list := slices.Clone(signatures)
	for i := range list {
		list[i].Bound, list[i].Every, list[i].Frames = p.Bytes, true, event.Framing{HTTP2: true}
	}
	list[0].Supersedes = true // the preface follows an upgrade as well
	return list
}

// prefix is the first bytes of a frame, or a mask of them.
type prefix = [event.SignatureBytes]byte

// leastBytes is how many first bytes it takes to tell a frame.
const leastBytes = 8

var signatures = []event.Signature{
	{Value: prefix([]byte(preface)), Mask: prefix(bytes.Repeat([]byte{0xff}, event.SignatureBytes))},
	// SETTINGS of up to 10 parameters: what a server begins with, over TLS before
	// it has read anything. The last byte is the first of a parameter's number or of
	// a frame's length; it is looked at so that the signature comes before Kafka's,
	// which matches limits of streams such as Apache's.
	{Value: prefix{3: byte(settings)}, Mask: prefix{0xff, 0xff, 0xc0, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 15: 0x80}},
	// Connections that are older: HEADERS that are not continued, PING, and
	// WINDOW_UPDATE of the connection or of a stream below 65536.
	{Value: prefix{3: byte(headers), 4: flagEndHeaders}, Mask: prefix{0xff, 0xc0, 0, 0xff, 0xd6, 0xff}},
	{Value: prefix{2: 8, 3: byte(ping)}, Mask: prefix{0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff}},
	{Value: prefix{2: 4, 3: byte(windowUpdate)}, Mask: prefix{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
}

// Classify implements exchange.Protocol. Beside the preface, the first header
// field tells: pseudo-header fields come first, and those of requests and of
// responses are different.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if len(first) < leastBytes || !slices.ContainsFunc(signatures, func(s event.Signature) bool {
		return s.Matches(first)
	}) {
		return exchange.Foreign
	}
	n := min(len(first), len(preface))
	if first[0] == preface[0] {
		if string(first[:n]) == preface[:n] {
			return exchange.IsRequest
		}
		return exchange.Foreign
	}
	if h, ok := parseHeader(first); ok && !h.plausible() {
		return exchange.Foreign
	} else if ok && h.kind == headers {
		return h.whose(first)
	}
	return exchange.IsEither
}

// whose tells which side's a HEADERS frame is that first begins with.
func (h *header) whose(first []byte) exchange.Verdict {
	block := h.fragment(first[frameHeader:min(len(first), frameHeader+int(h.length))])
	var d hpack.Decoder
	d.Reset()
	r := d.Read(block)
	var f hpack.Field
	if !r.Next(&f) {
		if r.State == hpack.Bad {
			return exchange.Foreign
		}
		return exchange.IsEither
	}
	switch string(f.Name) {
	case ":method", ":path", ":scheme", ":authority":
		return exchange.IsRequest
	case ":status":
		return exchange.IsResponse
	}
	return exchange.IsEither // trailers
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &rpcfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	p := &Parser{streams: make(map[uint32]*stream)}
	p.Reset(sink, false)
	return p
}

// facts returns what is known about an exchange of this protocol.
func facts(ex *exchange.Exchange) *rpcfacts.Facts { return ex.Facts.(*rpcfacts.Facts) }
