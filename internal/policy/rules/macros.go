package rules

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sightglass/sightglass/internal/nearest"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

// resolver replaces references to macros by their trees.
type resolver struct {
	macros map[string]*macro
	active map[string]bool // macros that are being resolved
	broken map[string]bool // macros with an error of their own
	tests  int             // of the present condition, with those of its macros
	made   map[string]*resolved
	hints  int // how many names were suggested
}

// resolved is a macro's tree with its macros. Trees share those of the macros
// they refer to.
type resolved struct {
	tree  lang.Expr
	tests int
}

// maxTests is how many comparisons a condition may have with those of its
// macros: a few lines of macros of macros are beyond any memory.
const maxTests = 100_000

// maxHints is how often a name is suggested; it is looked for among all.
const maxHints = 100

func newResolver() *resolver {
	return &resolver{
		macros: map[string]*macro{}, active: map[string]bool{}, broken: map[string]bool{}, made: map[string]*resolved{},
	}
}

// whole is a condition with its macros, which stand where they are referred to.
func (r *resolver) whole(e lang.Expr, limit int) (lang.Expr, error) {
	r.tests = 0
	return r.resolve(e, limit, true)
}

// fits reports what keeps a condition from being put together with its macros.
func (r *resolver) fits(e lang.Expr, limit int) error {
	r.tests = 0
	_, err := r.resolve(e, limit, false)
	return err
}

// resolve replaces the references in e to macros with an index below limit. The
// trees of macros keep their own places unless they are moved.
func (r *resolver) resolve(e lang.Expr, limit int, move bool) (lang.Expr, error) {
	switch e := e.(type) {
	case *lang.And:
		children, err := r.all(e.Children, limit, move)
		return &lang.And{At: e.At, Children: children}, err
	case *lang.Or:
		children, err := r.all(e.Children, limit, move)
		return &lang.Or{At: e.At, Children: children}, err
	case *lang.Not:
		child, err := r.resolve(e.Child, limit, move)
		return &lang.Not{At: e.At, Child: child}, err
	case *lang.Ref:
		return r.macro(e, limit, move)
	}
	return e, r.count(1)
}

func (r *resolver) count(tests int) error {
	if r.tests += tests; r.tests > maxTests {
		return &macroError{msg: fmt.Sprintf("the condition has more than %d comparisons with those of its macros", maxTests)}
	}
	return nil
}

func (r *resolver) all(list []lang.Expr, limit int, move bool) ([]lang.Expr, error) {
	out := make([]lang.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = r.resolve(e, limit, move); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// macroError is a reference that cannot be resolved. silent marks one whose
// cause has been told already.
type macroError struct {
	lang.Pos
	msg    string
	silent bool
}

func (e *macroError) Error() string { return e.msg }

// maxTypo is how many letters of a name may be wrong for it to be taken for
// another.
const maxTypo = 2

// didYouMean is the name that was probably meant, as an addition to a message.
func didYouMean(name string, known []string) string {
	if near := nearest.Of(name, known, maxTypo); near != "" {
		return ": did you mean '" + near + "'?"
	}
	return ""
}

// suggest is the macro that was probably meant, or where one has to be, as an addition
// to a message.
func (r *resolver) suggest(name string, limit int) string {
	if r.hints++; r.hints > maxHints {
		return ""
	}
	var known []string
	for _, m := range r.macros {
		if m.index < limit {
			known = append(known, m.Name)
		}
	}
	slices.Sort(known)
	return cmp.Or(didYouMean(name, known), ", neither in this file nor in another one that is loaded with it")
}

func (r *resolver) macro(ref *lang.Ref, limit int, move bool) (lang.Expr, error) {
	m := r.macros[ref.Name]
	switch {
	case m == nil && r.broken[ref.Name], m != nil && m.tree == nil:
		return nil, &macroError{ref.At, "the macro " + ref.Name + " has an error", true}
	case m == nil:
		return nil, &macroError{Pos: ref.At, msg: "the macro '" + ref.Name + "' is not defined" + r.suggest(ref.Name, limit)}
	case m.index >= limit && !r.active[ref.Name]:
		return nil, &macroError{Pos: ref.At, msg: "the macro '" + ref.Name + "' is defined further on: macros that use it have to come behind it"}
	case r.active[ref.Name]:
		return nil, &macroError{Pos: ref.At, msg: "the macro '" + ref.Name + "' refers to itself"}
	}
	e, err := r.tree(m)
	if err != nil {
		err.(*macroError).Pos = ref.At //nolint:errorlint,forcetypeassert // resolve returns nothing else
		return nil, err
	}
	if !move {
		return e, nil
	}
	return lang.Relocate(e, lang.Pos{Index: ref.At.Index, Line: ref.At.Line, Column: ref.At.Column, Macro: ref.Name}), nil
}

// tree is a macro's tree with its macros. What is found once holds wherever the
// macro is used.
func (r *resolver) tree(m *macro) (lang.Expr, error) {
	m.used = true
	if done := r.made[m.Name]; done != nil {
		return done.tree, r.count(done.tests)
	}
	r.active[m.Name] = true
	defer delete(r.active, m.Name)
	before := r.tests
	e, err := r.resolve(m.tree, m.visibility, false)
	if err == nil {
		r.made[m.Name] = &resolved{e, r.tests - before}
	}
	return e, err
}
