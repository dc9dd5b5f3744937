package lang

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Error is why a condition does not parse, and where.
type Error struct {
	Pos
	Msg string
}

func (e *Error) Error() string { return e.Msg }

// lexer is a cursor over a condition. Each method either takes one token at
// the cursor and reports true, or leaves the cursor alone; the language has no
// token boundaries that hold everywhere, so that the parser says what it is
// willing to see.
type lexer struct {
	src  string
	pos  Pos
	last string // text of the last token, for messages
}

func (l *lexer) rest() string { return l.src[l.pos.Index:] }

func (l *lexer) errorf(msg string) error { return &Error{Pos: l.pos, Msg: msg} }

// take moves over n bytes and remembers them as the last token.
func (l *lexer) take(n int) string {
	l.last = l.rest()[:n]
	l.skip(n)
	return l.last
}

func (l *lexer) skip(n int) {
	for _, c := range []byte(l.rest()[:n]) {
		l.pos.Index++
		l.pos.Column++
		if c == '\n' || c == '\r' {
			l.pos.Line++
			l.pos.Column = 1
		}
	}
}

// isBlank is true for what separates words.
func isBlank(c byte) bool {
	return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n'
}

// isSpace is the wider class that ends bare text and follows "not".
func isSpace(c byte) bool { return isBlank(c) || c == '\v' || c == '\f' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
func isAlnum(c byte) bool { return isLetter(c) || isDigit(c) }
func isName(c byte) bool  { return isAlnum(c) || c == '_' }

func span(s string, is func(byte) bool) int {
	for i := range len(s) {
		if !is(s[i]) {
			return i
		}
	}
	return len(s)
}

// blanks skips blanks and reports whether there were any.
func (l *lexer) blanks() bool {
	n := span(l.rest(), isBlank)
	l.skip(n)
	return n > 0
}

func (l *lexer) literal(s string) bool {
	if !strings.HasPrefix(l.rest(), s) {
		return false
	}
	l.take(len(s))
	return true
}

// not takes "not" with the blanks behind it.
func (l *lexer) not() bool {
	rest := l.rest()
	if !strings.HasPrefix(rest, "not") {
		return false
	}
	n := span(rest[3:], isSpace)
	if n == 0 {
		return false
	}
	l.take(3 + n)
	return true
}

func nameLen(s string) int {
	if s == "" || !isLetter(s[0]) {
		return 0
	}
	return span(s, isName)
}

// identifier takes a name without dots.
func (l *lexer) identifier() (string, bool) {
	n := nameLen(l.rest())
	if n == 0 {
		return "", false
	}
	return l.take(n), true
}

// fieldName takes a name with at least one dot.
func (l *lexer) fieldName() (string, bool) {
	rest := l.rest()
	n, dots := nameLen(rest), 0
	for n > 0 && n < len(rest) && rest[n] == '.' {
		more := nameLen(rest[n+1:])
		if more == 0 {
			break
		}
		n += 1 + more
		dots++
	}
	if dots == 0 {
		return "", false
	}
	return l.take(n), true
}

// hex takes a hexadecimal literal.
func (l *lexer) hex() (string, bool) {
	rest := l.rest()
	if len(rest) < 3 || rest[0] != '0' || rest[1]|0x20 != 'x' || !isHex(rest[2]) {
		return "", false
	}
	return l.take(2 + span(rest[2:], isHex)), true
}

// number takes a decimal number.
func (l *lexer) number() (string, bool) {
	rest := l.rest()
	n := 0
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		n = 1
	}
	digits := span(rest[n:], isDigit)
	if digits == 0 {
		return "", false
	}
	n += digits
	if n < len(rest) && rest[n] == '.' {
		n++
		n += span(rest[n:], isDigit)
	}
	return l.take(n + exponentLen(rest[n:])), true
}

func exponentLen(s string) int {
	if len(s) < 3 || s[0]|0x20 != 'e' || (s[1] != '+' && s[1] != '-') {
		return 0
	}
	digits := span(s[2:], isDigit)
	if digits == 0 {
		return 0
	}
	return 2 + digits
}

// isBare is true for what may stand in text without quotes.
func isBare(c byte) bool {
	return !isSpace(c) && strings.IndexByte("()\"'=,", c) < 0
}

// bare takes text without quotes.
func (l *lexer) bare() (string, bool) {
	n := span(l.rest(), isBare)
	if n == 0 {
		return "", false
	}
	return l.take(n), true
}

// isBareArg is true for what may stand in a field's argument without quotes.
func isBareArg(c byte) bool { return !isSpace(c) && strings.IndexByte("[]\"'", c) < 0 }

// bareArg takes a field's argument without quotes.
func (l *lexer) bareArg() (string, bool) {
	n := span(l.rest(), isBareArg)
	if n == 0 {
		return "", false
	}
	return l.take(n), true
}

// quoted takes text in quotes. A quote ends it unless a backslash stands
// directly before it, even one that is itself escaped.
func (l *lexer) quoted() (text string, ok bool, err error) {
	rest := l.rest()
	if rest == "" || (rest[0] != '"' && rest[0] != '\'') {
		return "", false, nil
	}
	for i := 1; i < len(rest); i++ {
		if rest[i] != rest[0] || rest[i-1] == '\\' {
			continue
		}
		start := l.pos
		text, bad, msg := unescape(rest[1:i], rest[0])
		if msg != "" {
			l.skip(1 + bad)
			at := l.pos
			l.pos = start
			return "", false, &Error{Pos: at, Msg: msg}
		}
		l.take(i + 1)
		return text, true, nil
	}
	return "", false, nil
}

// operator takes an operator of the given group and says whether it was spelled
// by its alias.
func (l *lexer) operator(group operator.Syntax) (id operator.ID, alias, ok bool) {
	for i := range operator.Table {
		row := &operator.Table[i]
		if row.Syntax != group {
			continue
		}
		if alias = l.spelling(row.Alias, row.Word); alias || l.spelling(row.Name, row.Word) {
			return row.ID, alias, true
		}
	}
	return operator.None, false, false
}

func (l *lexer) spelling(s string, word bool) bool {
	rest := l.rest()
	if s == "" || !strings.HasPrefix(rest, s) {
		return false
	}
	if word && (len(rest) == len(s) || !isBlank(rest[len(s)])) {
		return false
	}
	l.take(len(s))
	return true
}
