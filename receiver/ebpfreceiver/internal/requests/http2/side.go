package http2

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/http2/hpack"
)

// cursor walks over the bytes of a segment. The first of them are at hand and some
// of the others, of which else only their number is known.
type cursor struct {
	data     []byte
	unseen   uint64         // bytes behind data
	length   uint64         // of the segment
	excerpts event.Excerpts // of the bytes behind data; the first may overlap with it
	tail     []byte         // the last bytes of the segment; may overlap with data
}

// cursorOf returns one at the beginning of a segment.
func cursorOf(s *exchange.Segment) cursor {
	return cursor{
		data: s.Payload, unseen: s.Len - uint64(len(s.Payload)), length: s.Len,
		excerpts: s.Excerpts, tail: s.Tail,
	}
}

// at is the place in the segment.
func (c *cursor) at() uint64 { return c.length - c.left() }

// seek goes on at a place in the segment, behind the current one, of which b are
// the bytes that are at hand.
func (c *cursor) seek(at uint64, b []byte) {
	b = b[:min(uint64(len(b)), c.length-min(at, c.length))]
	c.data, c.unseen = b, c.length-min(at, c.length)-uint64(len(b))
}

// advance goes on with the bytes at hand that come next, when those before were
// walked over.
func (c *cursor) advance() {
	if len(c.data) > 0 || c.unseen == 0 {
		return
	}
	for now := c.at(); ; c.excerpts.Next() {
		at, b, ok := c.excerpts.Peek()
		if !ok || at > now {
			break
		}
		if skip := now - at; skip < uint64(len(b)) {
			c.seek(now, b[skip:])
			c.excerpts.Next()
			return
		}
	}
	if n := uint64(len(c.tail)); len(c.data) == 0 && c.unseen > 0 && c.unseen <= n {
		c.data, c.unseen = c.tail[n-c.unseen:], 0
	}
}

func (c *cursor) left() uint64 { return uint64(len(c.data)) + c.unseen }

// take returns at most n of the bytes at hand and walks over them.
func (c *cursor) take(n int) []byte {
	n = min(n, len(c.data))
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

// skip walks over at most n bytes, and returns those of them that are at hand
// and the number of the others.
func (c *cursor) skip(n uint64) (seen []byte, unseen uint64) {
	seen = c.take(int(min(n, uint64(len(c.data)))))
	if len(c.data) == 0 {
		unseen = min(n-uint64(len(seen)), c.unseen)
		c.unseen -= unseen
	}
	return seen, unseen
}

// side is one direction of a connection, as a sequence of frames.
type side struct {
	which   exchange.Side
	inSync  bool // the next byte is the one that the fields below say
	preface int  // bytes of the client's preface still to come

	raw   [frameHeader]byte // of the header that is being read
	n     int               // how many of it are there
	frame header            // the current one, if inFrame
	left  uint32            // bytes of its payload to come
	part  part
	pad   uint32           // bytes of padding at the end of a DATA frame
	cur   *stream          // that the current DATA frame belongs to, if it is followed
	first exchange.Segment // that the current header block began in

	buf   []byte // payload so far of a frame that is needed as a whole
	block []byte // header block so far, over frames
	open  header // the HEADERS frame that began it, if blocked
	// blocked: only CONTINUATION may follow. dropped: the block is of no use.
	blocked, dropped bool

	dec hpack.Decoder
}

// part is where in the current frame a side is.
type part uint8

const (
	between   part = iota // before or in the header of a frame
	collected             // in a payload that is needed as a whole
	skipped               // in one that is of no interest
	padLength             // before the padding length of DATA
	inData
)

// Bounds of what a side may hold.
const (
	maxBlock = 64 << 10 // bytes of a header block
	keepBuf  = 4 << 10  // a larger buffer is not kept for the next connection
)

func (sd *side) reset(which exchange.Side, midway bool) {
	*sd = side{which: which, inSync: !midway, buf: recycle(sd.buf), block: recycle(sd.block), dec: sd.dec}
	if which == exchange.Request && !midway {
		sd.preface = len(preface)
	}
	sd.dec.Reset()
}

func recycle(b []byte) []byte {
	if cap(b) > keepBuf {
		return nil
	}
	return b[:0]
}

// lose says that it is not known any more where the next frame begins, nor what
// the encoder of header blocks has learned.
func (sd *side) lose() {
	sd.inSync, sd.preface, sd.n, sd.part, sd.cur = false, 0, 0, between, nil
	sd.blocked, sd.dropped = false, false
	sd.dec.Lose()
}

// enter begins the current frame.
func (sd *side) enter() {
	sd.n, sd.left, sd.pad, sd.cur = 0, sd.frame.length, 0, nil
	switch sd.frame.kind {
	case data:
		sd.part = inData
		if sd.frame.flags&flagPadded != 0 {
			sd.part = padLength
		}
	case headers, pushPromise, continuation, rstStream, goAway:
		sd.part = collected
		sd.buf = sd.buf[:0]
	default:
		sd.part = skipped
	}
}

// begins remembers the segment that the current header block begins in.
func (sd *side) begins(s *exchange.Segment) {
	sd.first = exchange.Segment{Side: s.Side, Start: s.Start, End: s.End, Who: s.Who}
}
