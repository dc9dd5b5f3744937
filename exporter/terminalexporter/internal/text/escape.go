package text

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe is text that a terminal shows as it is. See the package comment for
// what it never contains.
type Safe string

const hexDigits = "0123456789abcdef"

// Escape makes s safe: control characters, bytes that are no UTF-8, and runes
// without a visible form of their own (direction overrides, zero-width
// joiners, private use) become escapes in Go's notation (\n, \x1b, \u202e).
// A backslash stays a backslash. It does not allocate when s is safe already.
func Escape(s string) Safe {
	if isSafe(s) {
		return Safe(s)
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		writeRune(&b, r, s[i], size)
		i += size
	}
	return Safe(b.String())
}

func isSafe(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if !visible(r, size) {
			return false
		}
		i += size
	}
	return true
}

// visible tells whether r, decoded from size bytes, has a form on the screen
// and no effect beside it. unicode.IsPrint knows the ASCII space as the only
// space, which keeps look-alikes of it out as well.
func visible(r rune, size int) bool {
	if r == utf8.RuneError && size == 1 {
		return false
	}
	return unicode.IsPrint(r) && !invisibleLetter(r)
}

// invisibleLetter names the runes that Unicode counts as letters although they
// show as nothing: the Hangul fillers and the empty Braille pattern.
func invisibleLetter(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x2800, 0x3164, 0xffa0:
		return true
	}
	return false
}

// writeRune writes r, whose first byte is raw, or its escape.
func writeRune(b *strings.Builder, r rune, raw byte, size int) {
	switch {
	case visible(r, size):
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r < 0x80 || size == 1:
		b.WriteString(`\x`)
		b.WriteByte(hexDigits[raw>>4])
		b.WriteByte(hexDigits[raw&15])
	case r < 0x10000:
		b.WriteString(`\u`)
		writePadded(b, r, 4)
	default:
		b.WriteString(`\U`)
		writePadded(b, r, 8)
	}
}

func writePadded(b *strings.Builder, r rune, digits int) {
	hex := strconv.FormatInt(int64(r), 16)
	for range digits - len(hex) {
		b.WriteByte('0')
	}
	b.WriteString(hex)
}
