package event

import "encoding/binary"

// Excerpts are parts of the bytes of a long segment, in their order, as they came
// over the wire:
//
//	excerpts = { at(4) len(4) bytes[len] }
type Excerpts []byte

// excerptHeader is the length of what is in front of the bytes of an excerpt.
const excerptHeader = 8

// Peek returns the first excerpt, and how many bytes of the segment are before it;
// false when there is none.
func (e Excerpts) Peek() (at uint64, b []byte, ok bool) {
	if len(e) < excerptHeader {
		return 0, nil, false
	}
	n := binary.LittleEndian.Uint32(e[4:])
	if uint64(n) > uint64(len(e)-excerptHeader) {
		return 0, nil, false
	}
	end := excerptHeader + int(n)
	return uint64(binary.LittleEndian.Uint32(e)), e[excerptHeader:end:end], true
}

// Next goes on behind the first excerpt.
func (e *Excerpts) Next() {
	if _, b, ok := e.Peek(); ok {
		*e = (*e)[excerptHeader+len(b):]
		return
	}
	*e = nil
}
