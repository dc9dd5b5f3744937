package policy

import (
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/field"
)

// Selection enables or disables rules by name or by tag.
type Selection struct {
	Enable bool
	// Rule is the name, a part of it, or a pattern with * for the whole of it.
	Rule string
	// Tag is one of the rule's tags.
	Tag string
}

func (s *Selection) matches(r *Rule) bool {
	switch {
	case s.Tag != "" && !slices.Contains(r.Tags, s.Tag):
		return false
	case s.Rule == "":
		return s.Tag != ""
	case strings.Contains(s.Rule, "*"):
		return field.Glob(s.Rule, r.Name, false)
	default:
		return strings.Contains(r.Name, s.Rule)
	}
}

type selector []Selection

// enabled is what the last selection that matches says, else the rule itself.
func (sel selector) enabled(r *Rule) bool {
	on := r.Enabled
	for i := range sel {
		if sel[i].matches(r) {
			on = sel[i].Enable
		}
	}
	return on
}
