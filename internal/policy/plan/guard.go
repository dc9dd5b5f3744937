package plan

import (
	"maps"
	"slices"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Guard is a necessary condition of a rule that an index can look up: the
// slot's text is one of Values.
type Guard struct {
	Slot   int
	Values []string
}

// maxGuard bounds the values of a guard; larger ones save nothing.
const maxGuard = 256

// Guards are the guards of a condition. Each on its own is necessary.
func (b *Builder) Guards(e check.Expr) []Guard {
	found := map[string]*guardSet{}
	collectGuards(e, found)
	var out []Guard
	for _, key := range slices.Sorted(maps.Keys(found)) {
		set := found[key]
		if len(set.values) <= maxGuard {
			out = append(out, Guard{b.Slot(set.left), slices.Sorted(maps.Keys(set.values))})
		}
	}
	return out
}

type guardSet struct {
	left   *check.Operand
	values map[string]struct{}
}

// collectGuards gathers, per operand, texts of which one must be the operand's
// value for e to be true.
func collectGuards(e check.Expr, into map[string]*guardSet) {
	switch e := e.(type) {
	case *check.And:
		for _, child := range e.Children {
			sub := map[string]*guardSet{}
			collectGuards(child, sub)
			for key, set := range sub {
				if old := into[key]; old == nil || len(set.values) < len(old.values) {
					into[key] = set
				}
			}
		}
	case *check.Or:
		unionGuards(e.Children, into)
	case *check.Test:
		if set := testGuard(e); set != nil {
			into[operandKey(&e.Left)] = set
		}
	}
}

// unionGuards keeps the operands that every child guards.
func unionGuards(children []check.Expr, into map[string]*guardSet) {
	for i, child := range children {
		sub := map[string]*guardSet{}
		collectGuards(child, sub)
		if i == 0 {
			maps.Copy(into, sub)
			continue
		}
		for key, set := range into {
			other := sub[key]
			if other == nil {
				delete(into, key)
				continue
			}
			union := make(map[string]struct{}, len(set.values)+len(other.values))
			for v := range set.values {
				union[v] = struct{}{}
			}
			for v := range other.values {
				union[v] = struct{}{}
			}
			into[key] = &guardSet{set.left, union}
		}
	}
}

func testGuard(t *check.Test) *guardSet {
	ref := t.Left.Ref
	switch {
	case ref == nil, t.Left.List, t.Right != nil, t.Left.Type.Class() != field.ClassText:
		return nil
	case ref.EveryAncestor(), ref.Field.Flags&(field.TwoSided|field.DomainName|field.EventScoped) != 0:
		return nil
	case t.Op == operator.Eq && t.Mod != operator.AllOf, t.Op == operator.In && t.Mod == operator.Plain:
	default:
		return nil
	}
	set := &guardSet{&t.Left, map[string]struct{}{}}
	for i := range t.Values {
		set.values[t.Values[i].Text] = struct{}{}
	}
	return set
}
