package text

import (
	"strings"
	"unicode/utf8"
)

// Command writes an argument vector as one line that a shell would read back
// to the same vector: words that need it stand in single quotes, words with
// control characters in $'...'.
func Command(args []string) Safe {
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		writeWord(&b, arg)
	}
	return Safe(b.String())
}

func writeWord(b *strings.Builder, word string) {
	switch {
	case word == "":
		b.WriteString("''")
	case !isSafe(word):
		writeDollarQuoted(b, word)
	case plainWord(word):
		b.WriteString(word)
	default:
		b.WriteByte('\'')
		b.WriteString(strings.ReplaceAll(word, "'", `'\''`))
		b.WriteByte('\'')
	}
}

// writeDollarQuoted writes word in the shell's ANSI-C quoting.
func writeDollarQuoted(b *strings.Builder, word string) {
	b.WriteString("$'")
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		if r == '\'' || r == '\\' {
			b.WriteByte('\\')
		}
		writeRune(b, r, word[i], size)
		i += size
	}
	b.WriteByte('\'')
}

// plainWord tells whether a shell takes word as it is. A tilde, an equals sign
// or a brace is special only in places where quoting it would make ordinary
// options hard to read, so they count as plain.
func plainWord(word string) bool {
	return !strings.ContainsAny(word, " !\"#$&'()*;<>?[\\]^`|")
}
