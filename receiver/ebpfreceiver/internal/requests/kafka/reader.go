package kafka

import (
	"encoding/binary"
	"math"
)

// reader walks over the body of a message, of which only the first bytes may be
// at hand. After it has come to the end of these (cut), or found what no message
// has (bad), it returns zeros.
type reader struct {
	b        []byte // at hand
	unseen   uint64 // bytes behind b
	flexible bool   // compact lengths and tagged fields (KIP-482)
	cut, bad bool
}

func (r *reader) stopped() bool { return r.cut || r.bad }

// left is how many bytes are to come.
func (r *reader) left() uint64 { return uint64(len(r.b)) + r.unseen }

// take returns the next n bytes, nil when they are not all at hand.
func (r *reader) take(n uint64) []byte {
	if r.stopped() || !r.holds(n) {
		return nil
	}
	if n > uint64(len(r.b)) {
		r.cut = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// holds notes when n bytes are more than there are.
func (r *reader) holds(n uint64) bool {
	r.bad = r.bad || n > r.left()
	return !r.bad
}

// skip walks over n bytes, at hand or not.
func (r *reader) skip(n uint64) {
	if r.stopped() || !r.holds(n) {
		return
	}
	seen := min(n, uint64(len(r.b)))
	r.b = r.b[seen:]
	r.unseen -= n - seen
}

func (r *reader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint reads a number of 7 bits a byte, the lowest first.
func (r *reader) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.take(1)
		if b == nil {
			return 0
		}
		n |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return n
		}
	}
	r.bad = true
	return 0
}

// length reads the length of something that may be null, which counts as empty:
// of wide or of two bytes, or compact.
func (r *reader) length(wide bool) uint64 {
	n := int64(0)
	switch {
	case r.flexible:
		n = int64(r.uvarint()) - 1
	case wide:
		n = int64(r.int32())
	default:
		n = int64(r.int16())
	}
	r.bad = r.bad || n < -1 || n > math.MaxInt32
	if r.stopped() || n < 0 {
		return 0
	}
	r.holds(uint64(n))
	return uint64(n)
}

// text reads a string.
func (r *reader) text() []byte { return r.take(r.length(false)) }

// array reads how many elements follow. Each has a byte at least.
func (r *reader) array() int {
	n := r.length(true)
	if r.stopped() {
		return 0
	}
	return int(n)
}

// records reads how many bytes of records follow.
func (r *reader) records() uint64 { return r.length(true) }

// tags walks over the tagged fields that end a structure, where there are such,
// and returns the one with a number, nil when it is not among them.
func (r *reader) tags(wanted uint64) (found []byte) {
	if !r.flexible {
		return nil
	}
	for n := r.uvarint(); n > 0 && !r.stopped(); n-- {
		tag, size := r.uvarint(), r.uvarint()
		if tag == wanted {
			found = r.take(size)
		} else {
			r.skip(size)
		}
	}
	return found
}

// noTag is the number of no tagged field.
const noTag = math.MaxUint64

// end walks over the tagged fields of a structure.
func (r *reader) end() { r.tags(noTag) }
