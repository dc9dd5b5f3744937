package cql

import "encoding/binary"

// reader reads the notations of the protocol. What it needs may lie beyond what
// is at hand; then bad is set, and everything is empty from there on.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) short() uint32 {
	if b := r.take(2); b != nil {
		return uint32(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// text reads a string, or bytes, whose length is a short.
func (r *reader) text() []byte { return r.take(r.short()) }

// longText reads a string whose length is an int. cut: it goes on beyond what is
// at hand.
func (r *reader) longText() (s []byte, cut bool) {
	n := r.int()
	if n < 0 || r.bad {
		r.bad = true
		return nil, true
	}
	if uint64(n) > uint64(len(r.b)) {
		s, r.b, r.bad = r.b, nil, true
		return s, true
	}
	return r.take(uint32(n)), false
}

// value walks over bytes whose length is an int; a negative one stands for
// nothing.
func (r *reader) value() {
	if n := r.int(); n > 0 {
		r.take(uint32(n))
	}
}

// values walks over the values that are bound to a statement.
func (r *reader) values(named bool) {
	for n := r.short(); n > 0 && !r.bad; n-- {
		if named {
			r.text()
		}
		r.value()
	}
}

// prologue walks over what the flags say comes before the body.
func (r *reader) prologue(h *header) {
	if !h.asks && h.flags&flagTracing != 0 {
		r.take(16)
	}
	if !h.asks && h.flags&flagWarning != 0 {
		for n := r.short(); n > 0 && !r.bad; n-- {
			r.text()
		}
	}
	if h.flags&flagPayload != 0 {
		for n := r.short(); n > 0 && !r.bad; n-- {
			r.text()
			r.value()
		}
	}
}

// Flags of the description of rows.
const (
	globalSpec      = 0x1
	morePages       = 0x2
	noMetadata      = 0x4
	metadataChanged = 0x8
)

// rows reads how many rows a result has, behind the description of their
// columns.
func (r *reader) rows() (n int32, ok bool) {
	flags, columns := r.int(), r.int()
	if flags&morePages != 0 {
		r.value()
	}
	if flags&metadataChanged != 0 {
		r.text()
	}
	if flags&noMetadata == 0 {
		if flags&globalSpec != 0 {
			r.text()
			r.text()
		}
		for ; columns > 0 && !r.bad; columns-- {
			if flags&globalSpec == 0 {
				r.text()
				r.text()
			}
			r.text()
			r.kind(0)
		}
	}
	n = r.int()
	return n, !r.bad && n >= 0
}

// maxDepth bounds types within types.
const maxDepth = 16

// kind walks over the type of a column.
func (r *reader) kind(depth int) {
	if depth > maxDepth {
		r.bad = true
	}
	if r.bad {
		return
	}
	switch r.short() {
	case 0x00: // custom
		r.text()
	case 0x20, 0x22: // list, set
		r.kind(depth + 1)
	case 0x21: // map
		r.kind(depth + 1)
		r.kind(depth + 1)
	case 0x30: // of the user
		r.text()
		r.text()
		for n := r.short(); n > 0 && !r.bad; n-- {
			r.text()
			r.kind(depth + 1)
		}
	case 0x31: // tuple
		for n := r.short(); n > 0 && !r.bad; n-- {
			r.kind(depth + 1)
		}
	}
}

// consistencies are the levels by their number, as the conventions name them.
var consistencies = [...]string{
	"any", "one", "two", "three", "quorum", "all", "local_quorum", "each_quorum", "serial", "local_serial", "local_one",
}

// consistency reads a level; it is empty for one that is unknown or not at hand.
func (r *reader) consistency() string {
	n := r.short()
	if r.bad || n >= uint32(len(consistencies)) {
		return ""
	}
	return consistencies[n]
}
