package querytext

import "strings"

// scanner goes through an SQL text once, token by token:
//
//	text    = { space | comment | literal | name | placeholder | other byte }
//	literal = string | number | TRUE | FALSE
//
// What is not recognised as a name, a keyword or punctuation becomes ?.
type scanner struct {
	text    string
	dialect *dialect
	dst     []byte
	begin   int // of this statement in dst
	space   bool
	parent  string // traceparent of a comment

	open   []group // parentheses that are open
	in     bool    // the last word was IN
	values int     // end of the last group after VALUES in dst; 0 = not among such groups
}

// group is an open parenthesis.
type group struct {
	at     int // in dst
	plain  bool
	list   bool // of IN, or in brackets
	values bool // of VALUES, and not the first
}

func (s *scanner) run() {
	for i := 0; i < len(s.text); {
		i = s.token(i)
	}
	s.dst = trimEnd(s.dst, s.begin)
}

func trimEnd(dst []byte, begin int) []byte {
	for len(dst) > begin && (dst[len(dst)-1] == ';' || dst[len(dst)-1] == ' ') {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// token handles what begins at i and returns where it ends.
func (s *scanner) token(i int) int {
	c := s.text[i]
	switch {
	case isSpace(c):
		s.space = true
		return i + 1
	case s.comment(i) > i:
		s.space = true
		end := s.comment(i)
		s.trace(s.text[i:end])
		return end
	case c == '\'' || c == '"' && s.dialect.doubleString:
		s.literal()
		return quoteEnd(s.text, i, s.dialect.escapes)
	case c == '"' || c == '`' || c == '[' && s.dialect.brackets:
		return s.quotedName(i)
	case s.dialect.bare && bareValue(s.text[i:]) > 0:
		s.literal()
		return i + bareValue(s.text[i:])
	case c == '$':
		return s.dollar(i)
	case isDigit(c) || c == '.' && i+1 < len(s.text) && isDigit(s.text[i+1]):
		s.literal()
		return s.numberEnd(i)
	case c == '?':
		s.literal()
		return i + 1
	case isWord(c):
		return s.word(i)
	case (c == ':' || c == '@' || c == '%') && i+1 < len(s.text) && isWord(s.text[i+1]) && !s.castBefore(i):
		return s.placeholder(i)
	default:
		s.punctuation(c)
		return i + 1
	}
}

// castBefore tells PostgreSQL's a::type from a placeholder :a.
func (s *scanner) castBefore(i int) bool { return s.text[i] == ':' && i > 0 && s.text[i-1] == ':' }

// comment returns the end of the comment that begins at i, i if there is none.
func (s *scanner) comment(i int) int {
	rest := s.text[i:]
	switch {
	case s.dialect.dash && strings.HasPrefix(rest, "--"), s.dialect.hash && rest[0] == '#', s.dialect.slashes && strings.HasPrefix(rest, "//"):
		if end := strings.IndexByte(rest, '\n'); end >= 0 {
			return i + end
		}
		return len(s.text)
	case strings.HasPrefix(rest, "/*"):
		return i + s.blockEnd(rest)
	default:
		return i
	}
}

// blockEnd returns the length of the comment that text begins with. In standard
// SQL, other than in MySQL's, comments nest.
func (s *scanner) blockEnd(text string) int {
	depth := 1
	for i := 2; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "*/":
			i++
			if depth--; depth == 0 || !s.dialect.nested {
				return i + 1
			}
		case "/*":
			i++
			depth++
		}
	}
	return len(text)
}

// gap writes the space that stood before a token, unless nothing was written yet.
func (s *scanner) gap() {
	if s.space && len(s.dst) > s.begin {
		s.dst = append(s.dst, ' ')
	}
	s.space = false
}

func (s *scanner) literal() {
	s.gap()
	s.dst = append(s.dst, '?')
	s.in = false
}

func (s *scanner) quotedName(i int) int {
	end := len(s.text)
	if s.text[i] == '[' {
		if n := strings.IndexByte(s.text[i:], ']'); n >= 0 {
			end = i + n + 1
		}
	} else {
		end = quoteEnd(s.text, i, false)
	}
	if end == len(s.text) && !closed(s.text[i:end]) {
		s.literal() // cut off; it may be anything
		return end
	}
	s.name(s.text[i:end])
	return end
}

func closed(quoted string) bool {
	last := quoted[len(quoted)-1]
	return len(quoted) > 1 && (last == quoted[0] || quoted[0] == '[' && last == ']')
}

