// Package memcached follows connections of memcached's text protocol, meta
// commands included. The binary protocol, which memcached itself has given up,
// is recognised and not decoded.
//
// An exchange is one command with its answer. One that asks for none (noreply) is
// one-way; meta commands that ask for some answers only (q) are not reported.
package memcached

import (
	"bytes"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// System is db.system.name.
const System = "memcached"

// Protocol is memcached's. Bound may be changed before the first use.
type Protocol struct {
	// Bound is how much of each segment the kernel copies.
	Bound uint16
}

// DefaultBound is enough for what goes before the values, which are skipped by
// their lengths.
const DefaultBound = 1024

// New returns the protocol with its default bound.
func New() *Protocol { return &Protocol{Bound: DefaultBound} }

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return System }

// Signatures implements exchange.Protocol: the commands that connections are
// recognised by, and the header of the binary protocol. Room in the kernel is
// scarce: a mask that lets a few other letters pass stands for two commands.
func (p *Protocol) Signatures() []event.Signature {
	const either = 0xeb // of g and s
	var list []event.Signature
	for _, sig := range []struct {
		word string
		mask [event.SignatureBytes]byte // zero: exact, as far as word goes
	}{
		{"get ", [event.SignatureBytes]byte{either, 0xff, 0xff, 0xff}},
		{"mg ", [event.SignatureBytes]byte{0xff, either, 0xff, 0x80}},
		{"incr ", [event.SignatureBytes]byte{0xf2, 0xf4, 0xff, 0xff, 0xff}}, // and decr
		{"m\x60 ", [event.SignatureBytes]byte{0xff, 0xfa, 0xff, 0x80}},      // md, ma and me
		{"gets ", [event.SignatureBytes]byte{}},
		{"gat ", [event.SignatureBytes]byte{0xff, 0xff, 0xff, 0xac}},                  // and gats
		{"stats\x00", [event.SignatureBytes]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xd2}}, // and a space, or the end of the line
		{"version\r", [event.SignatureBytes]byte{}},
		{"flush_al", [event.SignatureBytes]byte{}},
		{"mn\r\n", [event.SignatureBytes]byte{}},
		{"add ", [event.SignatureBytes]byte{}},
		{"touch ", [event.SignatureBytes]byte{}},
		{"delete ", [event.SignatureBytes]byte{}},
	} {
		s := event.Signature{Mask: sig.mask, Bound: p.Bound, Every: true, Apart: true}
		for i := range len(sig.word) {
			if sig.mask[0] == 0 {
				s.Mask[i] = 0xff
			}
			s.Value[i] = sig.word[i] & s.Mask[i]
		}
		list = append(list, s)
	}
	// magic, operation below 64, key below 256 bytes, no data type, no bucket
	return append(list, event.Signature{
		Value: [event.SignatureBytes]byte{binaryRequest}, Mask: [event.SignatureBytes]byte{0xff, 0xc0, 0xff, 0, 0, 0xff, 0xff, 0xff},
		Bound: p.Bound, Every: true,
	})
}

// Classify implements exchange.Protocol.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	if beginsRequest(first) || beginsBinary(first) {
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

// Bounds of what is believed.
const (
	maxLine  = 2048
	maxKey   = 250
	maxValue = 1 << 30
	maxKeys  = 100 // of a get, that its line has room for
)

// shape is what goes with a command and its answer.
type shape uint8

const (
	unknown shape = iota
	line          // one line answers
	values        // values and END answer
	store         // a value follows; one line answers
	meta          // one line answers, or a value
	metaSet       // a value follows; one line answers
	list          // lines and END answer
	banner        // one line answers, which begins with VERSION
	noop          // MN answers
	follows       // everything follows
)

type command struct {
	shape shape
	key   int // which word is the key; 0: none
	value int // which word is the length of the value
	words int // at least
	class exchange.Class
}

var commands = map[string]command{
	"get": {shape: values, key: 1, words: 2}, "gets": {shape: values, key: 1, words: 2},
	"gat": {shape: values, key: 2, words: 3}, "gats": {shape: values, key: 2, words: 3},
	"set": {shape: store, key: 1, value: 4, words: 5}, "add": {shape: store, key: 1, value: 4, words: 5},
	"replace": {shape: store, key: 1, value: 4, words: 5}, "append": {shape: store, key: 1, value: 4, words: 5},
	"prepend": {shape: store, key: 1, value: 4, words: 5}, "cas": {shape: store, key: 1, value: 4, words: 6},
	"incr": {shape: line, key: 1, words: 3}, "decr": {shape: line, key: 1, words: 3}, "touch": {shape: line, key: 1, words: 3},
	"delete": {shape: line, key: 1, words: 2},
	"mg":     {shape: meta, key: 1, words: 2}, "md": {shape: meta, key: 1, words: 2}, "ma": {shape: meta, key: 1, words: 2},
	"me": {shape: meta, key: 1, words: 2}, "ms": {shape: metaSet, key: 1, value: 2, words: 3},
	"mn": {shape: noop, words: 1, class: exchange.Probe}, "version": {shape: banner, words: 1, class: exchange.Probe},
	"flush_all": {shape: line, words: 1}, "verbosity": {shape: line, words: 1}, "cache_memlimit": {shape: line, words: 2},
	"shutdown": {shape: line, words: 1}, "slabs": {shape: line, words: 2}, "lru": {shape: line, words: 2},
	"lru_crawler": {shape: line, words: 2}, "refresh_certs": {shape: line, words: 1},
	"stats": {shape: list, words: 1}, "watch": {shape: follows, words: 1, class: exchange.Stream},
	"quit": {shape: unknown, words: 1},
}

// beginsRequest tells whether b begins a command; the line must be whole, or
// longer than what is at hand of it.
func beginsRequest(b []byte) bool {
	text, _, whole := bytes.Cut(b, []byte{'\n'})
	words := bytes.Fields(text)
	if len(words) == 0 || len(text) > maxLine {
		return false
	}
	c, ok := commands[string(words[0])]
	if !ok || whole && (len(words) < c.words || len(words) > c.words+maxKeys) {
		return false
	}
	for _, ch := range text {
		if ch < ' ' && ch != '\r' {
			return false
		}
	}
	if !whole {
		return len(text) > len(words[0]) // and a space
	}
	return c.value == 0 || isLength(words[c.value])
}

func isLength(b []byte) bool {
	n, ok := dbconn.Number(b)
	return ok && n >= 0 && n <= maxValue
}

// binaryRequest is what requests of the binary protocol begin with.
const binaryRequest = 0x80

// beginsBinary tells whether b begins a request of the binary protocol.
func beginsBinary(b []byte) bool {
	return len(b) >= 8 && b[0] == binaryRequest && b[1] < 64 && b[2] == 0 && b[5] == 0
}
