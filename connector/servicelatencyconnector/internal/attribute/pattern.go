package attribute

import (
	"errors"
	"fmt"
	"strings"
)

// Pattern is an attribute name in which every * stands for any text.
type Pattern string

// Validate refuses patterns that cannot be meant.
func (p Pattern) Validate() error {
	switch {
	case p == "":
		return errors.New("an attribute name must not be empty")
	case strings.Trim(string(p), "*") == "":
		return fmt.Errorf("%q matches every attribute; name a prefix, as in \"app.*\"", string(p))
	default:
		return nil
	}
}

// Exact reports whether the pattern is a plain name.
func (p Pattern) Exact() bool { return !strings.Contains(string(p), "*") }

// Match reports whether the whole name matches.
func (p Pattern) Match(name string) bool {
	head, rest, found := strings.Cut(string(p), "*")
	if !found {
		return head == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		part, more, found := strings.Cut(rest, "*")
		if !found {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], more
	}
}

// MatchAny reports whether one of the patterns matches.
func MatchAny(patterns []Pattern, name string) bool {
	for _, p := range patterns {
		if p.Match(name) {
			return true
		}
	}
	return false
}
