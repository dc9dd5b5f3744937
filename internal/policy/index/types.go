// Package index finds the rules that an event can match without looking at
// the others: by the event's type, and within one type by the texts that rules
// demand of a field.
package index

import (
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Types is a set of event types.
type Types []uint64

// None is the empty set.
func None() Types { return make(Types, (events.Count()+63)/64) }

// All is the set of every event type.
func All() Types {
	t := None()
	for id := range events.Count() {
		t.add(events.ID(id))
	}
	return t
}

func (t Types) add(id events.ID) { t[id/64] |= 1 << (id % 64) }

// Has reports whether the set contains a type.
func (t Types) Has(id events.ID) bool { return t[id/64]&(1<<(id%64)) != 0 }

// Len is the number of types in the set.
func (t Types) Len() int {
	n := 0
	for id := range events.Count() {
		if t.Has(events.ID(id)) {
			n++
		}
	}
	return n
}

// Names are the names of the types in the set, in the table's order.
func (t Types) Names() []string {
	var names []string
	for id := range events.Count() {
		if t.Has(events.ID(id)) {
			names = append(names, events.ByID(events.ID(id)).Name)
		}
	}
	return names
}

// Union is the set of what is in a or b.
func Union(a, b Types) Types { return zip(a, b, func(x, y uint64) uint64 { return x | y }) }

func intersection(a, b Types) Types { return zip(a, b, func(x, y uint64) uint64 { return x & y }) }

func complement(t Types) Types { return zip(All(), t, func(x, y uint64) uint64 { return x &^ y }) }

func zip(a, b Types, f func(x, y uint64) uint64) Types {
	out := None()
	for i := range out {
		out[i] = f(a[i], b[i])
	}
	return out
}

// Of is the set of event types for which a condition can be true. Negations
// are pushed down to the comparisons; only comparisons of the event's type, and
// of its number with what no number can be, narrow the set.
func Of(e check.Expr) Types { return typesOf(e, false) }

func typesOf(e check.Expr, negated bool) Types {
	switch e := e.(type) {
	case *check.And:
		return fold(e.Children, negated, negated)
	case *check.Or:
		return fold(e.Children, !negated, negated)
	case *check.Not:
		return typesOf(e.Child, !negated)
	case *check.Test:
		return testTypes(e, negated)
	}
	return All()
}

func fold(children []check.Expr, union, negated bool) Types {
	out := typesOf(children[0], negated)
	for _, c := range children[1:] {
		if next := typesOf(c, negated); union {
			out = Union(out, next)
		} else {
			out = intersection(out, next)
		}
	}
	return out
}

func testTypes(t *check.Test, negated bool) Types {
	if t.Left.Ref == nil || t.Right != nil {
		return All()
	}
	switch t.Left.Ref.Name {
	case "evt.type", "syscall.type":
		if negated && t.Op == operator.Exists && t.Left.Ref.Name == "evt.type" { // every event has one
			return None()
		}
		return namedTypes(t, negated)
	case "evt.num":
		if never, always := numberCheck(t); never && !negated || always && negated {
			return None()
		}
	}
	return All()
}

// namedTypes are the types that a comparison of the event's name allows.
func namedTypes(t *check.Test, negated bool) Types {
	out := None()
	for i := range t.Values {
		if e, ok := events.ByName(t.Values[i].Text); ok {
			out.add(e.ID)
		}
	}
	switch {
	case t.Op == operator.Eq && t.Mod != operator.AllOf && t.Mod != operator.OneOf,
		t.Op == operator.In, t.Op == operator.Intersects:
	case t.Op == operator.Ne && t.Mod == operator.Plain:
		negated = !negated
	case t.Op == operator.Eq && !negated: // oneof, allof: no more than the names
	default:
		return All()
	}
	if negated {
		return complement(out)
	}
	return out
}

// numberCheck decides comparisons of evt.num that do not depend on the event:
// numbers begin at one.
func numberCheck(t *check.Test) (never, always bool) {
	if t.Mod != operator.Plain {
		return false, false
	}
	if t.Op == operator.Exists {
		return false, true
	}
	all := true
	for i := range t.Values {
		all = all && t.Values[i].Value.Num == 0
	}
	first := uint64(0)
	if len(t.Values) > 0 {
		first = t.Values[0].Value.Num
	}
	switch t.Op {
	case operator.Eq, operator.In, operator.Intersects:
		return all, false
	case operator.Ne:
		return false, all
	case operator.Lt:
		return first <= 1, false
	case operator.Le:
		return first == 0, false
	case operator.Gt:
		return false, first == 0
	case operator.Ge:
		return false, first <= 1
	default:
		return false, false
	}
}
