package rules

import (
	"slices"
	"strings"
)

// Redefinition is an item that is defined a second time; a list or a macro that
// says the same again is none. The last definition holds for the rules of all
// files. That is how files are adapted, and what happens when two of them use a
// name by accident.
type Redefinition struct {
	Kind, Name string
	At, Before Location // of the definition that holds, and of the one that it replaces
}

// redefine notes that what stands at a place replaces what stood at another.
func (r *reader) redefine(kind, name string, at, before place) {
	r.res.Redefined = append(r.res.Redefined, Redefinition{kind, name, at.last(), before.last()})
}

// last is the exact place.
func (p place) last() Location { return p.locs[len(p.locs)-1] }

// same reports whether two lists say the same.
func (l *list) same(other *list) bool { return slices.Equal(l.Items, other.Items) }

// same reports whether two conditions say the same: lines may be broken
// elsewhere.
func (m *macro) same(other *macro) bool {
	return slices.Equal(strings.Fields(m.cond.String()), strings.Fields(other.cond.String()))
}
