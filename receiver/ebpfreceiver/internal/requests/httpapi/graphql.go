package httpapi

import "bytes"

// isGraphQL tells whether a segment of a path says that it is for GraphQL.
func isGraphQL(path []byte) bool {
	for len(path) > 0 {
		var segment []byte
		segment, path, _ = bytes.Cut(path, []byte("/"))
		if fold(segment, "graphql") {
			return true
		}
	}
	return false
}

// graphql reads the type and the name of an operation from a document, in the
// query or in the body. It returns false when there is none.
func graphql(r *Request, op *Operation) bool {
	var document, name []byte
	switch value, ok := parameter(r.Query, "query"); {
	case ok && r.Method == "GET":
		document = unescape(value)
		if value, ok = parameter(r.Query, "operationName"); ok {
			name = unescape(value)
		}
	case r.Method == "POST" && len(bytes.TrimLeft(r.Body, " \t\r\n")) > 0:
		document, _ = member(r.Body, "query")
		var whole bool
		if name, whole = member(r.Body, "operationName"); !whole {
			name = nil
		}
	}
	kind, first, ok := operationOf(document, name)
	if !ok {
		return false
	}
	if op.GraphQL = kind; len(name) == 0 {
		name = first
	}
	if isName(name) {
		op.GraphQLName = name
	}
	return true
}

var graphqlTypes = []string{"query", "mutation", "subscription"}

// operationOf finds the operation of a name in a document, or the first one if
// there is no name: its type, and its name. ok is false for what is no document.
func operationOf(document, wanted []byte) (kind string, name []byte, ok bool) {
	for b := document; ; {
		b = skipIgnored(b)
		if len(b) == 0 {
			return kind, name, kind != ""
		}
		if b[0] == '{' { // short for a query
			if kind == "" {
				kind = graphqlTypes[0]
			}
			return kind, name, true
		}
		word := nameOf(b)
		rest := skipIgnored(b[len(word):])
		found := ""
		for _, t := range graphqlTypes {
			if string(word) == t {
				found = t
			}
		}
		if found == "" && string(word) != "fragment" {
			return kind, name, kind != ""
		}
		if found != "" {
			own := nameOf(rest)
			if len(wanted) == 0 || bytes.Equal(own, wanted) {
				return found, own, true
			}
			if kind == "" { // the one that is wanted may lie beyond what is at hand
				kind = found
			}
		}
		if b = skipDefinition(rest); b == nil {
			return kind, name, kind != "" && len(wanted) > 0
		}
	}
}

// skipIgnored walks over space, commas and comments.
func skipIgnored(b []byte) []byte {
	for len(b) > 0 {
		switch c := b[0]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',':
			b = b[1:]
		case c == '#':
			i := bytes.IndexByte(b, '\n')
			if i < 0 {
				return nil
			}
			b = b[i:]
		case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
			b = b[3:]
		default:
			return b
		}
	}
	return nil
}

// skipDefinition walks over a definition to the end of its braces; nil: it does
// not end.
func skipDefinition(b []byte) []byte {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth--; depth <= 0 {
				return b[i+1:]
			}
		}
	}
	return nil
}

// nameOf returns the name that b begins with.
func nameOf(b []byte) []byte {
	n := 0
	for n < len(b) && (b[n] == '_' || b[n]|0x20 >= 'a' && b[n]|0x20 <= 'z' || n > 0 && b[n] >= '0' && b[n] <= '9') {
		n++
	}
	return b[:n]
}

// isName tells whether b is a name that may be shown.
func isName(b []byte) bool { return len(b) > 0 && len(b) <= maxName && len(nameOf(b)) == len(b) }

// member returns the text of a member of the JSON object that b begins with, as
// far as it is at hand; whole tells whether that is all of it.
func member(b []byte, want string) (value []byte, whole bool) {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 || b[0] != '{' {
		return nil, false
	}
	for i, depth, key := 0, 0, true; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
			key = b[i] == '{'
		case '}', ']':
			if depth--; depth <= 0 {
				return nil, false
			}
		case ',':
			key = true
		case ':':
			key = false
		case '"':
			text, end := quoted(b[i:])
			if depth == 1 && key && string(text) == want {
				return valueOf(b[i+end:])
			}
			i += end - 1
		}
	}
	return nil, false
}

// valueOf returns the text behind the key of a member.
func valueOf(b []byte) (value []byte, whole bool) {
	b = bytes.TrimLeft(b, " \t\r\n:")
	if len(b) == 0 || b[0] != '"' {
		return nil, false
	}
	text, end := quoted(b)
	return unquote(text), end > 1 && b[end-1] == '"' && len(text) == end-2
}

// quoted returns the text in the quotes that b begins with, as it is written, and
// where it ends.
func quoted(b []byte) (text []byte, end int) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[1:i], i + 1
		}
	}
	return b[1:], len(b)
}

// unquote undoes the escapes that matter in a document: of white space and
// quotes. Others stay what they are.
func unquote(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' && i+1 < len(b) {
			i++
			switch c = b[i]; c {
			case 'n', 'r', 't':
				c = ' '
				if b[i] == 'n' {
					c = '\n'
				}
			}
		}
		out = append(out, c)
	}
	return out
}
