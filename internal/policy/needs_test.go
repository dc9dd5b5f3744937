package policy_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
)

// A lean set matches, needs and reads what it would with its conditions.
func TestLeanSetForgetsConditionsOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a fixed seed makes the test repeatable
	var text strings.Builder
	for i := range 100 {
		text.WriteString(ruleText(fmt.Sprint("r", i), randomCondition(r, 3)))
	}
	off := []policy.Selection{{Rule: "r99"}}
	whole := loadText(t, text.String(), &policy.Options{All: true, Select: off})
	lean := loadText(t, text.String(), &policy.Options{All: true, Select: off, Lean: true})
	require.Equal(t, whole.Len(), lean.Len())
	require.Equal(t, 99, lean.Len())
	for i, rule := range lean.Rules() {
		require.Nil(t, rule.Condition)
		require.Nil(t, rule.Checked.Expr)
		require.Equal(t, whole.Rules()[i].References(), rule.References())
	}
	types := whole.EventTypes()
	require.NotEmpty(t, types)
	require.Equal(t, types, lean.EventTypes())
	for _, name := range append(types, "no_such_type", "nanosleep") {
		require.Equal(t, whole.Needs(name), lean.Needs(name), name)
	}
	for a := range field.Attr(64) {
		require.Equal(t, whole.Reads(a), lean.Reads(a))
	}
	total := 0
	for range 1000 {
		e := randomEvent(r)
		want := matches(whole, e)
		require.Equal(t, want, matches(lean, e))
		total += len(want)
	}
	require.Greater(t, total, 500, "the events must match something")
}
