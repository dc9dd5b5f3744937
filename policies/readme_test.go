package policies_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/policies"
)

var update = flag.Bool("update", false, "write the table of policies in README.md")

const (
	tableBegin = "<!-- policies:begin (written by go test ./policies -update) -->\n"
	tableEnd   = "<!-- policies:end -->\n"
)

// The README has every policy with its priority and techniques, by theme.
func TestReadmeHasEveryPolicy(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), tableBegin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, tableEnd)
	require.True(t, ok)
	want := before + tableBegin + table(t) + tableEnd + after
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(text), "run go test ./policies -update")
}

func table(t *testing.T) string {
	t.Helper()
	files, err := policies.Files()
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString("| file | policy | priority | MITRE ATT&CK |\n|---|---|---|---|\n")
	set := loaded(t)
	for _, f := range files {
		for _, r := range set.Rules() {
			if r.File != f.Name {
				continue
			}
			techniques := slices.DeleteFunc(slices.Clone(r.Tags), func(tag string) bool { return !technique.MatchString(tag) })
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, r.Name, r.Priority, strings.Join(techniques, ", "))
		}
	}
	return b.String()
}
