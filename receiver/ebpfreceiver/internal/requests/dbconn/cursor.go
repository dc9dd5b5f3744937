package dbconn

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// Cursor walks over the bytes of a segment. The first of them are at hand, of
// the others only their number is known.
type Cursor struct {
	Data   []byte
	Unseen uint64
}

// NewCursor returns a cursor at the beginning of a segment.
func NewCursor(s *exchange.Segment) Cursor {
	return Cursor{Data: s.Payload, Unseen: s.Len - uint64(len(s.Payload))}
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
func (c *Cursor) Drain() { c.Data, c.Unseen = nil, 0 }
