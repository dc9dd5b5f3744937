// Package querytext reads the texts of database statements: it removes every
// value from them, so that statements that differ in values only are one and no
// value leaves the host, sums them up in a few words, and finds the trace
// context that sqlcommenter leaves in their comments.
package querytext

import "strings"

// AppendSanitized appends a statement without its values, comments and
// superfluous space. It looks at most at limit bytes of the text; the second
// result tells that there was more.
func AppendSanitized(dst []byte, text string, language Language, limit int) ([]byte, bool) {
	truncated := len(text) > limit
	if truncated {
		text = text[:limit]
	}
	switch language {
	case Words:
		return appendWords(dst, text), truncated
	case JSON:
		if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
			return appendJSON(dst, text), truncated
		}
		return appendWords(dst, text), truncated
	default:
		s := scanner{text: text, dialect: &dialects[language], dst: dst, begin: len(dst)}
		s.run()
		return s.dst, truncated
	}
}

// appendWords keeps the command only: every other word may be a value.
func appendWords(dst []byte, text string) []byte {
	command, arguments, found := strings.Cut(strings.TrimSpace(text), " ")
	for i := range len(command) {
		if !isWord(command[i]) {
			return append(dst, '?') // not a command
		}
	}
	dst = append(dst, command...)
	if found && strings.TrimSpace(arguments) != "" {
		dst = append(dst, " ?"...)
	}
	return dst
}

// appendJSON keeps the names of a JSON document and its structure.
func appendJSON(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case isSpace(c):
			i++
		case c == '"':
			end := quoteEnd(text, i, true)
			rest := strings.TrimLeft(text[end:], " \t\r\n")
			if strings.HasPrefix(rest, ":") {
				dst = append(dst, text[i:end]...)
			} else {
				dst = append(dst, '?')
			}
			i = end
		case isWord(c) || c == '-' || c == '+' || c == '.':
			for i < len(text) && (isWord(text[i]) || strings.IndexByte("+-.", text[i]) >= 0) {
				i++
			}
			dst = append(dst, '?')
		case strings.IndexByte("{}[]:,", c) >= 0:
			dst = append(dst, c)
			i++
		default: // not JSON; show nothing of it
			dst = append(dst, '?')
			i++
		}
	}
	return dst
}

// quoteEnd returns the index behind the quoted text that begins at i; a doubled
// quote, and with backslash an escaped one, belongs to it. Without an end it is
// the end of the text.
func quoteEnd(text string, i int, backslash bool) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case backslash && text[i] == '\\':
			i++
		case text[i] != quote:
		case i+1 < len(text) && text[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord reports whether a byte can stand inside a name. All of UTF-8 can.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c) || c == '_' || c >= 0x80
}
