package redis

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"

// Bounds of what is believed.
const (
	maxHeader  = 32        // bytes of the line before an array or a string
	maxLine    = 64 << 10  // bytes of a simple string or error
	maxBulk    = 512 << 20 // bytes of a string, as in the server
	maxEntries = 1 << 30
	maxWord    = 64 // bytes of the first string of an answer that are looked at
)

// values follows the answers of the server, one value after the other.
type values struct {
	lines  dbconn.Lines
	inside bool   // a value has begun
	need   uint64 // elements to come until it ends
	left   uint64 // bytes to come of a string, its line end included

	typ    byte // of the value, as RESP marks it
	null   bool
	word   []byte // an error's text, or the first string in it
	taken  bool   // word is whole
	errors []byte // text of the first error within it
}

func (v *values) reset() {
	*v = values{lines: v.lines, word: v.word[:0], errors: v.errors[:0]}
	v.lines.Reset()
}

// between tells whether the next byte begins a value.
func (v *values) between() bool { return !v.inside && !v.lines.Begun() }

// next walks to the end of the value.
func (v *values) next(c *dbconn.Cursor) dbconn.Found {
	for {
		if v.left > 0 {
			v.skip(c)
			if v.left > 0 {
				return dbconn.More
			}
			v.need--
		}
		if v.inside && v.need == 0 {
			v.inside = false
			return dbconn.Whole
		}
		if c.Left() == 0 {
			return dbconn.More
		}
		line, found := v.lines.Next(c, maxLine)
		if found != dbconn.Whole {
			return found
		}
		if !v.element(line) {
			return dbconn.Foreign
		}
	}
}

// skip walks over a string and takes its beginning where it is wanted.
func (v *values) skip(c *dbconn.Cursor) {
	if !v.taken && v.left > 2 {
		n := min(uint64(len(c.Data)), v.left-2, uint64(maxWord-len(v.word)))
		v.word = append(v.word, c.Data[:n]...)
	}
	if n := c.Skip(v.left); n == v.left {
		v.taken = true
		v.left = 0
	} else {
		v.left -= n
	}
}

// element takes the line that begins an element.
func (v *values) element(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	typ, rest := line[0], line[1:]
	if !v.inside {
		v.inside, v.need, v.typ, v.null = true, 1, typ, false
		v.word, v.errors, v.taken = v.word[:0], v.errors[:0], false
	}
	switch typ {
	case '+', '-', ':', ',', '#', '(', '_':
		v.simple(typ, rest)
		v.need--
		return true
	case '$', '!', '=':
		return v.bulk(typ, rest)
	case '*', '~', '>':
		return v.aggregate(rest, 1)
	case '%':
		return v.aggregate(rest, 2)
	case '|': // attributes precede the element
		v.need++
		return v.aggregate(rest, 2)
	}
	return false
}

func (v *values) simple(typ byte, text []byte) {
	if typ == '-' {
		if v.need == 1 && v.typ == '-' {
			v.word = append(v.word[:0], text[:min(len(text), maxWord)]...)
		}
		if len(v.errors) == 0 {
			v.errors = append(v.errors, text[:min(len(text), maxWord)]...)
		}
	}
	v.taken = true
	if typ == '_' && v.need == 1 {
		v.null = true
	}
}

func (v *values) bulk(typ byte, rest []byte) bool {
	n, ok := dbconn.Number(rest)
	if !ok || n < -1 || n > maxBulk {
		return false
	}
	if n < 0 {
		v.null = v.need == 1
		v.need--
		v.taken = true
		return true
	}
	if typ == '!' && len(v.errors) == 0 {
		v.errors = append(v.errors, "ERR"...) // its text is only looked at where it is the answer
	}
	v.left = uint64(n) + 2
	return true
}

func (v *values) aggregate(rest []byte, each uint64) bool {
	n, ok := dbconn.Number(rest)
	if !ok || n < -1 || n > maxEntries {
		return false
	}
	v.need--
	if n < 0 {
		v.null = v.need == 0
		return true
	}
	v.need += uint64(n) * each
	return v.need <= maxEntries
}

// survives walks over n bytes that were not seen at all.
func (v *values) survives(n uint64) bool {
	if v.left <= n {
		return false
	}
	v.left -= n
	v.taken = true
	return true
}
