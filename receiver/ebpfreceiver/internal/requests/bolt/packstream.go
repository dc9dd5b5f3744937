package bolt

import "encoding/binary"

// reader reads values of PackStream. What it needs may lie beyond what is at
// hand; then its methods return false, and go on doing so.
type reader struct{ b []byte }

// Kinds of values that are told apart.
type valueKind uint8

const (
	otherValue valueKind = iota // null, booleans, numbers
	stringValue
	bytesValue
	listValue
	mapValue
	structValue
)

// sized are the markers that a length of 1, 2 or 4 bytes follows.
var sized = [256]struct {
	kind valueKind
	size int
}{
	0xcc: {bytesValue, 1}, 0xcd: {bytesValue, 2}, 0xce: {bytesValue, 4},
	0xd0: {stringValue, 1}, 0xd1: {stringValue, 2}, 0xd2: {stringValue, 4},
	0xd4: {listValue, 1}, 0xd5: {listValue, 2}, 0xd6: {listValue, 4},
	0xd8: {mapValue, 1}, 0xd9: {mapValue, 2}, 0xda: {mapValue, 4},
	0xdc: {structValue, 1}, 0xdd: {structValue, 2},
}

// tiny are the kinds of the markers that have their length in themselves, by the
// upper half.
var tiny = [16]valueKind{0x8: stringValue, 0x9: listValue, 0xa: mapValue, 0xb: structValue}

// scalar returns how many bytes follow the marker of a value without a length.
func scalar(marker byte) (size int, ok bool) {
	switch marker {
	case 0xc0, 0xc2, 0xc3: // null, false, true
		return 0, true
	case 0xc8, 0xc9, 0xca, 0xcb: // integers
		return 1 << (marker & 3), true
	case 0xc1: // a floating-point number
		return 8, true
	}
	return 0, false
}

// begin reads how the next value begins: its kind, and how many bytes or
// elements it has. Of a value without a length that is the bytes that follow.
func (r *reader) begin() (kind valueKind, n uint32, ok bool) {
	if len(r.b) == 0 {
		return 0, 0, false
	}
	marker := r.b[0]
	if kind = tiny[marker>>4]; kind != otherValue {
		r.b = r.b[1:]
		return kind, uint32(marker & 0xf), true
	}
	if marker < 0x80 || marker >= 0xf0 { // a number in itself
		r.b = r.b[1:]
		return otherValue, 0, true
	}
	if n, ok := scalar(marker); ok {
		r.b = r.b[1:]
		return otherValue, uint32(n), true
	}
	s := &sized[marker]
	if s.size == 0 || len(r.b) < 1+s.size {
		r.b = nil
		return 0, 0, false
	}
	switch s.size {
	case 1:
		n = uint32(r.b[1])
	case 2:
		n = uint32(binary.BigEndian.Uint16(r.b[1:]))
	default:
		n = binary.BigEndian.Uint32(r.b[1:])
	}
	r.b = r.b[1+s.size:]
	return s.kind, n, true
}

// take takes n bytes; fewer and false if there are no more.
func (r *reader) take(n uint32) ([]byte, bool) {
	if uint64(n) > uint64(len(r.b)) {
		part := r.b
		r.b = nil
		return part, false
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b, true
}

// text reads a string; whole is false for one that goes on beyond what is at
// hand, and for anything else, of which s is nil.
func (r *reader) text() (s []byte, whole bool) {
	kind, n, ok := r.begin()
	if !ok || kind != stringValue {
		r.b = nil
		return nil, false
	}
	return r.take(n)
}

// wholeText reads a string, nil when it is not all at hand.
func (r *reader) wholeText() ([]byte, bool) {
	s, ok := r.text()
	if !ok {
		return nil, false
	}
	return s, true
}

// number reads an integer.
func (r *reader) number() (int64, bool) {
	if len(r.b) == 0 {
		return 0, false
	}
	marker := r.b[0]
	if marker < 0x80 || marker >= 0xf0 {
		r.b = r.b[1:]
		return int64(int8(marker)), true
	}
	size, ok := scalar(marker)
	if !ok || marker < 0xc8 || len(r.b) <= size {
		r.b = nil
		return 0, false
	}
	b := r.b[1:]
	r.b = b[size:]
	switch size {
	case 1:
		return int64(int8(b[0])), true
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b))), true
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b))), true
	}
	return int64(binary.BigEndian.Uint64(b)), true
}

// isTrue reads a boolean, or any other value that is not true.
func (r *reader) isTrue() bool {
	is := len(r.b) > 0 && r.b[0] == 0xc3
	r.skip()
	return is
}

// pairs reads how a map begins, and returns how many pairs of a text and a value
// follow.
func (r *reader) pairs() (uint32, bool) {
	kind, n, ok := r.begin()
	if !ok || kind != mapValue {
		r.b = nil
		return 0, false
	}
	return n, true
}

// skip walks over a value, however deep it is.
func (r *reader) skip() bool {
	for left := uint64(1); left > 0; left-- {
		kind, n, ok := r.begin()
		if !ok {
			return false
		}
		switch kind {
		case listValue:
			left += uint64(n)
		case mapValue:
			left += 2 * uint64(n)
		case structValue:
			left += uint64(n)
			n = 1 // its tag
		default:
		}
		if kind == listValue || kind == mapValue {
			n = 0
		}
		if _, ok = r.take(n); !ok || left > uint64(len(r.b))+1 {
			r.b = nil
			return false
		}
	}
	return true
}

// metadata is what is of interest of the map that a message ends with. Slices
// point into the message.
type metadata struct {
	code   []byte // of a failure
	db     []byte
	server []byte
	qid    int64 // -1 if there is none
	n      int64 // records that are asked for

	more      bool // records are left
	fields    bool // the names of columns are there
	columns   bool // and there are any
	fieldsCut bool // or perhaps not: they are not at hand
	whole     bool // nothing is missing
}

// read reads a map.
func (m *metadata) read(r *reader) {
	*m = metadata{qid: -1}
	n, ok := r.pairs()
	for ; ok && n > 0; n-- {
		key, whole := r.text()
		if ok = whole; ok {
			ok = m.pair(key, r)
		}
	}
	m.whole = ok
}

// pair reads the value of a key.
func (m *metadata) pair(key []byte, r *reader) (ok bool) {
	switch string(key) {
	case "code", "neo4j_code": // the latter since 5.7
		m.code, ok = r.wholeText()
	case "db":
		if m.db, ok = nil, len(r.b) > 0 && r.b[0] == 0xc0; ok {
			return r.skip()
		}
		m.db, ok = r.wholeText()
	case "server":
		m.server, ok = r.wholeText()
	case "qid":
		m.qid, ok = r.number()
	case "n":
		m.n, ok = r.number()
	case "has_more":
		if ok = len(r.b) > 0; !ok {
			m.more = true // it is never sent else
		} else {
			m.more = r.isTrue()
		}
	case "fields":
		m.fields, m.fieldsCut = true, len(r.b) == 0
		m.columns = m.fieldsCut || r.b[0] != 0x90
		ok = r.skip()
	default:
		ok = r.skip()
	}
	return ok
}
