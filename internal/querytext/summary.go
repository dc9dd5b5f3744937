package querytext

import "strings"

// maxSummary is the most that the conventions allow a summary to have.
const maxSummary = 255

// Summarize returns the operations of a sanitized SQL text and what they are
// applied to, in the order and the case in which they are written, and the
// stored procedure that it calls. It is cut between two words when it gets
// too long.
func Summarize(text string) (summary, procedure string) {
	s := summarizer{tokens: tokens{text: text}, start: true, levels: make([]level, 1, 4)}
	for {
		token := s.tokens.next()
		if token == "" {
			return string(s.dst), s.procedure
		}
		s.take(token)
	}
}

// summarizer goes through a text once. What it looks for are the words that
// name operations and those behind which the names of tables stand.
type summarizer struct {
	tokens    tokens
	dst       []byte
	full      bool
	procedure string
	start     bool    // at the beginning of a statement
	merges    bool    // the statement is one whose USING names a table
	explains  bool    // the statement is one that explains another
	calls     bool    // the next target is a procedure
	routine   routine // that the statement defines
	last      keyword // the last word, if it is a keyword
	levels    []level // of parentheses
	expect    expectation
}

// level is what a pair of parentheses, or the statement itself, is in.
type level struct {
	query bool // FROM names tables: a SELECT or DELETE is at this level
	list  bool // a comma leads to another table
}

// routine is how far the definition of a procedure, a function, a trigger or an
// event has come. What its body does is done when it is called.
type routine uint8

const (
	noRoutine routine = iota
	unnamed
	body     // until the statement ends
	compound // behind BEGIN: statements end in it, and it is not known which is the last
)

type expectation uint8

const (
	nothing  expectation = iota
	relation             // a table, a sub-query or a function
	target               // a table or another thing
	object               // kind of thing that CREATE and the like are about
)

func (s *summarizer) level() *level { return &s.levels[len(s.levels)-1] }

func (s *summarizer) take(token string) {
	if s.routine >= body && token != ";" || s.routine == compound {
		if strings.EqualFold(token, "BEGIN") {
			s.routine = compound
		}
		return
	}
	last := s.last
	s.last = other
	switch token[0] {
	case '(':
		expect := nothing
		if s.expect == relation {
			expect = relation
		}
		s.levels, s.expect = append(s.levels, level{}), expect
	case ')':
		if s.expect = nothing; len(s.levels) > 1 {
			s.levels = s.levels[:len(s.levels)-1]
		}
	case ',':
		if s.expect = nothing; s.level().list {
			s.expect = relation
		}
	case ';':
		s.levels = append(s.levels[:0], level{})
		s.start, s.merges, s.explains, s.calls, s.expect, s.routine = true, false, false, false, nothing, noRoutine
	default:
		if !isNameStart(token[0]) {
			s.expect, s.start = nothing, false
			return
		}
		s.word(token, last)
	}
}

// word takes a name or keyword.
func (s *summarizer) word(token string, last keyword) {
	k := keywordOf(token)
	s.last = k
	if s.expect == object {
		s.object(token, k)
		return
	}
	if s.expect != nothing && k != selectWord && k != withWord {
		if !s.skips(k) {
			s.name(token)
		}
		return
	}
	s.expect = nothing
	if s.start {
		s.begin(token, k)
		return
	}
	l := s.level()
	switch k {
	case selectWord:
		s.add(token)
		*l = level{query: true}
	case from:
		if l.query && last != distinct {
			l.list, s.expect = true, relation
		}
	case join:
		s.expect = relation
	case into:
		s.expect = target
	case using:
		if s.merges && s.tokens.peek() != '(' {
			s.expect = relation
		}
	case insert, change, deletion:
		if !follows(last) && s.tokens.peek() != '(' { // REPLACE() is a function
			s.operation(token, k)
		}
	case clause:
		l.list = false
	default:
	}
}

// skips tells whether a word may stand between an operation and its target.
func (s *summarizer) skips(k keyword) bool {
	return k == noise || k == into || k == tableWord || s.expect == target && k == maintenance
}

// follows tells that behind such a word INSERT, UPDATE and DELETE are not
// operations of their own: FOR UPDATE, ON DELETE, DO UPDATE, KEY UPDATE, THEN.
func follows(last keyword) bool { return last == modifier || last == clause }

