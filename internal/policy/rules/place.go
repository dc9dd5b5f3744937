package rules

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Kinds of items in locations.
const (
	itemContent    = "rules content"
	itemElement    = "rules content item"
	itemScope      = "scope"
	itemValue      = "value for"
	itemVersion    = "required_engine_version"
	itemPlugins    = "required plugin versions"
	itemPlugin     = "required plugin versions entry"
	itemPluginAlt  = "required plugin versions alternative"
	itemList       = "list"
	itemListItem   = "list item"
	itemMacro      = "macro"
	itemMacroCond  = "macro condition"
	itemRule       = "rule"
	itemRuleCond   = "rule condition"
	itemExpression = "condition expression"
	itemOutput     = "rule output"
	itemPriority   = "rule priority"
	itemOverride   = "overrides"
	itemExceptions = "exceptions"
	itemException  = "exception"
	itemExValues   = "exception values"
	itemExValue    = "exception value"
)

// source is one rule file.
type source struct {
	name  string
	text  string
	lines []int // offset of each line's beginning
}

func newSource(name string, content []byte) *source {
	s := &source{name: name, text: string(content), lines: []int{0}}
	for i := range len(s.text) {
		if s.text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// offset turns line and column into an offset.
func (s *source) offset(line, column int) int {
	if line < 1 || line > len(s.lines) {
		return 0
	}
	return min(s.lines[line-1]+max(column-1, 0), len(s.text))
}

// at turns an offset into line and column.
func (s *source) at(offset int) (line, column int) {
	line = len(s.lines)
	for line > 1 && s.lines[line-1] > offset {
		line--
	}
	return line, offset - s.lines[line-1] + 1
}

// maxSnippet bounds the source line of a snippet, in bytes to either side.
const maxSnippet = 75

// snippet is the source line with a caret below it.
func (s *source) snippet(offset int) string {
	for offset > 0 && (offset >= len(s.text) || s.text[offset] == '\n') {
		offset--
	}
	from := strings.LastIndexByte(s.text[:offset], '\n') + 1
	to := len(s.text)
	if i := strings.IndexByte(s.text[offset:], '\n'); i >= 0 {
		to = offset + i
	}
	prefix, suffix := "", ""
	if offset-from > maxSnippet {
		from, prefix = offset-maxSnippet, "..."
	}
	if to-offset > maxSnippet {
		to, suffix = offset+maxSnippet, "..."
	}
	pad := prefix + strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, s.text[from:offset])
	pad = strings.ReplaceAll(pad, ".", " ")
	return prefix + strings.Map(printable, s.text[from:to]) + suffix + "\n" + pad + "^\n"
}

// printable keeps what would change the terminal out of a snippet.
func printable(r rune) rune {
	if r != '\t' && unicode.IsControl(r) {
		return unicode.ReplacementChar
	}
	return r
}

// place is where something stands: the chain of locations and the file.
type place struct {
	src  *source
	locs []Location
}

func filePlace(src *source) place {
	return place{src, []Location{{ItemType: itemContent, File: src.name}}}
}

// in is a place inside p, at a YAML node.
func (p place) in(kind, name string, n *yaml.Node) place {
	return p.at(kind, name, p.src.offset(n.Line, n.Column))
}

// at is a place inside p, at an offset in the file.
func (p place) at(kind, name string, offset int) place {
	line, column := p.src.at(offset)
	locs := append(slices.Clip(p.locs), Location{kind, name, p.src.name, line, column, offset})
	return place{p.src, locs}
}

// issue makes an issue about the place.
func (p place) issue(code Code, msg string) Issue {
	i := Issue{Code: code, Message: msg, Locations: p.locs}
	if at := i.Position(); at.Line > 0 {
		i.Snippet = p.src.snippet(at.Offset)
	}
	return i
}

// problem is an issue as an error value.
type problem struct{ Issue }

func (p *problem) Error() string { return p.Message }

func (p place) fail(code Code, msg string) error { return &problem{p.issue(code, msg)} }
