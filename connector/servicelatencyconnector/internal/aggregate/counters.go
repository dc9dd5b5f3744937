package aggregate

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The cells of a window are unsigned counters that are one, two, four or eight
// bytes wide: as wide as the largest one needs. Most series count to a few
// hundred in an interval, so this makes a histogram a quarter of its size.

func (w *window) size() int { return len(w.data) >> w.shift }

// allocate makes it size zeroed counters, keeping the memory where it suffices.
func (w *window) allocate(size int) {
	w.shift = 0
	if cap(w.data) < size {
		w.data = make([]byte, size)
		return
	}
	w.data = w.data[:size]
	clear(w.data)
}

func (w *window) get(i int) uint64 {
	switch w.shift {
	case 0:
		return uint64(w.data[i])
	case 1:
		return uint64(binary.LittleEndian.Uint16(w.data[i<<1:]))
	case 2:
		return uint64(binary.LittleEndian.Uint32(w.data[i<<2:]))
	default:
		return binary.LittleEndian.Uint64(w.data[i<<3:])
	}
}

func (w *window) put(i int, v uint64) {
	switch w.shift {
	case 0:
		w.data[i] = uint8(v)
	case 1:
		binary.LittleEndian.PutUint16(w.data[i<<1:], uint16(v))
	case 2:
		binary.LittleEndian.PutUint32(w.data[i<<2:], uint32(v))
	default:
		binary.LittleEndian.PutUint64(w.data[i<<3:], v)
	}
}

// raise raises counter i by n, widening all counters when the sum does not fit.
// It stops at the largest uint64 instead of wrapping.
func (w *window) raise(i int, n uint64) {
	v, carry := bits.Add64(w.get(i), n, 0)
	if carry != 0 {
		v = math.MaxUint64
	}
	if need := widthFor(v); need > w.shift {
		w.widen(need)
	}
	w.put(i, v)
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
func (w *window) widen(shift uint8) {
	n := w.size()
	wide := window{shift: shift}
	if cap(w.data) >= n<<shift {
		wide.data = w.data[:n<<shift]
	} else {
		wide.data = make([]byte, n<<shift)
	}
	for i := n - 1; i >= 0; i-- {
		wide.put(i, w.get(i))
	}
	w.data, w.shift = wide.data, wide.shift
}

// relocate makes it size counters of which [to, to+n) are the former
// [from, from+n) and all others are zero.
func (w *window) relocate(from, n, to, size int) {
	bytes := size << w.shift
	lo, hi := from<<w.shift, (from+n)<<w.shift
	at := to << w.shift
	if cap(w.data) < bytes {
		moved := make([]byte, bytes)
		copy(moved[at:], w.data[lo:hi])
		w.data = moved
		return
	}
	old := w.data[lo:hi]
	w.data = w.data[:bytes]
	copy(w.data[at:], old)
	clear(w.data[:at])
	clear(w.data[at+len(old):])
}
