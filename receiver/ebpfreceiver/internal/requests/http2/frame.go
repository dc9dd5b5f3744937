package http2

import "encoding/binary"

// kind of a frame (RFC 9113, section 6).
type kind uint8

const (
	data           kind = 0x0
	headers        kind = 0x1
	priority       kind = 0x2
	rstStream      kind = 0x3
	settings       kind = 0x4
	pushPromise    kind = 0x5
	ping           kind = 0x6
	goAway         kind = 0x7
	windowUpdate   kind = 0x8
	continuation   kind = 0x9
	altSvc         kind = 0xa  // RFC 7838
	origin         kind = 0xc  // RFC 8336
	priorityUpdate kind = 0x10 // RFC 9218
)

// Flags.
const (
	flagEndStream  = 0x1 // also ACK
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// frameHeader is the length of what every frame begins with.
const frameHeader = 9

// header of a frame.
type header struct {
	length uint32 // of the payload
	stream uint32
	kind   kind
	flags  uint8
}

// parseHeader reads the header of a frame that b begins with.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < frameHeader {
		return h, false
	}
	return header{
		length: binary.BigEndian.Uint32(b) >> 8,
		kind:   kind(b[3]),
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1),
	}, true
}

// valid tells whether a frame may be, by the rules that every endpoint keeps.
func (h *header) valid() bool {
	switch h.kind {
	case data, headers, continuation, pushPromise:
		return h.stream != 0
	case priority:
		return h.stream != 0 && h.length == 5
	case rstStream:
		return h.stream != 0 && h.length == 4
	case settings:
		return h.stream == 0 && h.length%6 == 0
	case ping:
		return h.stream == 0 && h.length == 8
	case goAway:
		return h.stream == 0 && h.length >= 8
	case windowUpdate:
		return h.length == 4
	default: // unknown kinds are to be ignored
		return true
	}
}

// usualFrame is the longest payload that is sent unless the peer asks for more.
const usualFrame = 16 << 10

// flagsOf is the flags that the kinds of frames have.
var flagsOf = map[kind]uint8{
	data: flagEndStream | flagPadded, headers: flagEndStream | flagEndHeaders | flagPadded | flagPriority,
	priority: 0, rstStream: 0, settings: 1, pushPromise: flagEndHeaders | flagPadded, ping: 1, goAway: 0,
	windowUpdate: 0, continuation: flagEndHeaders, altSvc: 0, origin: 0, priorityUpdate: 0,
}

// plausible tells whether bytes that may be anything look like the header of a
// frame: nothing is in it that is allowed but unusual.
func (h *header) plausible() bool {
	flags, known := flagsOf[h.kind]
	return known && h.valid() && h.flags&^flags == 0 && h.length <= usualFrame
}

// fragment returns the part of a header block that a HEADERS, PUSH_PROMISE or
// CONTINUATION frame holds, whose payload is b or begins with it.
func (h *header) fragment(b []byte) []byte {
	skip, pad, whole := 0, 0, len(b) == int(h.length)
	if h.kind == continuation {
		return b
	}
	if h.flags&flagPadded != 0 && len(b) > 0 {
		skip, pad = 1, int(b[0])
	}
	switch {
	case h.kind == pushPromise:
		skip += 4
	case h.flags&flagPriority != 0:
		skip += 5
	}
	end := len(b)
	if whole {
		end -= pad
	} else {
		end = min(end, int(h.length)-pad)
	}
	if skip > end {
		return nil
	}
	return b[skip:end]
}

// resumes tells whether a segment of so many bytes, of which b are at hand,
// begins with a frame, although the bytes before it were not seen. That its
// frames end where it does is proof enough, so is a stream that is expected.
// Some read the header of a frame and its payload by a call each.
func resumes(b []byte, length uint64, expected func(stream uint32) bool) bool {
	at := uint64(0)
	for frames := 0; ; frames++ {
		if at == length {
			return frames > 0
		}
		h, ok := header{}, false
		if at < uint64(len(b)) {
			h, ok = parseHeader(b[at:])
		}
		if !ok { // not at hand
			return frames > 2
		}
		if !h.plausible() {
			return false
		}
		if at+frameHeader == length {
			return true
		}
		at += frameHeader + uint64(h.length)
		if (h.kind == headers || h.kind == data) && expected(h.stream) {
			return true
		}
		if at > length {
			return frames > 1
		}
	}
}