// begin takes the first word of a statement.
func (s *summarizer) begin(token string, k keyword) {
	switch k {
	case withWord: // names common tables first
		s.start = false
		return
	case explain:
		s.add(token)
		s.explains = true
		return
	case noise, maintenance: // EXPLAIN ANALYZE VERBOSE
		if s.explains {
			return
		}
	default:
	}
	s.start, s.explains = false, false
	s.operation(token, k)
}

// operation takes the word of an operation.
func (s *summarizer) operation(token string, k keyword) {
	s.add(token)
	switch k {
	case selectWord:
		*s.level() = level{query: true}
	case insert, change, maintenance:
		s.expect = target
	case merge:
		s.expect, s.merges = target, true
	case deletion:
		*s.level() = level{query: true}
		s.merges = true
	case definition:
		s.expect = object
	case call:
		s.expect, s.calls = target, true
	default:
	}
}

// object takes a word behind CREATE and the like: adjectives are left out, the
// kind of thing belongs to the operation.
func (s *summarizer) object(token string, k keyword) {
	switch k {
	case routineWord:
		s.routine = unnamed
		fallthrough
	case kind, tableWord:
		s.add(token)
		s.expect = target
	case definer:
		s.definer()
	case adjective, noise, modifier, insert: // CREATE OR REPLACE
	default: // TRUNCATE t
		s.name(token)
	}
}

// definer passes over whom a routine acts for: = user@host, each perhaps a literal
// or a function.
func (s *summarizer) definer() {
	if s.tokens.peek() != '=' {
		return
	}
	s.tokens.next()
	s.tokens.next()
	for c := s.tokens.peek(); c == '@' || c == '?' || c == '(' || c == ')'; c = s.tokens.peek() {
		s.tokens.next()
	}
}

// name takes what stands where a table is expected.
func (s *summarizer) name(token string) {
	if s.expect == relation && s.tokens.peek() == '(' { // a function
		s.expect = nothing
		return
	}
	s.expect = nothing
	if s.calls {
		s.procedure, s.calls = token, false
	}
	if s.routine == unnamed {
		s.routine = body
	}
	s.add(token)
}

func (s *summarizer) add(word string) {
	if word == "" {
		return
	}
	n := len(s.dst) + len(word)
	if len(s.dst) > 0 {
		n++
	}
	if s.full = s.full || n > maxSummary; s.full {
		return
	}
	if len(s.dst) > 0 {
		s.dst = append(s.dst, ' ')
	}
	s.dst = append(s.dst, word...)
}

// tokens cuts a text into names (with their qualifiers and quotes) and single
// bytes of punctuation.
type tokens struct {
	text  string
	i     int
	lists bool // brackets hold lists, not names
}

// next returns the next token, "" at the end.
func (t *tokens) next() string {
	t.skip()
	if t.i == len(t.text) {
		return ""
	}
	begin := t.i
	if c := t.text[begin]; !isNameStart(c) || c == '[' && t.lists {
		t.i++
		return t.text[begin:t.i]
	}
	for t.i < len(t.text) {
		switch c := t.text[t.i]; {
		case c == '"' || c == '`':
			t.i = quoteEnd(t.text, t.i, false)
		case c == '[' && !t.lists && (t.i == begin || t.text[t.i-1] == '.'):
			end := strings.IndexByte(t.text[t.i:], ']')
			if end < 0 {
				end = len(t.text) - t.i - 1
			}
			t.i += end + 1
		case isWord(c) || c == '.' || c == '$' || c == '#' || c == '@':
			t.i++
		default:
			return t.text[begin:t.i]
		}
	}
	return t.text[begin:]
}

// peek returns the byte that the next token begins with, 0 at the end.
func (t *tokens) peek() byte {
	t.skip()
	if t.i == len(t.text) {
		return 0
	}
	return t.text[t.i]
}

func (t *tokens) skip() {
	for t.i < len(t.text) && isSpace(t.text[t.i]) {
		t.i++
	}
}

func isNameStart(c byte) bool {
	return isWord(c) && !isDigit(c) || c == '"' || c == '`' || c == '[' || c == '#'
}
