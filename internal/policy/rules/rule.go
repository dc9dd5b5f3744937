package rules

import (
	"slices"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
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

// Refs calls yield for every field that condition and outputs name, as often as
// they do.
func (r *Rule) Refs(yield func(*field.Ref) bool) {
	for _, ref := range r.Checked.Refs {
		if !yield(ref) {
			return
		}
	}
	for _, f := range r.outputFields() {
		if !yield(f.Ref) {
			return
		}
	}
}

// outputFields are the fields of the output and of everything beside it.
func (r *Rule) outputFields() []*output.Field {
	fields := slices.Concat(r.Output.Fields(), r.Extra)
	for _, x := range r.Formatted {
		fields = append(fields, x.Format.Fields()...)
	}
	return fields
}

// Fields are the names of all fields that condition and outputs use, without
// their arguments, sorted.
func (r *Rule) Fields() []string {
	return r.names(func(ref *field.Ref) string { return ref.Field.Name })
}

// References are the fields that condition and outputs use as they are written,
// such as proc.aname[2], sorted.
func (r *Rule) References() []string {
	return r.names(func(ref *field.Ref) string { return ref.Name })
}

func (r *Rule) names(of func(*field.Ref) string) []string {
	var names []string
	for ref := range r.Refs {
		names = append(names, of(ref))
	}
	slices.Sort(names)
	return slices.Compact(names)
}
