package spans

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Patterns are the routes that the user has configured, in their order.
type Patterns []pattern

// pattern is one route: fixed segments, and anySegment where any text may stand.
type pattern struct {
	text     string
	segments []string
	open     bool // anything may follow
}

// anySegment is what no fixed segment can be.
const anySegment = "{}"

// ParsePatterns reads routes such as /users/{id}/orders and /files/{path...}. A
// name in braces stands for one segment of a path, at the end with ... for any
// number.
func ParsePatterns(texts []string) (Patterns, error) {
	var all Patterns
	for _, text := range texts {
		p, err := parsePattern(text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		all = append(all, p)
	}
	return all, nil
}

func parsePattern(text string) (pattern, error) {
	p := pattern{text: text}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return p, errors.New("a route begins with /, for example /users/{id}")
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		name, isName := strings.CutPrefix(part, "{")
		switch {
		case !isName && !strings.ContainsAny(part, "{}"):
			p.segments = append(p.segments, part)
			continue
		case !isName || !strings.HasSuffix(name, "}") || strings.ContainsAny(name[:len(name)-1], "{}") || len(name) < 2:
			return p, fmt.Errorf("%q is neither fixed nor {name}", part)
		}
		if strings.HasSuffix(name, "...}") {
			if i != len(parts)-1 {
				return p, fmt.Errorf("%q can only stand at the end", part)
			}
			p.open = true
			continue
		}
		p.segments = append(p.segments, anySegment)
	}
	return p, nil
}

// Match returns the first route that a path follows.
func (all Patterns) Match(path []byte) (string, bool) {
	for i := range all {
		if all[i].matches(path) {
			return all[i].text, true
		}
	}
	return "", false
}

func (p *pattern) matches(path []byte) bool {
	if len(path) == 0 || path[0] != '/' {
		return false
	}
	rest, more := path[1:], true
	for _, want := range p.segments {
		if !more {
			return false
		}
		var segment []byte
		segment, rest, more = bytes.Cut(rest, []byte("/"))
		if want == anySegment && len(segment) == 0 || want != anySegment && string(segment) != want {
			return false
		}
	}
	return p.open == more
}

// Path takes note of the path that is asked for: it may be that of health checks.
func (w *Writer) Path(path []byte) {
	if len(w.t.probes) > 0 {
		_, w.probe = w.t.probes.Match(path)
	}
}

// ConfiguredRoute is the route that the user has configured for a path.
func (w *Writer) ConfiguredRoute(path []byte) (string, bool) { return w.t.patterns.Match(path) }
