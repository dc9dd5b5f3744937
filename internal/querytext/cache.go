package querytext

import "unsafe"

// Statement is what all executions of a statement have in common. It does not
// change once it is made.
type Statement struct {
	Text      string // without values
	Summary   string // operations and targets in their order: "SELECT songs artists"
	Procedure string // stored procedure that it calls
	Truncated bool   // the text goes on beyond what was looked at
}

// Cache makes statements and shares equal ones. It is used by one goroutine;
// the zero value is ready.
type Cache struct {
	known   map[string]*Statement
	text    []byte
	scanner scanner
}

// Bounds of a cache. A full one is begun anew.
const (
	maxStatements = 2048
	maxText       = 4096
)

// Statement returns the statement that text is an execution of, and the trace
// context in its comments, "" without one. cut tells that the text goes on
// beyond its end. parent shares memory with text.
func (c *Cache) Statement(text []byte, language Language, cut bool) (st *Statement, parent string) {
	if len(text) > maxText {
		text, cut = text[:maxText], true
	}
	if cut {
		text = wholeTokens(text)
	}
	// The scanner keeps nothing of the text but parent.
	c.scanner = scanner{
		text: unsafe.String(unsafe.SliceData(text), len(text)), dialect: &dialects[language],
		dst: c.text[:0], open: c.scanner.open[:0],
	}
	c.scanner.run()
	c.text, parent = c.scanner.dst, c.scanner.parent
	mark := byte(language)
	if cut {
		mark |= 0x80
	}
	c.text = append(c.text, mark)
	if st = c.known[string(c.text)]; st != nil {
		return st, parent
	}
	if c.known == nil {
		c.known = make(map[string]*Statement)
	} else if len(c.known) >= maxStatements {
		clear(c.known)
	}
	key := string(c.text)
	st = &Statement{Text: key[:len(key)-1], Truncated: cut}
	if language == Cypher {
		st.Summary, st.Procedure = SummarizeCypher(st.Text)
	} else {
		st.Summary, st.Procedure = Summarize(st.Text)
	}
	c.known[key] = st
	return st, parent
}

// wholeTokens takes off the last name or number, of which a part may be missing.
func wholeTokens(text []byte) []byte {
	n := len(text)
	for n > 0 && (isWord(text[n-1]) || text[n-1] == '.' || text[n-1] == '$') {
		n--
	}
	return text[:n]
}
