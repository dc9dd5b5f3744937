package policy

import (
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/need"
)

// Needs is what events of a type must be like for an enabled rule to match
// them; it wants none of a type that is unknown. The result is shared: nobody may
// change it.
func (rs *RuleSet) Needs(eventType string) *interest.Filter {
	if rs.needs != nil {
		if f := rs.needs[eventType]; f != nil {
			return f
		}
		return &interest.Filter{}
	}
	out := &interest.Filter{}
	e, ok := events.ByName(eventType)
	if !ok {
		return out
	}
	for _, r := range rs.active {
		if r.Types.Has(e.ID) {
			out = out.Or(need.Of(r.Checked.Expr, e))
		}
	}
	return out
}

// forget gives up the conditions, of which Needs is all that is asked later.
func (rs *RuleSet) forget() {
	needs := make(map[string]*interest.Filter)
	for _, name := range rs.EventTypes() {
		needs[name] = rs.Needs(name)
	}
	rs.needs = needs
	for _, r := range rs.rules {
		r.Condition, r.Checked.Expr = nil, nil
	}
}
