package detection

import (
	"path"
	"strings"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
)

// OfRule is the alert of a rule without an event: what all its alerts share.
func OfRule(r *policy.Rule) Alert {
	return Alert{
		Rule:        r.Name,
		RuleSet:     RuleSet(r.File),
		Description: strings.TrimSpace(r.Desc),
		Reference:   r.Reference,
		Remedy:      strings.TrimSpace(r.Remedy),
		Priority:    r.Priority.String(),
		Source:      r.Source,
		Tags:        r.Tags,
	}
}

// OfMatch is the alert of a match. It may be kept.
func OfMatch(m *policy.Match) Alert {
	a := OfRule(m.Rule)
	a.Output = m.Output()
	m.Fields(func(f *output.Field, v *field.Value) {
		a.Fields = append(a.Fields, Field{Name: f.Key, Value: string(f.AppendText(nil, v))})
	})
	m.Formatted(func(key, text string) {
		a.Fields = append(a.Fields, Field{Name: key, Value: text})
	})
	return a
}

// RuleSet is the name of a set of rules: that of its file, without folder and
// extension.
func RuleSet(file string) string {
	name := path.Base(file)
	return strings.TrimSuffix(name, path.Ext(name))
}
