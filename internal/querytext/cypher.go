package querytext

// clauseWord is what a word means to the summary of a Cypher text.
type clauseWord uint8

const (
	noClause   clauseWord = iota
	reads                 // an operation that labels and types follow
	prefixes              // stands before an operation and belongs to it
	calls                 // a procedure follows
	defines               // CREATE and the like: perhaps a kind of thing and its name
	lastResort            // names a text that has no other operation
)

// cypherWords are the words that a summary of Cypher knows, in upper case.
var cypherWords = map[string]clauseWord{
	"MATCH": reads, "MERGE": reads, "DELETE": reads, "SET": reads, "REMOVE": reads, "UNWIND": reads, "FOREACH": reads, "CSV": reads,
	"OPTIONAL": prefixes, "DETACH": prefixes, "LOAD": prefixes, "EXPLAIN": prefixes, "PROFILE": prefixes,
	"CALL":   calls,
	"CREATE": defines, "DROP": defines, "ALTER": defines,
	"SHOW": lastResort, "RETURN": lastResort, "USE": lastResort, "GRANT": lastResort, "REVOKE": lastResort, "DENY": lastResort,
	"START": lastResort, "STOP": lastResort, "TERMINATE": lastResort, "STORAGE": lastResort, "ANALYZE": lastResort,
}

// cypherKinds are the things that schema commands are about.
var cypherKinds = map[string]bool{
	"INDEX": true, "CONSTRAINT": true, "DATABASE": true, "USER": true, "ROLE": true, "ALIAS": true, "SERVER": true, "TRIGGER": true, "STREAM": true,
}

// upper is a buffer for the longest word of both tables.
type upper [len("CONSTRAINT")]byte

// of returns a word in upper case, nil when it is longer than any of interest.
func (u *upper) of(word string) []byte {
	if len(word) > len(u) {
		return nil
	}
	for i := range len(word) {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		u[i] = c
	}
	return u[:len(word)]
}

// SummarizeCypher returns the operations of a sanitized Cypher text, the labels
// and types of relationships that they name, and the procedure that it calls:
// "MATCH Person KNOWS SET".
func SummarizeCypher(text string) (summary, procedure string) {
	c := cypher{s: summarizer{tokens: tokens{text: text, lists: true}}}
	for {
		token := c.s.tokens.next()
		if token == "" {
			break
		}
		c.take(token)
	}
	if len(c.s.dst) == 0 {
		c.s.add(c.first)
	}
	return string(c.s.dst), c.s.procedure
}

// cypher goes through a text once.
type cypher struct {
	s       summarizer
	first   string // the first operation that only counts alone
	last    byte   // the first byte of the token before
	braces  int    // maps that are open: what follows a colon there is a value
	labels  bool   // the pattern has named a label, another may follow behind | or &
	pending string // a prefix whose operation comes next
	calling bool   // a procedure's name comes next
	object  bool   // behind CREATE and the like: perhaps the kind of a thing
}

func (c *cypher) take(token string) {
	last := c.last
	c.last = token[0]
	switch token[0] {
	case '{':
		c.braces++
		if c.calling { // CALL { ... }
			c.calling, c.braces = false, c.braces-1
		}
	case '}':
		c.braces = max(0, c.braces-1)
	case '|', '&', '!', ':':
	default:
		if !isNameStart(token[0]) || token[0] == '[' {
			c.labels, c.object = false, false
			return
		}
		if label := last == ':' || c.labels && (last == '|' || last == '&' || last == '!'); label && c.braces == 0 {
			c.labels = true
			c.s.add(token)
			return
		}
		c.labels = false
		c.word(token)
	}
}

// word takes a word that is no label.
func (c *cypher) word(token string) {
	if c.calling {
		c.calling = false
		if c.s.procedure == "" {
			c.s.procedure = token
		}
		c.s.add(token)
		return
	}
	var buf upper
	word := buf.of(token)
	if c.object && cypherKinds[string(word)] {
		c.s.add(token)
	}
	switch kind := cypherWords[string(word)]; kind {
	case prefixes:
		c.pending = token
		return
	case reads, calls, defines:
		if c.braces > 0 || c.last == '.' {
			break
		}
		c.s.add(c.pending)
		c.s.add(token)
		c.calling, c.object = kind == calls, kind == defines
	case lastResort:
		if c.first == "" {
			c.first = token
		}
	default:
	}
	c.pending = ""
}
