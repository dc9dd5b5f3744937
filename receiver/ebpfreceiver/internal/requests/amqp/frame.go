package amqp

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// preface is what a client begins a connection with.
const preface = "AMQP\x00\x00\x09\x01"

// heartbeatFrame is a whole frame that says nothing.
const heartbeatFrame = "\x08\x00\x00\x00\x00\x00\x00\xce"

// Types of frames. Each has its type, a channel and a length before, and a byte
// behind it.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8

	headSize = 7
	frameEnd = 0xce
	maxFrame = 1 << 20 // bytes; brokers allow 128 KiB unless told otherwise
)

// maxKept is how much of a frame is kept that comes in parts.
const maxKept = 1024

// framing is what the kernel side knows of frames.
var framing = event.Framing{
	Header: headSize, Length: 3, Rest: 1,
	Kinds: 1<<frameMethod | 1<<frameHeader | 1<<frameBody | 1<<frameHeartbeat, Longest: maxFrame,
	Keep: maxKept, Bulk: frameBody,
}

var frames = dbconn.Header{
	Size: headSize,
	Length: func(head []byte) (uint64, bool) {
		if string(head) == preface[:headSize] {
			return uint64(len(preface) - headSize), true
		}
		n := binary.BigEndian.Uint32(head[3:])
		switch head[0] {
		case frameMethod:
			return uint64(n) + 1, n >= 4 && n <= maxFrame
		case frameHeader:
			return uint64(n) + 1, n >= contentHeader && n <= maxFrame
		case frameBody:
			return uint64(n) + 1, n <= maxFrame
		case frameHeartbeat:
			return 1, n == 0
		}
		return 0, false
	},
	Keep: func(head []byte) int {
		if head[0] == frameBody {
			return 0
		}
		return maxKept
	},
}

// begins tells whether b begins a frame that can stand at the beginning of what
// one side says, and which side's it is.
func begins(b []byte) exchange.Verdict {
	if len(b) < headSize+1 {
		return exchange.Foreign
	}
	n, ok := frames.Length(b[:headSize])
	if !ok || uint64(len(b)) >= headSize+n && b[headSize+n-1] != frameEnd {
		return exchange.Foreign
	}
	switch b[0] {
	case frameHeartbeat:
		if string(b[:len(heartbeatFrame)]) == heartbeatFrame {
			return exchange.IsEither
		}
	case frameMethod:
		if len(b) < headSize+4 {
			return exchange.Foreign
		}
		m := methods[binary.BigEndian.Uint32(b[headSize:])]
		onConnection := b[1] == 0 && b[2] == 0
		if m == nil || onConnection != (b[headSize+1] == classConnection) {
			return exchange.Foreign
		}
		return m.by
	}
	return exchange.Foreign
}

// reader takes fields off a frame. What is not there is zero, and ok false.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.b, r.ok = nil, false
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// number takes a number of up to 8 bytes.
func (r *reader) number(size int) (n uint64) {
	for _, c := range r.take(size) {
		n = n<<8 | uint64(c)
	}
	return n
}

// short takes a text with a byte for its length before it.
func (r *reader) short() []byte { return r.take(int(r.number(1))) }

// long takes a text or a table with four bytes for its length before it, as far
// as it is there.
func (r *reader) long() []byte {
	n := r.number(4)
	if n > uint64(len(r.b)) {
		r.ok = false
		n = uint64(len(r.b))
	}
	return r.take(int(n))
}
