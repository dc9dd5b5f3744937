package rules

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// text is a condition that may be put together from several places: the
// original, what was appended, lists, exceptions. It knows for every byte
// where it comes from.
type text struct {
	pieces []piece
}

// piece is a run of text from one place.
type piece struct {
	s      string
	origin *origin
	from   int  // offset within the origin's text
	fixed  bool // all bytes come from the same spot: the name of a list
}

// origin is a YAML scalar.
type origin struct {
	src   *source
	start int // offset of its first byte in the file
	style yaml.Style
	text  string // decoded
	// item is what the text belongs to where that is not the item whose condition
	// it has become a part of: the scope of a file stands in all of its rules.
	item *place
}

func originOf(src *source, n *yaml.Node) *origin {
	return &origin{src: src, start: src.offset(n.Line, n.Column), style: n.Style, text: n.Value}
}

func textOf(src *source, n *yaml.Node) text {
	return text{[]piece{{s: n.Value, origin: originOf(src, n)}}}
}

func (t text) String() string {
	if len(t.pieces) == 1 {
		return t.pieces[0].s
	}
	var b strings.Builder
	for _, p := range t.pieces {
		b.WriteString(p.s)
	}
	return b.String()
}

func (t text) empty() bool {
	return !slices.ContainsFunc(t.pieces, func(p piece) bool { return p.s != "" })
}

// plus is t with more behind it.
func (t text) plus(more ...piece) text {
	return text{append(slices.Clip(t.pieces), more...)}
}

// joined is both texts with a blank between them.
func (t text) joined(more text) text {
	if t.empty() {
		return more
	}
	return t.plus(more.glue()).plus(more.pieces...)
}

// glue is the blank before t.
func (t text) glue() piece {
	p := piece{s: " ", fixed: true}
	if len(t.pieces) > 0 {
		p.origin = t.pieces[0].origin
	}
	return p
}

// extend makes t what joined makes of it, but in its own memory: texts that were
// made of t before stay as they are, since they end before what is added.
func (t *text) extend(more text) {
	if t.empty() {
		*t = more
		return
	}
	t.pieces = append(append(t.pieces, more.glue()), more.pieces...)
}

// bracketed is the text in round brackets.
func (t text) bracketed() text {
	open, shut := piece{s: "(", fixed: true}, piece{s: ")", fixed: true}
	if len(t.pieces) > 0 {
		open.origin, shut.origin = t.pieces[0].origin, t.pieces[len(t.pieces)-1].origin
	}
	return text{append([]piece{open}, append(slices.Clip(t.pieces), shut)...)}
}

// cutter takes parts of a text from its beginning to its end.
type cutter struct {
	pieces []piece // that are not yet behind
	base   int     // where they begin
}

// cut appends the part between two offsets, which begins no earlier than the one
// before.
func (c *cutter) cut(dst []piece, from, to int) []piece {
	for len(c.pieces) > 0 && c.base+len(c.pieces[0].s) <= from {
		c.base += len(c.pieces[0].s)
		c.pieces = c.pieces[1:]
	}
	base := c.base
	for i := 0; i < len(c.pieces) && base < to; i++ {
		part := c.pieces[i]
		end := base + len(part.s)
		lo, hi := max(from-base, 0), min(to-base, len(part.s))
		if lo < hi {
			part.s = part.s[lo:hi]
			if !part.fixed {
				part.from += lo
			}
			dst = append(dst, part)
		}
		base = end
	}
	return dst
}

// of is the text as one that belongs to the item at a place.
func (t text) of(item place) text {
	for i := range t.pieces {
		t.pieces[i].origin.item = &item
	}
	return t
}

// locate is where the byte at an offset stands in its file.
func (t text) locate(offset int) (from *origin, at int) {
	var last piece
	start, base := 0, 0
	for _, p := range t.pieces {
		if p.origin != nil {
			last, start = p, base
		}
		if base += len(p.s); offset < base && last.origin != nil {
			break
		}
	}
	if last.origin == nil {
		return nil, 0
	}
	in := last.from
	if !last.fixed {
		in += max(min(offset-start, len(last.s)), 0)
	}
	return last.origin, last.origin.locate(in)
}

// locate maps an offset in a scalar's decoded text to one in the file. Folding
// and indentation only change blanks, so that the other bytes are counted;
// within quotes, escapes make it approximate.
func (o *origin) locate(offset int) int {
	src, pos := o.src.text, o.start
	if o.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
			pos += i + 1
		}
	}
	if o.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		pos++
	}
	wanted := 0
	for i := 0; i < min(offset, len(o.text)); i++ {
		if !isBlank(o.text[i]) {
			wanted++
		}
	}
	for pos < len(src) {
		for pos < len(src) && isBlank(src[pos]) {
			pos++
		}
		if wanted == 0 || pos == len(src) {
			break
		}
		wanted--
		pos++
		if wanted == 0 && offset >= len(o.text) {
			break
		}
	}
	return pos
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
