// Package dns follows DNS (RFC 1035) over UDP and TCP: a query and its response
// are paired by their id and question, in any order.
package dns

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Protocol is DNS.
type Protocol struct{}

// New returns the protocol.
func New() *Protocol { return &Protocol{} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "dns" }

// Bounds of what is copied, in bytes: whole datagrams as they are sent over the
// Internet, and the beginnings of longer messages over TCP.
const (
	datagramBytes = 1500
	streamBytes   = 2048
)

// Signatures implements exchange.Protocol. A message begins with an id (2
// bytes), flags (2), the number of questions (2), which is one, and the number
// of answers; over TCP its length (2) comes first.
func (*Protocol) Signatures() []event.Signature {
	type prefix = [event.SignatureBytes]byte
	return []event.Signature{
		{ // a query: all flags are 0 but those that a client sets (RD, AD, CD)
			Value: prefix{5: 1}, Mask: prefix{2: 0xfe, 3: 0xcf, 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff},
			Bound: datagramBytes, Datagram: true,
		},
		{
			Value: prefix{2: flagResponse, 5: 1}, Mask: prefix{2: 0xf8, 3: 0x40, 4: 0xff, 5: 0xff, 6: 0xff},
			Bound: datagramBytes, Datagram: true,
		},
		{
			Value: prefix{7: 1}, Mask: prefix{0: 0xf0, 4: 0xfe, 5: 0xcf, 6: 0xff, 7: 0xff},
			Bound: streamBytes, Every: true,
		},
		{
			Value: prefix{4: flagResponse, 7: 1}, Mask: prefix{4: 0xf8, 5: 0x40, 6: 0xff, 7: 0xff},
			Bound: streamBytes, Every: true,
		},
	}
}

// Classify implements exchange.Protocol. Whether a length comes first is not
// told; where it does, it is right.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if len(first) > lengthBytes+headerBytes && int(first[0])<<8|int(first[1]) == len(first)-lengthBytes {
		if v := classify(first[lengthBytes:]); v != exchange.Foreign {
			return v
		}
	}
	if v := classify(first); v != exchange.Foreign {
		return v
	}
	if len(first) >= lengthBytes && int(first[0])<<8|int(first[1]) < minMessage {
		return exchange.Foreign // other protocols have a longer length first
	}
	return classify(first[min(lengthBytes, len(first)):])
}

// minMessage is the length of the shortest message: a header and a question
// about the root.
const minMessage = headerBytes + 5

func classify(b []byte) exchange.Verdict {
	h, ok := parseHeader(b)
	switch {
	case !ok || !h.isLookup():
		return exchange.Foreign
	case h.response:
		return exchange.IsResponse
	}
	return exchange.IsRequest
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &Facts{} }

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser { return &Parser{sink: sink} }

// facts returns what is known about an exchange of this protocol.
func facts(ex *exchange.Exchange) *Facts { return ex.Facts.(*Facts) }
