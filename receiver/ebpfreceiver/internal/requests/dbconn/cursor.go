package dbconn

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Cursor walks over the bytes of a segment. The first of them are at hand and,
// where frames are followed, some of the others, of which else only their number is
// known.
type Cursor struct {
	Data   []byte // at hand
	Unseen uint64 // bytes behind Data

	length   uint64         // of the segment
	excerpts event.Excerpts // of the bytes behind Data
}

// NewCursor returns a cursor at the beginning of a segment.
func NewCursor(s *exchange.Segment) Cursor {
	return Cursor{Data: s.Payload, Unseen: s.Len - uint64(len(s.Payload)), length: s.Len, excerpts: s.Excerpts}
}

// Left is how many bytes are to come.
func (c *Cursor) Left() uint64 { return uint64(len(c.Data)) + c.Unseen }

// Skip walks over at most n bytes and returns over how many.
func (c *Cursor) Skip(n uint64) uint64 {
	n = min(n, c.Left())
	seen := min(n, uint64(len(c.Data)))
	c.Data = c.Data[seen:]
	c.Unseen -= n - seen
	return n
}

// Drain walks to the end.
func (c *Cursor) Drain() { c.Data, c.Unseen, c.excerpts = nil, 0, nil }

// Advance puts the bytes that come next into Data, if it is empty and they are at
// hand. It returns false when Data stays empty.
func (c *Cursor) Advance() bool {
	for len(c.Data) == 0 {
		now := c.length - c.Unseen
		at, b, ok := c.excerpts.Peek()
		if !ok || at > now {
			return false
		}
		c.excerpts.Next()
		if skip := now - at; skip < uint64(len(b)) {
			c.seek(now, b[skip:])
		}
	}
	return true
}

// Pass goes on with the next bytes at hand behind Data, whatever is before them:
// there a frame begins. It returns false when there are none.
func (c *Cursor) Pass() bool {
	for {
		at, b, ok := c.excerpts.Peek()
		if !ok {
			return false
		}
		c.excerpts.Next()
		if at > c.length-c.Left() {
			c.seek(at, b)
			return true
		}
	}
}

// seek goes on at a place in the segment, from which on b is at hand.
func (c *Cursor) seek(at uint64, b []byte) {
	left := c.length - min(at, c.length)
	c.Data = b[:min(uint64(len(b)), left)]
	c.Unseen = left - uint64(len(c.Data))
}
