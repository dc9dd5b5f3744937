package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIntegrity: of a critical file it is told who changed it, what it was and
// what it is.
func TestIntegrity(t *testing.T) {
	binary := agentBinary(t)
	require.NoError(t, os.MkdirAll("/etc/cron.d", 0o755))
	file, err := os.CreateTemp("/etc/cron.d", "sightglass.*.test") // cron leaves out names with dots
	require.NoError(t, err)
	path := file.Name()
	t.Cleanup(func() { _ = os.Remove(path) })
	_, err = file.WriteString("one\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())

	w := watch(t, binary)
	dir := t.TempDir()
	host := hostStage(t, dir, buildActor(t, dir), "/opt")
	const (
		empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		one   = "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806"
		two   = "27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a"
	)
	other := "/srv/sightglass." + filepath.Base(path)
	require.NoError(t, os.WriteFile(other, []byte("two\n"), 0o600))
	t.Cleanup(func() { _ = os.Remove(other) })
	for _, act := range []struct{ name, script, change, states string }{
		{"by-mode", "symlink /etc $HERE/e | chmod 640 $HERE/e/cron.d/" + filepath.Base(path), "mode", "size=4->4 mode=0600->0640 owner=0->0 before=" + one + " after=" + one},
		{"by-link", "symlink " + path + " $HERE/l | truncate $HERE/l", "content", "size=4->0 mode=0640->0640 owner=0->0 before=" + one + " after=" + empty},
		{"by-rename", "rename " + other + " " + path, "content,mode", "size=0->4 mode=0640->0600 owner=0->0 before=" + empty + " after=" + two},
		{"by-removal", "remove " + path, "deleted", "size=4-><NA> mode=0600-><NA> owner=0-><NA> before=" + two + " after=<NA>"},
	} {
		host.perform(t, act.name, act.script)
		requireChange(t, w, act.name, path, act.change, act.states)
	}
}

func requireChange(t *testing.T, w *watcher, name, path, change, states string) {
	t.Helper()
	var seen []string
	require.Eventually(t, func() bool {
		seen = nil
		return slices.ContainsFunc(w.of(name), func(d *detection) bool {
			seen = append(seen, d.output)
			return d.rule == "Critical file changed" && strings.Contains(d.output, "file="+path+" change="+change+" ") && strings.Contains(d.output, states)
		})
	}, patience, pollInterval, "%s: %v", name, seen)
}
