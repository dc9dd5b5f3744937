package detection

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy"
)

func TestNotCaptured(t *testing.T) {
	for condition, want := range map[string][]string{
		"evt.type in (openat, procexit)":            nil,
		"evt.type in (swapon, openat, acct)":        {"acct", "swapon"},
		"proc.name = x":                             nil,
		"evt.type != openat and not proc.name = x ": nil,
	} {
		set, res := policy.Load([]policy.File{{Name: "x.yaml", Content: []byte(
			"- rule: x\n  desc: x\n  condition: " + condition + "\n  output: x\n  priority: debug\n",
		)}}, nil)
		require.NoError(t, res.Err())
		require.Equal(t, want, NotCaptured(set.Rules()[0]), condition)
	}
}
