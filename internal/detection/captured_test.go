package detection

import (
	"os"
	"path/filepath"
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

// TestStockRulesAreCaptured: every event that Falco's rules name is one that the
// receiver reports, and every field one that has a value.
func TestStockRulesAreCaptured(t *testing.T) {
	dir := os.Getenv("SIGHTGLASS_FALCO_RULES")
	if dir == "" {
		t.Skip("SIGHTGLASS_FALCO_RULES names no directory with Falco's stock rule files")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		set, res := policy.Load([]policy.File{{Name: file, Content: content}}, nil)
		require.NoError(t, res.Err(), file)
		for _, r := range set.Rules() {
			require.Empty(t, NotCaptured(r), "%s: %s", file, r.Name)
		}
	}
}
