package redact

import "strings"

// Text masks secrets inside one text: NAME=value, --name value, "name": value,
// header: value, and scheme://user:password@host; and where it is or quotes a
// command, the values of flags that Args knows. It returns s itself when there
// is nothing to mask.
func Text(s string) string {
	if strings.IndexByte(s, ' ') > 0 {
		s = script(s)
	}
	return named(s)
}

// named masks what a name or an address tells to be secret.
func named(s string) string {
	var out strings.Builder
	done := 0 // everything before is written
	for i := 0; i < len(s); {
		if !isWord(s[i]) {
			if strings.HasPrefix(s[i:], "://") {
				if from, to, ok := userinfo(s, i+len("://")); ok {
					out.WriteString(s[done:from])
					out.WriteString(Mask)
					done, i = to, to
					continue
				}
			}
			i++
			continue
		}
		end := i
		for end < len(s) && isWord(s[end]) {
			end++
		}
		if c := secretName(s[i:end]); c != plain {
			if from, to, ok := value(s, i, end, c); ok && !isSignal(s[i:end], s[from:to]) {
				out.WriteString(s[done:from])
				out.WriteString(Mask)
				done, end = to, to
			}
		}
		i = end
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// isSignal tells a signal's number from a signature: sig=9, sig=15(SIGTERM).
func isSignal(name, value string) bool {
	number, _, _ := strings.Cut(value, "(SIG")
	return name == "sig" && number != "" && len(number) <= 2 && strings.Trim(number, "0123456789") == ""
}

// userinfo finds the password of a URL whose authority begins at i.
func userinfo(s string, i int) (from, to int, ok bool) {
	end := i
	for end < len(s) && !strings.ContainsRune("/?# \t\n\"'", rune(s[end])) {
		end++
	}
	at := strings.LastIndexByte(s[i:end], '@')
	if at < 0 {
		return 0, 0, false
	}
	colon := strings.IndexByte(s[i:i+at], ':')
	if colon < 0 || colon+1 == at {
		return 0, 0, false
	}
	return i + colon + 1, i + at, true
}

// value finds the value that belongs to the name in s[begin:end].
func value(s string, begin, end int, c class) (from, to int, ok bool) {
	i := end
	if i < len(s) && (s[i] == '"' || s[i] == '\'') { // "name": ...
		i++
	}
	blanks := i
	for i < len(s) && s[i] == ' ' {
		i++
	}
	switch {
	case i < len(s) && s[i] == '=' && i == blanks:
		i++
	case i < len(s) && s[i] == ':':
		i++
		if !colonTells(s, begin, i, c) {
			return 0, 0, false
		}
		for i < len(s) && s[i] == ' ' {
			i++
		}
		return span(s, i, header(s, begin, end))
	case i > blanks && s[begin] == '-' && i < len(s) && s[i] != '-': // --name value
	default:
		return 0, 0, false
	}
	return span(s, i, false)
}

// colonTells reports whether the colon before i ends a field's or header's name
// and not that of a file, host or image: /etc/passwd:ro, http://auth:8080,
// auth:1.2.
func colonTells(s string, begin, i int, c class) bool {
	if begin > 0 && (s[begin-1] == '/' || s[begin-1] == '@') {
		return false
	}
	name := s[begin : i-1]
	return c == strong || i < len(s) && s[i] == ' ' || strings.ContainsAny(name, "\"'") ||
		strings.EqualFold(name, "pass") || hasSuffixFold(name, "cookie")
}

// header tells whether a name that is followed by a colon is a header's, whose
// value has several words ("Bearer x").
func header(s string, begin, end int) bool {
	return begin == 0 || s[begin-1] == '\n' || (s[begin-1] == '\'' || s[begin-1] == '"') && end < len(s) && s[end] == ':'
}

// span is the extent of the value that begins at i: up to the closing quote,
// else to the next blank or separator, or to the end of the line.
func span(s string, i int, line bool) (from, to int, ok bool) {
	stop := " \t\n&;,\"'`|)"
	if line {
		stop = "\n\"'"
	}
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		stop = s[i : i+1]
		i++
	}
	to = i
	for to < len(s) && strings.IndexByte(stop, s[to]) < 0 {
		to++
	}
	return i, to, to > i
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

func hasSuffixFold(s, end string) bool {
	return len(s) >= len(end) && strings.EqualFold(s[len(s)-len(end):], end)
}
