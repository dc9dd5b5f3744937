package bolt

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Tags of messages: the second byte, behind a marker with the number of fields.
const (
	hello        = 0x01
	goodbye      = 0x02
	ackFailure   = 0x0e
	reset        = 0x0f
	run          = 0x10
	begin        = 0x11
	commit       = 0x12
	rollback     = 0x13
	discard      = 0x2f
	pull         = 0x3f
	telemetry    = 0x54
	route        = 0x66
	logon        = 0x6a
	logoff       = 0x6b
	success      = 0x70
	record       = 0x71
	ignored      = 0x7e
	failure      = 0x7f
	structNibble = 0xb
)

// shape is what is known of a kind of message.
type shape struct {
	known    bool
	name     string // of an operation of its own
	min, max byte   // fields
	asks     bool   // the client's
	starts   bool   // a conversation may be followed from it on
	first    valueKind
}

// shapes are the messages of versions 1 to 6 by their tags.
var shapes = [256]shape{
	hello:      {known: true, name: "HELLO", min: 1, max: 2, asks: true, starts: true},
	goodbye:    {known: true, asks: true},
	ackFailure: {known: true, asks: true},
	reset:      {known: true, asks: true, starts: true},
	run:        {known: true, min: 2, max: 3, asks: true, starts: true, first: stringValue},
	begin:      {known: true, name: "BEGIN", min: 1, max: 1, asks: true, starts: true, first: mapValue},
	commit:     {known: true, name: "COMMIT", asks: true, starts: true},
	rollback:   {known: true, name: "ROLLBACK", asks: true, starts: true},
	discard:    {known: true, max: 1, asks: true, first: mapValue},
	pull:       {known: true, max: 1, asks: true, first: mapValue},
	telemetry:  {known: true, min: 1, max: 1, asks: true},
	route:      {known: true, name: "ROUTE", min: 3, max: 3, asks: true, starts: true, first: mapValue},
	logon:      {known: true, name: "LOGON", min: 1, max: 1, asks: true, starts: true, first: mapValue},
	logoff:     {known: true, asks: true, starts: true},
	success:    {known: true, min: 1, max: 1, first: mapValue},
	record:     {known: true, min: 1, max: 1, first: listValue},
	ignored:    {known: true, max: 1},
	failure:    {known: true, min: 1, max: 1, first: mapValue},
}

// message is one message. Its body is valid until the next call.
type message struct {
	tag  byte
	body []byte // the fields, as far as they are at hand
	cut  bool   // there is more of it
}

// parse takes the bytes of a message. It returns false when they are none.
func parse(b []byte, cut bool) (m message, ok bool) {
	if len(b) < 2 || b[0]>>4 != structNibble {
		return m, false
	}
	m = message{tag: b[1], body: b[2:], cut: cut}
	s, fields := &shapes[m.tag], b[0]&0xf
	if !s.known || fields < s.min || fields > s.max {
		return m, false
	}
	if fields == 0 || s.first == otherValue {
		return m, fields > 0 || cut || len(m.body) == 0
	}
	if len(m.body) == 0 {
		return m, cut
	}
	marker := m.body[0]
	kind := tiny[marker>>4]
	if kind == otherValue {
		kind = sized[marker].kind
	}
	return m, kind == s.first
}

// chunks are what both sides consist of: a length and so many bytes. Messages
// end with an empty one; between messages such a chunk means nothing.
func chunks(keep int) dbconn.Header {
	return dbconn.Header{
		Size:   chunkHeader,
		Length: func(head []byte) (uint64, bool) { return uint64(binary.BigEndian.Uint16(head)), true },
		Keep:   func([]byte) int { return keep },
	}
}

const chunkHeader = 2

// What is kept of a message that comes in parts: of an answer, metadata.
var (
	requests  = chunks(maxRequest)
	responses = chunks(maxResponse)
)

const (
	maxRequest  = 4096
	maxResponse = 1024
)

// stream cuts one side of a connection into messages.
type stream struct {
	frames dbconn.Frames
	buf    []byte // of a message in several chunks
	begun  bool   // a chunk of the current message was seen
	cut    bool   // some of it is not in buf
}

func (st *stream) reset() {
	st.frames.Reset()
	st.buf, st.begun, st.cut = st.buf[:0], false, false
}