// name writes a name or keyword, which makes the list around it more than values.
func (s *scanner) name(text string) {
	s.gap()
	s.dst = append(s.dst, text...)
	s.in = false
	if n := len(s.open); n > 0 {
		s.open[n-1].plain = false
	}
}

// dollar is a placeholder $1, or PostgreSQL's $tag$ string $tag$.
func (s *scanner) dollar(i int) int {
	end := i + 1
	for end < len(s.text) && isWord(s.text[end]) {
		end++
	}
	if s.dialect.dollars && end < len(s.text) && s.text[end] == '$' {
		tag := s.text[i : end+1]
		s.literal()
		if n := strings.Index(s.text[end+1:], tag); n >= 0 {
			return end + 1 + n + len(tag)
		}
		return len(s.text)
	}
	return s.placeholderUntil(i, end)
}

func (s *scanner) placeholder(i int) int {
	end := i + 1
	for end < len(s.text) && isWord(s.text[end]) {
		end++
	}
	if s.dialect.labels && s.text[i] == ':' {
		s.name(s.text[i:end])
		return end
	}
	return s.placeholderUntil(i, end)
}

// placeholderUntil keeps a placeholder: the values that it stands for are elsewhere.
func (s *scanner) placeholderUntil(i, end int) int {
	s.gap()
	s.dst = append(s.dst, s.text[i:end]...)
	s.in = false
	return end
}

func (s *scanner) numberEnd(i int) int {
	for i++; i < len(s.text); i++ {
		c := s.text[i]
		sign := (c == '+' || c == '-') && (s.text[i-1] == 'e' || s.text[i-1] == 'E')
		if !isWord(c) && c != '.' && !sign {
			break
		}
	}
	return i
}

// word is a name, a keyword, a boolean, or the prefix of a string such as N'...'.
func (s *scanner) word(i int) int {
	end := i + 1
	for end < len(s.text) && (isWord(s.text[end]) || s.text[end] == '$' || s.text[end] == '#' && !s.dialect.hash) {
		end++
	}
	text := s.text[i:end]
	if end < len(s.text) && s.text[end] == '\'' && stringPrefix(text) {
		s.literal()
		escapes := s.dialect.escapes || text == "e" || text == "E"
		return quoteEnd(s.text, end, escapes)
	}
	switch {
	case strings.EqualFold(text, "true"), strings.EqualFold(text, "false"):
		s.literal()
	case strings.EqualFold(text, "values"):
		s.name(text)
		s.values = len(s.dst)
	default:
		s.name(text)
		s.in = strings.EqualFold(text, "in")
		s.values = 0
	}
	return end
}

// stringPrefix reports whether a word directly before a quote belongs to the string.
func stringPrefix(word string) bool {
	return len(word) == 1 || word[0] == '_' // x'', b'', n'', e'', u&'' and MySQL's _charset''
}

func (s *scanner) punctuation(c byte) {
	switch c {
	case '(':
		s.gap()
		more := s.values > 0 && string(s.dst[s.values:]) == ", "
		s.open = append(s.open, group{at: len(s.dst), plain: true, list: s.in, values: more})
		s.dst = append(s.dst, c)
		s.in = false
	case '[', '{':
		s.gap()
		s.open = append(s.open, group{at: len(s.dst), plain: s.dialect.lists, list: s.dialect.lists})
		s.dst = append(s.dst, c)
		s.in = false
	case ')', ']', '}':
		s.close(c)
	case ',':
		s.dst = append(s.dst, c)
		s.space = true // "a,b" and "a , b" are the same
	default:
		s.gap()
		s.dst = append(s.dst, c)
		s.in = false
		if n := len(s.open); n > 0 && (c != ':' || s.dst[s.open[n-1].at] != '{') { // {1: 2} is values only
			s.open[n-1].plain = false
		}
	}
}

// close ends a group: lists of values of any length become one, and rows after
// the first disappear.
func (s *scanner) close(c byte) {
	s.gap()
	s.dst = append(s.dst, c)
	if len(s.open) == 0 {
		return
	}
	g := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	switch {
	case g.list && g.plain && len(s.dst) > g.at+2: // not empty
		s.dst = append(s.dst[:g.at+1], '?', c)
	case g.values && g.plain:
		s.dst = s.dst[:s.values]
	}
	if len(s.open) > 0 && !g.plain {
		s.open[len(s.open)-1].plain = false
	}
	if s.values > 0 && len(s.open) == 0 {
		s.values = len(s.dst)
	}
}
