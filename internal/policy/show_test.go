package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
	"github.com/sightglass/sightglass/internal/policy/policytest"
	"github.com/sightglass/sightglass/internal/schema"
)

// hidden shows an event without its arguments.
type hidden struct{ field.Source }

func (h hidden) Strings(a field.Attr) ([]string, bool) {
	if a == field.AttrProcArgs {
		return []string{"-", "hidden"}, true
	}
	return h.Source.Strings(a)
}

func TestShowHidesFromOutputsOnly(t *testing.T) {
	set := loadText(t, "- rule: a\n  desc: d\n  priority: error\n  condition: evt.type = open and proc.args = secret\n"+
		"  output: \"%evt.num %proc.cmdline %proc.name\"\n", nil)
	event := policytest.NewEvent("open").Set(schema.ProcessName, "cat").Set(schema.ProcessCommandArgs, []string{"cat", "secret"})
	m := set.NewMatcher()
	for n, want := range []string{"1 cat hidden cat", "2 cat hidden cat"} {
		var found int
		m.Match(event, func(match *policy.Match) {
			found++
			raw := match.Output()
			require.Contains(t, raw, " cat secret cat", "the event itself until something else is shown")
			at := match.Time()
			match.Show(hidden{event})
			require.Equal(t, want, match.Output(), n)
			require.Equal(t, at, match.Time())
			match.Fields(func(f *output.Field, v *field.Value) {
				require.NotContains(t, string(f.AppendText(nil, v)), "secret")
			})
			require.NotContains(t, match.Alert("h").Message, "secret")
		})
		require.Equal(t, 1, found)
	}
}
