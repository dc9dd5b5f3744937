package redis

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
)

// maxArgument is how much of an argument is looked at.
const maxArgument = 128

// maxInline is the longest inline command that is believed.
const maxInline = 4096

// arguments follows the commands of the client, argument by argument.
type arguments struct {
	lines  dbconn.Lines
	inside bool   // a command has begun
	inline bool   // as a line
	count  int    // arguments of it
	index  int    // of the next one
	left   uint64 // bytes to come of an argument, its line end included
	size   uint64 // of the argument
	text   []byte // its beginning
	cut    bool   // bytes behind text are not at hand
}

func (a *arguments) reset() {
	*a = arguments{lines: a.lines, text: a.text[:0]}
	a.lines.Reset()
}

// next walks to the end of the next argument, which is then in text; the command
// is over when index is count. Empty commands are passed over.
func (a *arguments) next(c *dbconn.Cursor) dbconn.Found {
	for {
		if a.left > 0 {
			return a.take(c)
		}
		if c.Left() == 0 {
			return dbconn.More
		}
		if len(c.Data) == 0 {
			return dbconn.Lost
		}
		if a.inside && a.index == a.count {
			a.inside = false
		}
		if !a.inside && !a.lines.Begun() {
			a.inline = c.Data[0] != '*'
		}
		line, found := a.lines.Next(c, a.limit())
		if found != dbconn.Whole {
			return found
		}
		if a.inline {
			if found = a.words(line); found != dbconn.More {
				return found
			}
			continue
		}
		if !a.header(line) {
			return dbconn.Foreign
		}
	}
}

func (a *arguments) limit() int {
	if a.inline {
		return maxInline
	}
	return maxHeader
}

// header takes the line before a command or an argument.
func (a *arguments) header(line []byte) bool {
	want := byte('*')
	if a.inside {
		want = '$'
	}
	if len(line) == 0 || line[0] != want {
		return false
	}
	n, ok := dbconn.Number(line[1:])
	switch {
	case !ok:
		return false
	case a.inside:
		a.size, a.left = uint64(n), uint64(n)+2
		a.text, a.cut = a.text[:0], false
		return n >= 0 && n <= maxBulk
	case n > 0:
		a.inside, a.count, a.index = true, int(n), 0
	}
	return n <= 1<<20
}

// take takes what there is of an argument.
func (a *arguments) take(c *dbconn.Cursor) dbconn.Found {
	if want := int(min(a.size, maxArgument)) - len(a.text); want > 0 && !a.cut {
		n := min(want, len(c.Data))
		a.text = append(a.text, c.Data[:n]...)
		a.cut = n < want && c.Unseen > 0
	}
	if a.left -= c.Skip(a.left); a.left > 0 {
		return dbconn.More
	}
	a.index++
	return dbconn.Whole
}

// words takes an inline command, of which nothing is kept but its first word and
// the number of the others.
func (a *arguments) words(line []byte) dbconn.Found {
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return dbconn.Foreign
		}
	}
	words := bytes.Fields(line)
	if len(words) == 0 {
		return dbconn.More
	}
	if !isName(words[0]) {
		return dbconn.Foreign
	}
	a.inside, a.count, a.index = true, 1, 1
	a.text, a.size, a.cut = append(a.text[:0], words[0]...), uint64(len(words[0])), len(words) > 1
	return dbconn.Whole
}

// survives walks over n bytes that were not seen at all.
func (a *arguments) survives(n uint64) bool {
	if a.left <= n {
		return false
	}
	a.left -= n
	a.cut = true
	return true
}
