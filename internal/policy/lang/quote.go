package lang

import "strings"

// unescape resolves the escapes of quoted text. On failure msg says why and
// bad is the offset of the escape.
func unescape(s string, quote byte) (text string, bad int, msg string) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, 0, ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) {
			return "", i, "an escape is cut off by the end of the quoted text"
		}
		c, size, msg := escape(s[i+1:], quote)
		if msg != "" {
			return "", i, msg
		}
		b.WriteByte(c)
		i += size
	}
	return b.String(), 0, ""
}

// escape resolves one escape; s begins behind the backslash. size is how many
// bytes of s it takes.
func escape(s string, quote byte) (c byte, size int, msg string) {
	switch s[0] {
	case 'b':
		return '\b', 1, ""
	case 'f':
		return '\f', 1, ""
	case 'n':
		return '\n', 1, ""
	case 'r':
		return '\r', 1, ""
	case 't':
		return '\t', 1, ""
	case ' ', '\\': // a blank is an old misuse that rules still contain
		return '\\', 1, ""
	case '/':
		return '/', 1, ""
	case '"', '\'':
		if s[0] != quote {
			return 0, 0, `\` + s[:1] + " is no escape inside " + string(quote) + "-quoted text"
		}
		return s[0], 1, ""
	case 'x':
		if len(s) < 3 || !isHex(s[1]) || !isHex(s[2]) {
			return 0, 0, `\x needs two hexadecimal digits`
		}
		return unhex(s[1])<<4 | unhex(s[2]), 3, ""
	}
	return 0, 0, `\` + s[:1] + " is no known escape"
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// Quote writes text as it may stand in a condition: bare where that is
// possible, else in double quotes with escapes.
func Quote(s string) string {
	if s != "" && span(s, isPlain) == len(s) {
		return s
	}
	return inQuotes(s)
}

func inQuotes(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '\\' && i+1 == len(s) {
			b.WriteString(`\x5c`) // a backslash before the closing quote would hide it
			continue
		}
		writeQuoted(&b, s[i])
	}
	b.WriteByte('"')
	return b.String()
}

// isPlain is true for what needs neither quotes nor an escape.
func isPlain(c byte) bool { return isBare(c) && c > ' ' && c != 0x7f && c != '\\' }

func writeQuoted(b *strings.Builder, c byte) {
	const digits = "0123456789abcdef"
	switch {
	case c == '"' || c == '\\':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c == '\b':
		b.WriteString(`\b`)
	case c == '\f':
		b.WriteString(`\f`)
	case c == '\n':
		b.WriteString(`\n`)
	case c == '\r':
		b.WriteString(`\r`)
	case c == '\t':
		b.WriteString(`\t`)
	case c < ' ' || c == 0x7f:
		b.WriteString(`\x`)
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	default:
		b.WriteByte(c)
	}
}
