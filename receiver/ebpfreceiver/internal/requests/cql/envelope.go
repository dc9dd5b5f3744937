package cql

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// An envelope, until version 4 a frame, begins with version and direction, flags,
// the number of a stream, an opcode, and the length of its body.
const (
	envelopeHeader = 9
	maxBody        = 256 << 20
	response       = 0x80 // of the first byte
)

// Opcodes.
const (
	opError         = 0x00
	opStartup       = 0x01
	opReady         = 0x02
	opAuthenticate  = 0x03
	opOptions       = 0x05
	opSupported     = 0x06
	opQuery         = 0x07
	opResult        = 0x08
	opPrepare       = 0x09
	opExecute       = 0x0a
	opRegister      = 0x0b
	opEvent         = 0x0c
	opBatch         = 0x0d
	opAuthChallenge = 0x0e
	opAuthResponse  = 0x0f
	opAuthSuccess   = 0x10
)

// Flags of an envelope.
const (
	flagCompressed = 0x01
	flagTracing    = 0x02
	flagPayload    = 0x04
	flagWarning    = 0x08
	knownFlags     = 0x1f
)

// operation is what is known of an opcode.
type operation struct {
	known    bool
	name     string // of one without a statement
	asks     bool   // the client's
	quiet    bool   // reported only if it fails
	shortest uint32 // body
}

var operations = [256]operation{
	opStartup:      {known: true, name: "STARTUP", asks: true, quiet: true, shortest: 2},
	opOptions:      {known: true, name: "OPTIONS", asks: true},
	opQuery:        {known: true, asks: true, shortest: 7},
	opPrepare:      {known: true, asks: true, shortest: 4},
	opExecute:      {known: true, asks: true, shortest: 5},
	opRegister:     {known: true, name: "REGISTER", asks: true, quiet: true, shortest: 2},
	opBatch:        {known: true, asks: true, shortest: 6},
	opAuthResponse: {known: true, name: "AUTH_RESPONSE", asks: true, quiet: true, shortest: 4},

	opError:         {known: true, shortest: 6},
	opReady:         {known: true},
	opAuthenticate:  {known: true, shortest: 2},
	opSupported:     {known: true, shortest: 2},
	opResult:        {known: true, shortest: 4},
	opEvent:         {known: true, shortest: 2},
	opAuthChallenge: {known: true, shortest: 4},
	opAuthSuccess:   {known: true, shortest: 4},
}

// header is how an envelope begins.
type header struct {
	version byte // without the direction
	flags   byte
	opcode  byte
	asks    bool // by the direction
	stream  int16
	length  uint32
}

// Versions that have segments, and in which some fields are longer.
const (
	version5 = 5
	dse1     = 0x41
	dse2     = 0x42
)

// parseHeader reads a header, of which all bytes must be there.
func parseHeader(b []byte) header {
	return header{
		version: b[0] &^ response, asks: b[0]&response == 0, flags: b[1],
		stream: int16(binary.BigEndian.Uint16(b[2:])), opcode: b[4], length: binary.BigEndian.Uint32(b[5:]),
	}
}

// valid tells whether there are such headers.
func (h *header) valid() bool {
	switch h.version {
	case 3, 4, version5, dse1, dse2:
	default:
		return false
	}
	op := &operations[h.opcode]
	if !op.known || op.asks != h.asks || h.flags&^byte(knownFlags) != 0 || h.length > maxBody {
		return false
	}
	switch {
	case h.flags&flagCompressed != 0:
		return h.length > 0
	case h.opcode == opOptions:
		return h.length == 0 && h.stream >= 0
	case h.opcode == opReady:
		return h.length == 0 || h.flags != 0
	case h.opcode == opEvent:
		return h.stream == -1
	}
	return h.length >= op.shortest && (h.stream >= 0 || !h.asks)
}

// envelopes are how both sides begin their messages. What is kept of one that
// comes in parts is its beginning.
func envelopes(asks bool, keep int) dbconn.Header {
	return dbconn.Header{
		Size: envelopeHeader,
		Length: func(head []byte) (uint64, bool) {
			h := parseHeader(head)
			return uint64(h.length), h.valid() && h.asks == asks
		},
		Keep: func([]byte) int { return keep },
	}
}

var headers = [2]dbconn.Header{
	exchange.Request:  envelopes(true, 4096),
	exchange.Response: envelopes(false, 2048),
}

// bare tells whether an envelope may stand outside of a segment: those of version
// 5 only before there are any.
func (h *header) bare() bool {
	if h.version != version5 {
		return true
	}
	switch h.opcode {
	case opOptions, opStartup, opSupported, opReady, opAuthenticate, opError:
		return true
	}
	return false
}

// beginsBare tells whether b, the first bytes of n, begins with an envelope that
// is in no segment.
func beginsBare(b []byte, n uint64, asks bool) bool {
	if walk(b, n, asks) == 0 {
		return false
	}
	h := parseHeader(b)
	return h.bare()
}

// walk tells how many envelopes of a side b consists of, the last of which may
// go on; none when there is anything else. n is the length of the segment that b
// begins.
func walk(b []byte, n uint64, asks bool) (count int) {
	for len(b) >= envelopeHeader {
		h := parseHeader(b)
		if !h.valid() || h.asks != asks || !h.plausible(b[envelopeHeader:]) {
			return 0
		}
		count++
		size := uint64(envelopeHeader) + uint64(h.length)
		if size >= n || size >= uint64(len(b)) {
			return count
		}
		b, n = b[size:], n-size
	}
	return count
}

// plausible looks at the beginning of a body: the length of a text, the kind of
// a result.
func (h *header) plausible(b []byte) bool {
	if len(b) < 4 || h.length < 4 || h.flags&^byte(flagTracing) != 0 || !h.asks && h.flags != 0 {
		return true
	}
	switch n := binary.BigEndian.Uint32(b); h.opcode {
	case opQuery, opPrepare:
		return n > 0 && n <= h.length-4
	case opExecute:
		size := uint32(binary.BigEndian.Uint16(b))
		return size > 0 && size <= h.length-2
	case opResult:
		return n >= 1 && n <= 5
	case opBatch:
		return b[0] <= 2
	}
	return true
}
