// Package need works out what a system call must be like for a condition to be
// true at all, as far as that shows before anything is evaluated: whether it
// failed, how it opens, and where its path begins.
//
//	check.Expr + event type -> interest.Filter
//
// The answer is a superset: what is not understood counts as possible. Negations
// are pushed down to the comparisons, each of which then says what it takes to
// be true, or false; conjunctions keep the narrowest of their parts.
package need

import (
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/index"
)

// Of is what events of a type must be like for a condition.
func Of(cond check.Expr, e *events.Event) *interest.Filter {
	f := &interest.Filter{}
	for c := range f {
		l := look{event: e, class: interest.Class(c)}
		f[c] = l.at(cond, false)
	}
	return f
}

// look is the view of one class of events of one type.
type look struct {
	event *events.Event
	class interest.Class
}

var everything = interest.Wish{Any: true}

// at is what it takes for e to be true, or with negated to be false.
func (l *look) at(e check.Expr, negated bool) interest.Wish {
	switch e := e.(type) {
	case *check.And:
		return l.fold(e.Children, negated, negated)
	case *check.Or:
		return l.fold(e.Children, !negated, negated)
	case *check.Not:
		return l.at(e.Child, !negated)
	case *check.Test:
		return l.test(e, negated)
	}
	return everything
}

// fold joins what the children take: either is enough, or all are needed.
func (l *look) fold(children []check.Expr, either, negated bool) interest.Wish {
	out := l.at(children[0], negated)
	for _, c := range children[1:] {
		next := l.at(c, negated)
		switch {
		case either:
			out = out.Or(&next)
		case narrower(&next, &out):
			out = next
		}
	}
	return out
}

// narrower reports whether a lets fewer events pass than b, as far as that can
// be told. When both must hold, either may be asked for alone.
func narrower(a, b *interest.Wish) bool {
	switch {
	case a.None() || b.None():
		return a.None() && !b.None()
	case a.Any || b.Any:
		return !a.Any
	case len(a.Programs) == 0 != (len(b.Programs) == 0):
		return len(a.Programs) == 0 // the kernel does not know those
	}
	x, y := shortest(a), shortest(b)
	return x > y || x == y && len(a.Named)+len(a.Resolved) < len(b.Named)+len(b.Resolved)
}

// shortest is the length of the beginning that lets most paths pass.
func shortest(w *interest.Wish) int {
	n := -1
	for _, list := range [2]interest.Beginnings{w.Named, w.Resolved} {
		for _, p := range list {
			if n < 0 || len(p) < n {
				n = len(p)
			}
		}
	}
	return n
}

// test is what it takes for one comparison.
func (l *look) test(t *check.Test, negated bool) interest.Wish {
	ref := t.Left.Ref
	if ref == nil || t.Right != nil || t.Left.List {
		return everything
	}
	if !possible(t, l.event, negated) {
		return interest.Wish{}
	}
	if decide, ok := decided[ref.Name]; ok {
		if able := decide(l, t); negated && !able.false || !negated && !able.true {
			return interest.Wish{}
		}
		return everything
	}
	if negated {
		return everything
	}
	if take, ok := pathFields[ref.Name]; ok && pathCalls[l.event.Name] {
		return take(l, t)
	}
	if ref.Name == "proc.name" {
		list, ok := beginnings(t)
		return wish(list, ok, 0, func(p interest.Beginnings) interest.Wish { return interest.Wish{Programs: p} })
	}
	return everything
}

// possible reports whether the event's type alone lets a comparison be true, or
// with negated be false.
func possible(t *check.Test, e *events.Event, negated bool) bool {
	var cond check.Expr = t
	if negated {
		cond = &check.Not{Child: t}
	}
	return index.Of(cond).Has(e.ID)
}
