package hpack

import "golang.org/x/net/http2/hpack"

// entrySize is what an entry counts for beside its name and value (RFC 7541,
// section 4.1).
const entrySize = 32

// Sizes of a dynamic table, in bytes as RFC 7541 counts them.
const (
	defaultSize = 4096
	// MaxSize is the most that a table holds, whatever the peers agreed on. What
	// does not fit is unknown when it is referred to.
	MaxSize = 16 << 10
)

// entry is a header field of a table. Its memory is reused.
type entry struct {
	bytes []byte // name and value
	name  int    // length of the name
	kind  entryKind
}

type entryKind uint8

const (
	known    entryKind = iota
	nameless           // its name was given by reference to what is unknown
	unknown            // too large to be kept
)

func (e *entry) size() int { return len(e.bytes) + entrySize }

func (e *entry) field() Field {
	switch e.kind {
	case nameless:
		return Field{Value: e.bytes}
	case unknown:
		return Field{}
	default:
	}
	return Field{Name: e.bytes[:e.name:e.name], Value: e.bytes[e.name:]}
}

// table is the dynamic table of one direction: the newest entries of it.
//
// An index counts from the newest entry. That makes entries exact that were
// inserted since the direction is followed without a loss, even if those before
// them, the size of the table and its evictions are unknown: an encoder never
// refers to what it has evicted. So holding more than the encoder does is
// harmless, and holding less makes fields unknown, never wrong. Each insertion
// has to be counted, whatever its size.
type table struct {
	ring []entry // capacity a power of two; the newest is at next-1
	next int
	n    int
	size int
	max  int
}

// reset forgets all entries and keeps the memory.
func (t *table) reset(size int) {
	t.n, t.size, t.max = 0, 0, size
	if len(t.ring) > keepRing {
		t.ring, t.next = nil, 0
	}
}

// resize is the encoder's wish for another size.
func (t *table) resize(size uint64) {
	t.max = int(min(size, MaxSize))
	t.evict(0)
}

// evict makes room for size bytes.
func (t *table) evict(size int) {
	for t.n > 0 && t.size+size > t.max {
		e := t.at(t.n - 1)
		t.size -= e.size()
		t.n--
		if cap(e.bytes) > keepEntry {
			e.bytes = nil
		}
	}
}

// at returns the i-th entry, 0 being the newest.
func (t *table) at(i int) *entry { return &t.ring[(t.next-1-i)&(len(t.ring)-1)] }

// insert adds an entry. f may alias an entry of the table.
func (t *table) insert(f Field) {
	kind := known
	if f.Name == nil {
		kind = nameless
	}
	size := len(f.Name) + len(f.Value) + entrySize
	if size > t.max { // it empties the table, or is kept by an encoder with a larger one
		kind, size = unknown, entrySize
		f = Field{}
	}
	t.evict(size)
	if t.n == len(t.ring) {
		t.grow()
	}
	// If the name is that of the entry which was in this slot until now, it is
	// copied onto itself: names are at the beginning.
	e := &t.ring[t.next]
	e.bytes = append(append(e.bytes[:0], f.Name...), f.Value...)
	e.name, e.kind = len(f.Name), kind
	t.next = (t.next + 1) & (len(t.ring) - 1)
	t.n++
	t.size += e.size()
}

// Bounds of the memory that is kept for reuse.
const (
	minRing   = 16
	keepRing  = 128 // entries, for the next connection
	keepEntry = 256 // bytes of an entry
)

func (t *table) grow() {
	ring := make([]entry, max(minRing, 2*len(t.ring)))
	for i := range t.n {
		ring[t.n-1-i] = *t.at(i)
	}
	t.ring, t.next = ring, t.n
}

// static is the static table (RFC 7541, appendix A), from index 1.
var static = func() (fields []Field) {
	d := hpack.NewDecoder(0, nil)
	fields = append(fields, Field{})
	for i := 1; ; i++ {
		list, err := d.DecodeFull([]byte{0x80 | byte(i)})
		if err != nil {
			return fields
		}
		fields = append(fields, Field{Name: []byte(list[0].Name), Value: []byte(list[0].Value)})
	}
}()
