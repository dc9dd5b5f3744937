package dbconn

import "bytes"

// Lines reads lines of one side that end with CR LF, or LF alone.
type Lines struct {
	buf []byte // the beginning of a line that comes in parts
}

// Next returns the next line without its end. More: it does not end in what is
// at hand. Lost: its end is not at hand. Foreign: it is longer than limit. The
// line is valid until the next call.
func (l *Lines) Next(c *Cursor, limit int) ([]byte, Found) {
	i := bytes.IndexByte(c.Data, '\n')
	if i < 0 {
		if len(l.buf)+len(c.Data) > limit {
			return nil, Foreign
		}
		if c.Unseen > 0 {
			return nil, Lost
		}
		l.buf = append(l.buf, c.Data...)
		c.Data = nil
		return nil, More
	}
	if len(l.buf)+i > limit {
		return nil, Foreign
	}
	line := c.Data[:i]
	if len(l.buf) > 0 {
		l.buf = append(l.buf, line...)
		line, l.buf = l.buf, l.buf[:0]
	}
	c.Data = c.Data[i+1:]
	return bytes.TrimSuffix(line, []byte("\r")), Whole
}

// Begun tells whether a part of a line was read.
func (l *Lines) Begun() bool { return len(l.buf) > 0 }

// Reset forgets everything.
func (l *Lines) Reset() { l.buf = l.buf[:0] }

// Number reads decimal digits, with a sign if negative. ok is false for
// anything else, and for what is not below 1e15.
func Number(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}
