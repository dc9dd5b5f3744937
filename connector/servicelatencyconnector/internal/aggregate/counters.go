package aggregate

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// counters is an array of unsigned counters that are one, two, four or eight
// bytes wide: as wide as the largest one needs. Most series count to a few
// hundred in an interval, so this makes a histogram a quarter of its size.
type counters struct {
	data  []byte
	shift uint8 // log2 of the width in bytes
}

func (c *counters) size() int { return len(c.data) >> c.shift }

// reset makes it size zeroed counters, keeping the memory where it suffices.
func (c *counters) reset(size int) {
	c.shift = 0
	if cap(c.data) < size {
		c.data = make([]byte, size)
		return
	}
	c.data = c.data[:size]
	clear(c.data)
}

func (c *counters) get(i int) uint64 {
	switch c.shift {
	case 0:
		return uint64(c.data[i])
	case 1:
		return uint64(binary.LittleEndian.Uint16(c.data[i<<1:]))
	case 2:
		return uint64(binary.LittleEndian.Uint32(c.data[i<<2:]))
	default:
		return binary.LittleEndian.Uint64(c.data[i<<3:])
	}
}

func (c *counters) put(i int, v uint64) {
	switch c.shift {
	case 0:
		c.data[i] = uint8(v)
	case 1:
		binary.LittleEndian.PutUint16(c.data[i<<1:], uint16(v))
	case 2:
		binary.LittleEndian.PutUint32(c.data[i<<2:], uint32(v))
	default:
		binary.LittleEndian.PutUint64(c.data[i<<3:], v)
	}
}

// add raises counter i by n, widening all counters when the sum does not fit.
// It stops at the largest uint64 instead of wrapping.
func (c *counters) add(i int, n uint64) {
	v, carry := bits.Add64(c.get(i), n, 0)
	if carry != 0 {
		v = math.MaxUint64
	}
	if need := widthFor(v); need > c.shift {
		c.widen(need)
	}
	c.put(i, v)
}

func widthFor(v uint64) uint8 {
	switch {
	case v <= math.MaxUint8:
		return 0
	case v <= math.MaxUint16:
		return 1
	case v <= math.MaxUint32:
		return 2
	default:
		return 3
	}
}

// widen gives every counter 2^shift bytes. It copies from the last to the
// first, so that it can work inside the same memory.
func (c *counters) widen(shift uint8) {
	n := c.size()
	wide := counters{shift: shift}
	if cap(c.data) >= n<<shift {
		wide.data = c.data[:n<<shift]
	} else {
		wide.data = make([]byte, n<<shift)
	}
	for i := n - 1; i >= 0; i-- {
		wide.put(i, c.get(i))
	}
	*c = wide
}

// relocate makes it size counters of which [to, to+n) are the former
// [from, from+n) and all others are zero.
func (c *counters) relocate(from, n, to, size int) {
	bytes := size << c.shift
	lo, hi := from<<c.shift, (from+n)<<c.shift
	at := to << c.shift
	if cap(c.data) < bytes {
		moved := make([]byte, bytes)
		copy(moved[at:], c.data[lo:hi])
		c.data = moved
		return
	}
	old := c.data[lo:hi]
	c.data = c.data[:bytes]
	copy(c.data[at:], old)
	clear(c.data[:at])
	clear(c.data[at+len(old):])
}