// between tells whether the next byte begins a message.
func (st *stream) between() bool { return !st.begun && st.frames.Between() }

// next walks to the end of the next message. b is its bytes.
func (st *stream) next(c *dbconn.Cursor, h *dbconn.Header, limit int) (b []byte, cut bool, found dbconn.Found) {
	for {
		m, found := st.frames.Next(c, h)
		switch {
		case found != dbconn.Whole:
			return nil, false, found
		case m.Len == 0 && st.begun:
			b, cut = st.buf, st.cut
			st.buf, st.begun, st.cut = st.buf[:0], false, false
			return b, cut, dbconn.Whole
		case m.Len == 0: // to keep the connection alive
			if c.Left() == 0 {
				return nil, false, dbconn.More
			}
			continue
		case !st.begun && len(c.Data) >= chunkHeader && c.Data[0] == 0 && c.Data[1] == 0:
			c.Skip(chunkHeader)
			return m.Body, m.Cut(), dbconn.Whole
		}
		room := limit - len(st.buf)
		st.begun, st.cut = true, st.cut || m.Cut() || len(m.Body) > room
		if !st.cut || len(st.buf) == 0 {
			st.buf = append(st.buf, m.Body[:min(len(m.Body), room)]...)
		}
	}
}

// unfinished gives up the rest of the message that was begun and returns what is
// there of it.
func (st *stream) unfinished() []byte {
	b := st.buf
	if len(b) == 0 {
		b = nil
	}
	st.begun, st.cut, st.buf = false, false, st.buf[:0]
	st.frames.Reset()
	return b
}

// walk tells how many messages of a side b consists of, from its beginning on;
// none when there is anything else. The last one may go on behind b.
func walk(b []byte, asks bool) (n int, first message) {
	for len(b) >= chunkHeader+2 {
		size := int(binary.BigEndian.Uint16(b))
		body := b[chunkHeader:]
		m, ok := parse(body[:min(size, len(body))], size > len(body))
		if !ok || shapes[m.tag].asks != asks {
			return 0, first
		}
		if n++; n == 1 {
			first = m
		}
		if len(body) < size+chunkHeader {
			return n, first
		}
		if body[size] != 0 || body[size+1] != 0 { // goes on in another chunk
			return n, first
		}
		b = body[size+chunkHeader:]
		for len(b) >= chunkHeader && b[0] == 0 && b[1] == 0 {
			b = b[chunkHeader:]
		}
	}
	return n, first
}

// beginsRequest tells whether a conversation may be followed from b on.
func beginsRequest(b []byte) bool {
	n, first := walk(b, true)
	return n > 0 && shapes[first.tag].starts
}

// ending finds the messages of a side that a segment ends with, in bytes that
// are its last ones: the earliest place from which whole messages lead to the
// end, the first of them one that is wanted.
func ending(b []byte, wanted func(tag byte) bool) []byte {
	for ; len(b) >= 2*chunkHeader+2; b = b[1:] {
		if b[chunkHeader]>>4 == structNibble && wanted(b[chunkHeader+1]) && wholeMessages(b) {
			return b
		}
	}
	return nil
}

// wholeMessages tells whether b is whole messages of one chunk each.
func wholeMessages(b []byte) bool {
	for len(b) > 0 {
		if len(b) < chunkHeader {
			return false
		}
		size := int(binary.BigEndian.Uint16(b))
		if len(b) < size+2*chunkHeader || b[size+chunkHeader] != 0 || b[size+chunkHeader+1] != 0 {
			return false
		}
		m, ok := parse(b[chunkHeader:chunkHeader+size], false)
		if !ok {
			return false
		}
		if r := (reader{m.body}); size > 2 && !r.fields(b[chunkHeader]&0xf) {
			return false
		}
		b = b[size+2*chunkHeader:]
	}
	return true
}

// fields tells whether there are n values and nothing else.
func (r *reader) fields(n byte) bool {
	for ; n > 0; n-- {
		if !r.skip() {
			return false
		}
	}
	return len(r.b) == 0
}

// rear returns the last bytes of a segment that are at hand.
func rear(s *exchange.Segment) []byte {
	if uint64(len(s.Payload)) == s.Len {
		return s.Payload
	}
	return s.Tail
}
