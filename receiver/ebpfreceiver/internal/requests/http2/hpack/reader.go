// Package hpack reads the header blocks of an HTTP/2 connection that may have
// been joined in mid-stream, or of which pieces were lost (RFC 7541).
//
// The decoder of golang.org/x/net ends a connection at the first reference that
// it does not know, as an endpoint has to. An observer goes on: a field whose
// name or value is not known is told to be so, and every later one is exact
// again.
package hpack

import "golang.org/x/net/http2/hpack"

// Field is a header field. A name that is not known is nil, as is its value
// unless that was given literally. The slices are valid until the next call of
// the reader.
type Field struct{ Name, Value []byte }

// Decoder holds what one direction of a connection knows of its encoder. The
// zero value is not usable.
type Decoder struct {
	table table
	text  text
}

// Reset prepares d for a direction that is followed from its beginning, or from
// anywhere: entries inserted before are not known.
func (d *Decoder) Reset() {
	d.table.reset(defaultSize)
	if d.text == nil || cap(d.text) > keepText {
		d.text = make(text, 0, 256)
	}
}

// keepText is the most memory for texts that is kept for the next connection.
const keepText = 4 << 10

// Lose forgets everything, because a header block was lost or is in part
// unknown.
func (d *Decoder) Lose() { d.table.reset(max(d.table.max, defaultSize)) }

// text is where Huffman codes are written to.
type text []byte

// Write implements io.Writer.
func (t *text) Write(b []byte) (int, error) {
	*t = append(*t, b...)
	return len(b), nil
}

// State is how a header block ended, as far as it was read.
type State uint8

// States of a Reader.
const (
	Fine State = iota
	Cut        // a field is not all there
	Bad        // the bytes are no header block
)

// Reader walks over the fields of a header block.
type Reader struct {
	d     *Decoder
	rest  []byte
	State State
}

// Read returns a reader of a block. It must be read to its end, for the sake of
// later blocks.
func (d *Decoder) Read(block []byte) Reader { return Reader{d: d, rest: block} }

// Kinds of representations (RFC 7541, section 6), by their first bits.
const (
	indexedBit  = 0x80
	insertedBit = 0x40
	resizeBit   = 0x20
)

// Next reads the next field. It returns false at the end of the block, or when
// the rest cannot be read; State tells which.
func (r *Reader) Next(f *Field) bool {
	r.d.text = r.d.text[:0]
	for len(r.rest) > 0 && r.State == Fine {
		b := r.rest[0]
		switch {
		case b&indexedBit != 0:
			i := r.integer(7)
			if i == 0 {
				return r.bad()
			}
			*f = r.d.lookup(i)
			return r.State == Fine
		case b&insertedBit != 0:
			if !r.literal(f, 6) {
				return false
			}
			r.d.table.insert(*f)
			return true
		case b&resizeBit != 0:
			if size := r.integer(5); r.State == Fine {
				r.d.table.resize(size)
			}
		default:
			return r.literal(f, 4)
		}
	}
	return false
}

func (r *Reader) bad() bool {
	if r.State == Fine {
		r.State = Bad
	}
	return false
}

// lookup returns the field of an index; what is not at hand is unknown.
func (d *Decoder) lookup(i uint64) Field {
	if i < uint64(len(static)) {
		return static[i]
	}
	if i -= uint64(len(static)); i < uint64(d.table.n) {
		return d.table.at(int(i)).field()
	}
	return Field{}
}

// literal reads a field with a literal value, whose name's index has so many
// bits. It returns false when it is not all there.
func (r *Reader) literal(f *Field, bits uint) bool {
	i := r.integer(bits)
	if r.State != Fine {
		return false
	}
	if i != 0 {
		f.Name = r.d.lookup(i).Name
	} else {
		f.Name = r.text()
	}
	f.Value = r.text()
	return r.State == Fine
}

// maxInteger is the largest number that is believed.
const maxInteger = 1 << 24

// integer reads a number whose first byte has so many bits for it (section
// 5.1).
func (r *Reader) integer(bits uint) uint64 {
	mask := byte(1<<bits - 1)
	n := uint64(r.rest[0] & mask)
	r.rest = r.rest[1:]
	if n < uint64(mask) {
		return n
	}
	for shift := uint(0); ; shift += 7 {
		if len(r.rest) == 0 {
			r.State = Cut
			return 0
		}
		b := r.rest[0]
		r.rest = r.rest[1:]
		n += uint64(b&0x7f) << shift
		if n > maxInteger || shift > 28 {
			r.State = Bad
			return 0
		}
		if b&0x80 == 0 {
			return n
		}
	}
}

// text reads a string (section 5.2). It is never nil.
func (r *Reader) text() []byte {
	if r.State != Fine {
		return nil
	}
	if len(r.rest) == 0 {
		r.State = Cut
		return nil
	}
	huffman := r.rest[0]&0x80 != 0
	n := r.integer(7)
	if r.State == Fine && n > uint64(len(r.rest)) {
		r.State = Cut
	}
	if r.State != Fine {
		return nil
	}
	raw := r.rest[:n:n]
	r.rest = r.rest[n:]
	if !huffman {
		return raw
	}
	t := &r.d.text
	begin := len(*t)
	if _, err := hpack.HuffmanDecode(t, raw); err != nil {
		r.State = Bad
		return nil
	}
	return (*t)[begin:len(*t):len(*t)]
}
