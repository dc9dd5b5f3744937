package rules

import (
	"slices"

	"github.com/sightglass/sightglass/internal/policy/plan"
)

// Plan gives the fields of the rule's output their places in a program.
func (r *Rule) Plan(b *plan.Builder) {
	r.Output.Plan(b)
	for _, f := range r.Extra {
		f.Plan(b)
	}
	for _, f := range r.Formatted {
		f.Format.Plan(b)
	}
}

// Fields are the names of all fields that condition and output use, sorted.
func (r *Rule) Fields() []string {
	var names []string
	for _, ref := range r.Checked.Refs {
		names = append(names, ref.Field.Name)
	}
	for _, f := range r.Output.Fields() {
		names = append(names, f.Ref.Field.Name)
	}
	for _, f := range r.Extra {
		names = append(names, f.Ref.Field.Name)
	}
	for _, x := range r.Formatted {
		for _, f := range x.Format.Fields() {
			names = append(names, f.Ref.Field.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
