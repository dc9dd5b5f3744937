package unpack

import "encoding/binary"

// block is what was unpacked of a block so far. Both formats build it from
// literals and from copies of what stands before.
type block struct {
	out  []byte
	most int // bytes of out at the end
}

func (b *block) full() bool { return len(b.out) >= b.most }

// literal appends the first n bytes of src, as far as they are there. It tells
// whether they all are, or no more are wanted.
func (b *block) literal(src []byte, n uint64) bool {
	take := min(n, uint64(len(src)), uint64(b.most-len(b.out)))
	b.out = append(b.out, src[:take]...)
	return take == n || b.full()
}

// repeat appends n bytes that stand so far before the end. The two may overlap.
func (b *block) repeat(distance, n uint64) bool {
	if distance == 0 || distance > uint64(len(b.out)) {
		return false
	}
	n = min(n, uint64(b.most-len(b.out)))
	for i := uint64(len(b.out)) - distance; n > 0; i, n = i+1, n-1 {
		b.out = append(b.out, b.out[i])
	}
	return true
}

// LZ4 unpacks the first bytes of a block of LZ4, which may be cut, into dst: most
// bytes at the most. It returns fewer where the block ends before, or is none.
func LZ4(dst, src []byte, most int) []byte {
	b := block{out: dst[:0], most: most}
	for len(src) > 0 && !b.full() {
		token := src[0]
		literals, rest, ok := lz4Length(src[1:], token>>4)
		if !ok || !b.literal(rest, literals) || b.full() || literals == uint64(len(rest)) {
			break
		}
		src = rest[literals:]
		if len(src) < 2 {
			break
		}
		distance := binary.LittleEndian.Uint16(src)
		n, rest, ok := lz4Length(src[2:], token&15)
		if !ok || !b.repeat(uint64(distance), n+4) {
			break
		}
		src = rest
	}
	return b.out
}

// lz4Length reads a length whose first four bits are given.
func lz4Length(src []byte, bits byte) (n uint64, rest []byte, ok bool) {
	n = uint64(bits)
	if bits < 15 {
		return n, src, true
	}
	for i, c := range src {
		if n += uint64(c); c != 255 {
			return n, src[i+1:], true
		}
	}
	return n, nil, false
}

// Snappy unpacks the first bytes of a block of Snappy as LZ4 does. length is what
// the block says it unpacks to; 0 when it is none.
func Snappy(dst, src []byte, most int) (out []byte, length uint64) {
	length, n := binary.Uvarint(src)
	if n <= 0 || length > maxLength {
		return dst[:0], 0
	}
	b := block{out: dst[:0], most: int(min(uint64(most), length))}
	for src = src[n:]; len(src) > 0 && !b.full(); {
		used, ok := b.snappy(src)
		if !ok {
			break
		}
		src = src[min(used, uint64(len(src))):]
	}
	return b.out, length
}

// maxLength is the longest text that is believed.
const maxLength = 256 << 20

// snappy follows the element that src begins with, and tells its length.
func (b *block) snappy(src []byte) (used uint64, ok bool) {
	tag, high := src[0]&3, uint64(src[0]>>2)
	if tag == 0 {
		extra := 0
		if high >= 60 { // the length less one follows
			extra = int(high - 59)
			if len(src) <= extra {
				return 0, false
			}
			high = little(src[1 : 1+extra])
		}
		used = 1 + uint64(extra) + high + 1
		return used, b.literal(src[1+extra:], high+1)
	}
	used = []uint64{0, 2, 3, 5}[tag]
	if uint64(len(src)) < used {
		return 0, false
	}
	if tag == 1 {
		return used, b.repeat(high>>3<<8|uint64(src[1]), 4+high&7)
	}
	return used, b.repeat(little(src[1:used]), high+1)
}

// little reads a little-endian number.
func little(b []byte) (n uint64) {
	for i, c := range b {
		n |= uint64(c) << (8 * i)
	}
	return n
}
