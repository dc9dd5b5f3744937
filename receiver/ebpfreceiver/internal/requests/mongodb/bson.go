package mongodb

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Kinds of BSON values that are told apart.
const (
	kindDouble   = 0x01
	kindString   = 0x02
	kindDocument = 0x03
	kindArray    = 0x04
	kindBinary   = 0x05
	kindBool     = 0x08
	kindRegex    = 0x0b
	kindPointer  = 0x0c
	kindCode     = 0x0d
	kindSymbol   = 0x0e
	kindScoped   = 0x0f
	kindInt32    = 0x10
	kindInt64    = 0x12
	kindDecimal  = 0x13
	kindMinKey   = 0xff
	kindMaxKey   = 0x7f
)

// sizes are the lengths of values that always have the same.
var sizes = [256]uint8{
	kindDouble: 8, 0x07: 12, kindBool: 1, 0x09: 8, kindInt32: 4, 0x11: 8, kindInt64: 8, kindDecimal: 16,
}

// knownKind tells whether there are values of a kind.
func knownKind(kind byte) bool {
	return kind >= kindDouble && kind <= kindDecimal || kind == kindMinKey || kind == kindMaxKey
}

// document walks over the elements of a document or an array, as far as they
// are at hand.
type document struct {
	data  []byte
	whole bool // nothing of it is missing
	ended bool // its end was reached, as it should be
}

// minDocument is a length and the zero byte at the end.
const minDocument = 5

// openDocument opens a document that b begins with. size is its length; 0 when
// it is none or its length is not at hand.
func openDocument(b []byte) (d document, size int) {
	if len(b) < 4 {
		return d, 0
	}
	n := binary.LittleEndian.Uint32(b)
	if n < minDocument || n > maxMessage {
		return d, 0
	}
	return document{data: b[4:min(int(n), len(b))], whole: int(n) <= len(b)}, int(n)
}

// element is one of a document. Its slices are the document's.
type element struct {
	kind  byte
	key   []byte
	value []byte
	whole bool // value is
}

// next reads the next element. It returns false at the end, and where anything
// is missing or not BSON.
func (d *document) next(e *element) bool {
	if len(d.data) == 0 {
		return false
	}
	kind := d.data[0]
	if kind == 0 {
		d.ended = d.whole && len(d.data) == 1
		d.data = nil
		return false
	}
	key, rest, ok := bytes.Cut(d.data[1:], []byte{0})
	if !ok || !knownKind(kind) {
		d.data = nil
		return false
	}
	n, ok := valueSize(kind, rest)
	if !ok {
		d.data = nil
		return false
	}
	n = min(n, maxMessage)
	*e = element{kind: kind, key: key, value: rest[:min(n, len(rest))], whole: n <= len(rest)}
	d.data = rest[len(e.value):]
	return true
}

// valueSize is the length of the value that b begins with, false when it is not
// known.
func valueSize(kind byte, b []byte) (int, bool) {
	extra := 0
	switch kind {
	case kindString, kindCode, kindSymbol:
		extra = 4
	case kindBinary:
		extra = 5
	case kindPointer:
		extra = 16
	case kindDocument, kindArray, kindScoped:
	case kindRegex:
		_, options, ok := bytes.Cut(b, []byte{0})
		end := bytes.IndexByte(options, 0)
		return len(b) - len(options) + end + 1, ok && end >= 0
	default:
		return int(sizes[kind]), true
	}
	if len(b) < 4 {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(b)
	return int(n) + extra, n <= maxMessage
}

// text is the value of a string, nil for anything else.
func (e *element) text() []byte {
	if e.kind != kindString || !e.whole || len(e.value) < minDocument {
		return nil
	}
	return e.value[4 : len(e.value)-1]
}

// number is the value of a number or of a truth, false for anything else.
func (e *element) number() (int64, bool) {
	if !e.whole {
		return 0, false
	}
	switch e.kind {
	case kindInt32:
		return int64(int32(binary.LittleEndian.Uint32(e.value))), true
	case kindInt64:
		return int64(binary.LittleEndian.Uint64(e.value)), true
	case kindBool:
		return int64(e.value[0]), true
	case kindDouble:
		f := math.Float64frombits(binary.LittleEndian.Uint64(e.value))
		if math.IsNaN(f) || math.Abs(f) > 1<<53 {
			return 0, false
		}
		return int64(f), true
	}
	return 0, false
}

// isTrue tells whether the value is a number other than zero, or true.
func (e *element) isTrue() bool {
	n, ok := e.number()
	return ok && n != 0
}

// document opens a value that is one, or an array.
func (e *element) document() document {
	if e.kind != kindDocument && e.kind != kindArray {
		return document{}
	}
	d, _ := openDocument(e.value)
	return d
}

// count is how many elements d has, false when some of it is missing.
func (d document) count() (n int, ok bool) {
	var e element
	for d.next(&e) {
		n++
	}
	return n, d.ended
}

// isKey tells whether an element has a name.
func (e *element) isKey(name string) bool { return string(e.key) == name }
