package dbconn

// Header is how the messages of a protocol begin.
type Header struct {
	Size int // bytes, at most maxHeader
	// Length returns how many bytes follow the header; false: it is none.
	Length func(head []byte) (uint64, bool)
	// Keep is how many bytes of the body are wanted where it comes in parts.
	Keep func(head []byte) int
}

const maxHeader = 24

// maxKeep bounds what is kept of one message.
const maxKeep = 4096

// Message is one message. Its slices are valid until the next call.
type Message struct {
	Head []byte
	Body []byte // the first bytes
	Len  uint64 // of the body
	// Packed is the length of the body as it was moved, where Body and Len are
	// what it was unpacked to; 0 where they are not.
	Packed uint64
}

// Moved is how many bytes of the body were moved.
func (m *Message) Moved() uint64 {
	if m.Packed != 0 {
		return m.Packed
	}
	return m.Len
}

// Cut tells whether Body goes on beyond what is at hand.
func (m *Message) Cut() bool { return uint64(len(m.Body)) < m.Len }

// Found says what Next has found.
type Found uint8

// What Next finds.
const (
	More    Found = iota // nothing before the segment ended
	Whole                // the end of a message
	Lost                 // bytes that are not at hand: where messages begin in them is not known
	Foreign              // bytes that begin no message
)

// Frames cuts one side of a connection into messages.
type Frames struct {
	head   [maxHeader]byte
	have   int    // bytes of the header
	inside bool   // in a body
	total  uint64 // length of the body
	left   uint64 // bytes of the body to come
	body   []byte // its first bytes, when it comes in parts
	cut    bool   // what follows body is not wanted or not at hand
}

// Reset forgets everything.
func (f *Frames) Reset() {
	body := f.body[:0]
	*f = Frames{body: body}
}

// Between tells whether the next byte begins a message.
func (f *Frames) Between() bool { return !f.inside && f.have == 0 }

// Next walks to the end of the next message.
func (f *Frames) Next(c *Cursor, h *Header) (m Message, found Found) {
	if !f.inside {
		if found = f.header(c, h); found != Whole {
			return m, found
		}
	}
	head := f.head[:h.Size]
	if f.left == f.total && uint64(len(c.Data)) >= f.left && len(f.body) == 0 && !f.cut {
		m = Message{Head: head, Body: c.Data[:f.left], Len: f.total}
		c.Skip(f.left)
		f.inside, f.have = false, 0
		return m, Whole
	}
	f.partial(c, h.Keep(head))
	if f.left > 0 {
		return m, More
	}
	f.inside, f.have = false, 0
	return Message{Head: head, Body: f.body, Len: f.total}, Whole
}

// header reads on in a header.
func (f *Frames) header(c *Cursor, h *Header) Found {
	for f.have < h.Size && c.Advance() {
		n := copy(f.head[f.have:h.Size], c.Data)
		f.have += n
		c.Data = c.Data[n:]
	}
	if f.have < h.Size {
		if c.Unseen > 0 {
			f.have = 0
			return Lost
		}
		return More
	}
	length, ok := h.Length(f.head[:h.Size])
	if !ok {
		f.have = 0
		return Foreign
	}
	f.inside, f.total, f.left, f.cut = true, length, length, false
	f.body = f.body[:0]
	return Whole
}

// partial takes what the segment has of the body.
func (f *Frames) partial(c *Cursor, keep int) {
	if keep = min(keep, maxKeep) - len(f.body); keep > 0 && !f.cut {
		f.body = append(f.body, c.Data[:min(uint64(keep), uint64(len(c.Data)), f.left)]...)
	}
	f.left -= c.Skip(f.left)
	f.cut = uint64(len(f.body)) < f.total-f.left
}

// Survives walks over n bytes that were not seen at all. It returns false when
// the end of the current message may be in them.
func (f *Frames) Survives(n uint64) bool {
	if !f.inside || n >= f.left {
		return false
	}
	f.left -= n
	f.cut = true
	return true
}
