// Package kafka follows connections of the Kafka protocol: requests and their
// responses, which come in any number of versions and are paired by a
// correlation id.
//
// An exchange is one request with its response, so that one of several topics
// has one span. Of records nothing is read but how many there are, which the
// header of their batch tells.
package kafka

import (
	"encoding/binary"
	"math"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// System is messaging.system.
const System = "kafka"

// Protocol is Kafka's. Bound may be changed before the first use. What its
// connections have in common is used by one goroutine.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16

	ids    ids
	groups groups
}

// DefaultBound is all that can be copied: enough for the metadata of some dozen
// partitions, which name topics that later requests know by their ids only.
const DefaultBound = event.MaxPayload

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bound: DefaultBound} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return System }

// Signatures implements exchange.Protocol. A request begins with its size (4
// bytes), the key of its API (2), the version (2), a correlation id (4) and the
// client's id, which has its length (2) before it.
func (p *Protocol) Signatures() []event.Signature {
	type prefix = [event.SignatureBytes]byte
	const (
		high5, high3, high1 = 0xf8, 0xe0, 0x80
		exact               = 0xff
	)
	sig := func(value, mask prefix) event.Signature {
		return event.Signature{Value: value, Mask: mask, Bound: p.Bound, Every: true}
	}
	return []event.Signature{
		sig(prefix{}, prefix{0: high5, 4: exact, 5: high1, 6: exact, 7: high3, 8: high1, 12: exact, 14: high1, 15: high1}),
		sig(prefix{12: 0xff, 13: 0xff}, prefix{0: high5, 4: exact, 5: high1, 6: exact, 7: high3, 8: high1, 12: exact, 13: exact}), // no id
	}
}

// Classify implements exchange.Protocol. Responses have nothing of their own.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if beginsRequest(first) {
		return exchange.IsRequest
	}
	return exchange.Foreign
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &Facts{} }

// NewParser implements exchange.Protocol.
func (p *Protocol) NewParser(sink exchange.Sink) exchange.Parser {
	parser := &Parser{proto: p, sink: sink}
	parser.init()
	return parser
}

// head is what every request begins with.
type head struct {
	size        uint32 // of what follows it
	key         int16
	version     int16
	correlation uint32
	client      int16 // length of the client's id; -1: it has none
}

func parseHead(b []byte) head {
	return head{
		size:        binary.BigEndian.Uint32(b),
		key:         int16(binary.BigEndian.Uint16(b[4:])),
		version:     int16(binary.BigEndian.Uint16(b[6:])),
		correlation: binary.BigEndian.Uint32(b[8:]),
		client:      int16(binary.BigEndian.Uint16(b[12:])),
	}
}

// body is how many bytes follow the head.
func (h *head) body() uint64 { return uint64(h.size) + lengthBytes - requestHeadBytes }

// Bounds of what is taken for a request where nothing else says that it is one:
// the length of the client's id, and of a request that has none.
const (
	maxClient  = 255
	maxUnnamed = 64 << 10
)

// valid tells whether there may be such a head; strictly, when nothing else says
// that it is one.
func (h *head) valid(strictly bool) bool {
	if h.size < requestHeadBytes-lengthBytes || h.size > maxBody {
		return false
	}
	a := apiOf(h.key)
	newest := int16(unknownVersion)
	if a == nil || h.version < 0 {
		return false
	}
	if strictly {
		newest = a.newest
		if h.client > maxClient || h.client < 0 && h.size > maxUnnamed {
			return false
		}
	}
	return h.version <= newest && h.correlation <= math.MaxInt32 && h.client >= -1 && int64(h.client) <= int64(h.body())
}

// bodyBytes is how much of a body has to be at hand to tell a request.
const bodyBytes = 4

// beginsRequest tells whether b, which goes on or not, begins a request: its head
// must be one, and its body as far as it is there.
func beginsRequest(b []byte) bool {
	if len(b) < requestHeadBytes {
		return false
	}
	h := parseHead(b)
	if !h.valid(true) {
		return false
	}
	b = b[requestHeadBytes:]
	n := h.body()
	b = b[:min(uint64(len(b)), n)]
	if uint64(len(b)) < min(n, uint64(max(h.client, 0))+bodyBytes) {
		return false
	}
	r := reader{b: b, unseen: n - uint64(len(b))}
	var f Facts
	return f.begin(&h, &r) && f.readRequest(&r)
}

// begin reads the header of a request behind its head. It returns false when it
// is none.
func (f *Facts) begin(h *head, r *reader) bool {
	f.api, f.key, f.version = apiOf(h.key), h.key, h.version
	f.System, f.Operation, f.Type = System, f.api.operation, types[h.key]
	id := r.take(uint64(max(h.client, 0)))
	for _, c := range id {
		if c < ' ' || c > '~' {
			return false
		}
	}
	f.Client = append(f.Client[:0], id[:min(len(id), maxClient)]...)
	if f.api.isFlexible(h.version) {
		r.flexible = true
		r.end()
	}
	return !r.bad
}
