package policy

import (
	"time"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/index"
	"github.com/sightglass/sightglass/internal/policy/output"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// Matcher matches events, one at a time and by one goroutine. It counts the
// events for evt.num, evt.reltime and the like, and does not allocate for
// events that match nothing.
type Matcher struct {
	set     *RuleSet
	ctx     *plan.Context
	scratch *index.Scratch

	found  func(*Match)
	onRule func(int) bool // the method, made a value once
	match  Match
	shown  *plan.Context // of Match.Show; nil until it is needed

	last *events.Event // type of the last event, nil when it is unknown
}

// NewMatcher makes a matcher for the set's rules.
func (rs *RuleSet) NewMatcher() *Matcher {
	m := &Matcher{set: rs, ctx: rs.prog.NewContext(), scratch: rs.index.NewScratch()}
	m.onRule = m.rule
	m.match.m = m
	return m
}

// Match calls found for the rules that the event matches. The Match is valid
// during the call.
func (m *Matcher) Match(src field.Source, found func(*Match)) {
	m.found = found
	m.ctx.Begin(src, m.typeOf(src))
	m.set.index.Match(m.ctx, m.scratch, m.onRule)
	m.found = nil
}

// Again calls found for a rule of the set that the event matched before. Nothing is
// evaluated anew: what is known of processes may have changed meanwhile, and a match
// stays one.
func (m *Matcher) Again(src field.Source, r *Rule, found func(*Match)) {
	m.ctx.Again(src, m.typeOf(src))
	m.match.Rule, m.match.ctx = r, m.ctx
	found(&m.match)
}

// typeOf is the type of an event, nil when it is unknown. Events of one type often
// follow each other. The name is compared with the table's own, since the source's
// is only valid for this event.
func (m *Matcher) typeOf(src field.Source) *events.Event {
	if name := src.EventType(); m.last == nil || name != m.last.Name {
		m.last, _ = events.ByName(name)
	}
	return m.last
}

func (m *Matcher) rule(n int) bool {
	m.match.Rule, m.match.ctx = m.set.active[n], m.ctx
	m.found(&m.match)
	return m.set.all
}

// Match is a rule that an event matched. What it returns aliases the event and
// the matcher, unless told otherwise.
type Match struct {
	Rule *Rule
	m    *Matcher
	ctx  *plan.Context // what outputs are made from
}

// Show makes src, in place of the event itself, what the outputs and fields of
// this match are made from: the same event with something hidden. Conditions
// are always about the event itself.
func (m *Match) Show(src field.Source) {
	if m.m.shown == nil {
		m.m.shown = m.m.set.prog.NewContext()
	}
	m.m.shown.BeginLike(m.m.ctx, src)
	m.ctx = m.m.shown
}

// Time is when the event happened, ns since 1970.
func (m *Match) Time() int64 { return m.ctx.Time() }

// AppendOutput appends the rule's output for the event.
func (m *Match) AppendOutput(dst []byte) []byte { return m.Rule.Output.Append(dst, m.ctx) }

// Output is the rule's output for the event; it may be kept.
func (m *Match) Output() string { return string(m.AppendOutput(nil)) }

// Fields calls yield for every field that the output names, and for the extra
// fields that were configured, each once. f tells how the value is written.
func (m *Match) Fields(yield func(f *output.Field, v *field.Value)) {
	for _, f := range m.Rule.Output.Fields() {
		yield(f, f.Value(m.ctx))
	}
	for _, f := range m.Rule.Extra {
		yield(f, f.Value(m.ctx))
	}
}

// Formatted calls yield for every extra text that was configured.
func (m *Match) Formatted(yield func(key, text string)) {
	for _, f := range m.Rule.Formatted {
		yield(f.Key, string(f.Format.Append(nil, m.ctx)))
	}
}

// Alert is the match as an alert in Falco's form; it may be kept.
func (m *Match) Alert(hostname string) *output.Alert {
	a := &output.Alert{
		Hostname: hostname, Rule: m.Rule.Name, Priority: m.Rule.Priority.String(), Source: m.Rule.Source,
		Tags: m.Rule.Tags, Time: time.Unix(0, m.Time()), Message: m.Output(),
	}
	m.Fields(func(f *output.Field, v *field.Value) {
		a.Fields = append(a.Fields, output.AlertField{Key: f.Key, JSON: f.AppendJSON(nil, v)})
	})
	m.Formatted(func(key, text string) {
		a.Fields = append(a.Fields, output.AlertField{Key: key, JSON: output.AppendQuoted(nil, text)})
	})
	return a
}
