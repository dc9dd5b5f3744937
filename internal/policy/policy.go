// Package policy is the engine of security policies in the Falco rules
// language: it loads rule files and tells which rules an event matches. It is
// pure: events come through field.Source, nothing here reads the system.
//
//	Load(files) -> RuleSet (immutable) -> Matcher (one per goroutine) -> Match
package policy

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/index"
	"github.com/sightglass/sightglass/internal/policy/plan"
	"github.com/sightglass/sightglass/internal/policy/rules"
)

// File is a rule file.
type File = rules.File

// Rule is a loaded rule.
type Rule = rules.Rule

// Options change how rules are loaded and matched.
type Options struct {
	rules.Options
	// All makes every matching rule count, not only the first.
	All bool
	// Select enables and disables rules after loading, in order.
	Select []Selection
	// Names knows the addresses of domain names; nil: they have none.
	Names field.Names
	// Lean leaves the rules without their conditions once they are planned: only
	// tools print those, and they take more memory than all else of a set.
	Lean bool
}

// Result is what became of loading.
type Result struct {
	Files []*rules.Result
}

// OK reports whether all files were accepted.
func (r *Result) OK() bool {
	for _, f := range r.Files {
		if !f.OK() {
			return false
		}
	}
	return true
}

// String is every issue in full.
func (r *Result) String() string {
	var b strings.Builder
	for _, f := range r.Files {
		b.WriteString(f.String())
	}
	return b.String()
}

// Err is nil when all files were accepted, else an error with all of it.
func (r *Result) Err() error {
	if r.OK() {
		return nil
	}
	var b strings.Builder
	for _, f := range r.Files {
		for i := range f.Errors {
			b.WriteString(f.Errors[i].String())
		}
	}
	return errors.New(strings.TrimSuffix(b.String(), "\n"))
}

// JSON is the result in the form of Falco's validation.
func (r *Result) JSON() ([]byte, error) { return rules.JSON(r.Files) }

// RuleSet is a set of rules, ready to match. It is not changed once it is
// loaded and may be used by any number of goroutines.
type RuleSet struct {
	rules  []*Rule // all, disabled ones too
	active []*Rule // those that can match, by the index' numbers
	prog   *plan.Program
	index  *index.Index
	types  index.Types
	all    bool
	pool   sync.Pool
	needs  map[string]*interest.Filter // by event type; nil unless the set is lean
}

// Load loads rule files, in order; later ones may change what earlier ones
// define. The set is nil when a file has an error.
func Load(files []File, opts *Options) (*RuleSet, *Result) {
	if opts == nil {
		opts = &Options{}
	}
	loaded, results := rules.Load(files, &opts.Options)
	res := &Result{Files: results}
	if !res.OK() {
		return nil, res
	}
	sel := selector(opts.Select)
	for _, r := range loaded {
		r.Enabled = sel.enabled(r)
	}
	return newRuleSet(loaded, opts), res
}

func newRuleSet(loaded []*Rule, opts *Options) *RuleSet {
	rs := &RuleSet{rules: loaded, all: opts.All, types: index.None()}
	b := plan.NewBuilder(opts.Names)
	var indexed []index.Rule
	for _, r := range loaded {
		if !r.Enabled {
			continue
		}
		rs.active = append(rs.active, r)
		rs.types = index.Union(rs.types, r.Types)
		indexed = append(indexed, index.Rule{Types: r.Types, Cond: b.Add(r.Checked.Expr)})
		r.Plan(b)
	}
	rs.prog = b.Build()
	rs.index = index.New(b, indexed)
	rs.pool.New = func() any { return rs.NewMatcher() }
	if opts.Lean {
		rs.forget()
	}
	return rs
}

// Len is the number of rules that can match.
func (rs *RuleSet) Len() int { return len(rs.active) }

// Rules are all rules in their order, disabled ones too.
func (rs *RuleSet) Rules() []*Rule { return rs.rules }

// Meant reports whether a selection matches a rule, enabled or not.
func (rs *RuleSet) Meant(sel *Selection) bool { return slices.ContainsFunc(rs.rules, sel.matches) }

// EventTypes are the names of the event types that an enabled rule can match.
func (rs *RuleSet) EventTypes() []string { return rs.types.Names() }

// Wants reports whether an enabled rule can match events of a type.
func (rs *RuleSet) Wants(eventType string) bool {
	e, ok := events.ByName(eventType)
	return ok && rs.types.Has(e.ID)
}

// Uses reports whether the condition or an output of an enabled rule names a
// field.
func (rs *RuleSet) Uses(name string) bool {
	return slices.ContainsFunc(rs.active, func(r *Rule) bool { return slices.Contains(r.Fields(), name) })
}

// Reads reports whether the condition or an output of an enabled rule is made of
// an attribute. It tells which costly facts events must carry.
func (rs *RuleSet) Reads(a field.Attr) bool {
	return slices.ContainsFunc(rs.active, func(r *Rule) bool {
		for ref := range r.Refs {
			if ref.Reads(a) {
				return true
			}
		}
		return false
	})
}

// Match calls found for the rules that an event matches: the first one, or
// with Options.All every one, in order. It is safe for concurrent use; see
// Matcher for the fields that count events.
func (rs *RuleSet) Match(src field.Source, found func(*Match)) {
	m := rs.pool.Get().(*Matcher) //nolint:forcetypeassert // the pool holds nothing else
	m.Match(src, found)
	rs.pool.Put(m)
}
