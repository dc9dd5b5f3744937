package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Guard is a necessary condition that an index can look up: one of its keys
// holds.
type Guard []Key

// Key is a set of texts that a slot may have: one of Values, or one that begins
// with one of Prefixes. Prefixes are those of paths, written with single
// slashes; of a text that is written otherwise they say nothing.
type Key struct {
	Slot     int
	Values   []string
	Prefixes []string
}

const (
	maxGuardTexts = 256 // of one guard; larger ones save nothing
	maxGuards     = 16  // of one condition
)

// AnyType stands for events of all types.
const AnyType = ^events.ID(0)

// Guards are the guards of a condition for events of one type. Each on its own
// is necessary. Call it after Build.
func (b *Builder) Guards(c Cond, id events.ID) []Guard {
	found, possible := b.guards(c.root, id)
	if !possible {
		return nil
	}
	var out []Guard
	for _, g := range found {
		if g.texts() <= maxGuardTexts {
			out = append(out, g.sorted(b))
		}
	}
	return out
}

// texts are what one operand's text must be or begin with.
type texts struct {
	left             *check.Operand
	values, prefixes map[string]struct{}
}

// guard is a Guard while it is being put together, by operand.
type guard map[string]texts

func (g guard) texts() int {
	n := 0
	for _, t := range g {
		n += len(t.values) + len(t.prefixes)
	}
	return n
}

func (g guard) sorted(b *Builder) Guard {
	var out Guard
	for _, name := range slices.Sorted(maps.Keys(g)) {
		t := g[name]
		out = append(out, Key{b.Slot(t.left), slices.Sorted(maps.Keys(t.values)), slices.Sorted(maps.Keys(t.prefixes))})
	}
	return out
}

// looseness guesses how often a guard leaves nothing out: a path's beginning
// lets the more through the shorter it is.
func (g guard) looseness() float64 {
	sum := 0.0
	for _, t := range g {
		sum += looseValue * float64(len(t.values))
		for p := range t.prefixes {
			depth := strings.Count(strings.TrimSuffix(p, "/"), "/")
			sum += 1 / float64(depth*depth)
		}
	}
	return sum
}

// looseValue is the looseness of a whole text; that of /x is 1.
const looseValue = 0.01

func tighter(x, y guard) int { return cmp.Compare(x.looseness(), y.looseness()) }

// operands identifies guards that look at the same operands.
func (g guard) operands() string { return strings.Join(slices.Sorted(maps.Keys(g)), "\x00") }

// own is a copy that absorb may change.
func (g guard) own() guard {
	out := make(guard, len(g))
	for name, t := range g {
		out[name] = texts{t.left, maps.Clone(t.values), maps.Clone(t.prefixes)}
	}
	return out
}

// absorb makes g the guard of both alternatives. It reports whether that still
// saves something.
func (g guard) absorb(other guard) bool {
	for name, t := range other {
		mine, ok := g[name]
		if !ok {
			g[name] = texts{t.left, maps.Clone(t.values), maps.Clone(t.prefixes)}
			continue
		}
		maps.Copy(mine.values, t.values)
		maps.Copy(mine.prefixes, t.prefixes)
	}
	return g.texts() <= maxGuardTexts
}

// guards are those of a subexpression; it is not possible when no event of the
// type meets it.
func (b *Builder) guards(e *entry, id events.ID) (list []guard, possible bool) {
	if e.typed && id != AnyType {
		if s := b.special(e, id); s.node == nil {
			return nil, s.verdict
		}
	}
	switch x := e.expr.(type) {
	case *check.And:
		for _, child := range e.children {
			more, possible := b.guards(child, id)
			if !possible {
				return nil, false
			}
			list = append(list, more...)
		}
		return tightest(list), true
	case *check.Or:
		return b.eitherGuard(e.children, id)
	case *check.Test:
		if g := testGuard(x); g != nil {
			return []guard{g}, true
		}
	}
	return nil, true
}

// tightest drops guards about the same operands as a tighter one.
func tightest(list []guard) []guard {
	slices.SortStableFunc(list, tighter)
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(g guard) bool {
		name := g.operands()
		again := seen[name]
		seen[name] = true
		return again
	})
	return list[:min(len(list), maxGuards)]
}

// eitherGuard is what alternatives need: one of each one's guards. Those about
// operands that all have in common and the one of each one's tightest.
func (b *Builder) eitherGuard(children []*entry, id events.ID) (out []guard, possible bool) {
	var sums map[string]guard
	var tight guard
	useful := true // whether the sum of the tightest is small enough
	for _, child := range children {
		list, ok := b.guards(child, id)
		if !ok {
			continue
		}
		if len(list) == 0 {
			return nil, true
		}
		best := slices.MinFunc(list, tighter)
		if !possible {
			possible, sums, tight = true, map[string]guard{}, best.own()
			for _, g := range list {
				sums[g.operands()] = g.own()
			}
			continue
		}
		useful = useful && tight.absorb(best)
		absorbAll(sums, list)
		if !useful && len(sums) == 0 {
			return nil, true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, sums[name])
	}
	if possible && useful {
		out = append(out, tight)
	}
	return tightest(out), possible
}

// absorbAll adds each guard to the sum about the same operands and leaves out
// the sums that an alternative has nothing to add to, or that got too large.
func absorbAll(sums map[string]guard, list []guard) {
	byName := make(map[string]guard, len(list))
	for _, g := range list {
		byName[g.operands()] = g
	}
	for name, sum := range sums {
		if g, ok := byName[name]; !ok || !sum.absorb(g) {
			delete(sums, name)
		}
	}
}

func testGuard(t *check.Test) guard {
	ref := t.Left.Ref
	switch {
	case ref == nil, t.Left.List, t.Right != nil, t.Left.Type.Class() != field.ClassText:
		return nil
	case ref.EveryAncestor(), ref.Field.Flags&(field.TwoSided|field.DomainName|field.EventScoped) != 0:
		return nil
	case t.Mod == operator.AllOf:
		return nil
	}
	made := texts{&t.Left, map[string]struct{}{}, map[string]struct{}{}}
	switch t.Op {
	case operator.Eq, operator.In:
		for i := range t.Values {
			made.values[t.Values[i].Text] = struct{}{}
		}
	case operator.StartsWith, operator.Glob, operator.PMatch:
		for i := range t.Values {
			prefix := pathPrefix(t.Op, t.Values[i].Text)
			if prefix == "" {
				return nil
			}
			made.prefixes[prefix] = struct{}{}
		}
	default:
		return nil
	}
	return guard{operandKey(&t.Left): made}
}

// pathPrefix is how every path begins that satisfies the comparison, if it is
// written with single slashes; empty when nothing is known or it begins in
// another way than with a slash.
func pathPrefix(op operator.ID, text string) string {
	switch op {
	case operator.PMatch:
		text = pmatchPrefix(text)
	case operator.Glob:
		if i := strings.IndexAny(text, `*?[]\`); i >= 0 {
			text = text[:i]
		}
	default:
	}
	if len(text) < 2 || text[0] != '/' || strings.Contains(text, "//") {
		return ""
	}
	return text
}

// pmatchPrefix is a search path up to its first component with a wildcard.
func pmatchPrefix(path string) string {
	var out strings.Builder
	for part := ""; path != ""; {
		if part, path = nextPart(path); strings.ContainsAny(part, "?*[") {
			break
		} else if part != "" {
			out.WriteString("/" + part)
		}
	}
	return out.String()
}
