package encryption

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Containers have systems of their own, whose links lead within them.
func TestLibrariesOfRoots(t *testing.T) {
	p := &probed{}
	f := newTestFinder(t, p, time.Minute)
	f.cfg.Proc = t.TempDir()
	original := systemOpenSSL(t)
	container, process := t.TempDir(), filepath.Join(f.cfg.Proc, "42")
	place := filepath.Join(container, original)
	require.NoError(t, os.MkdirAll(filepath.Dir(place), 0o755)) //nolint:gosec // a root file system
	require.NoError(t, os.Symlink("/libssl.so.3", place))
	copyFile(t, original, filepath.Join(container, "libssl.so.3"))
	require.NoError(t, os.Mkdir(process, 0o700))
	require.NoError(t, os.Symlink(container, filepath.Join(process, "root")))

	now := time.Now()
	f.root(42, now)
	require.Len(t, f.files, 1)
	f.publish()
	require.Equal(t, []Library{{Name: "OpenSSL", Path: original, Read: true}}, f.Libraries())

	require.NoError(t, os.Remove(place))
	copyFile(t, original, place)
	f.root(42, now)
	require.Len(t, f.files, 1, "it was just looked at")
	f.root(42, now.Add(rootEvery))
	require.Len(t, f.files, 2)
	f.sweep(now.Add(unusedFor + time.Minute))
	require.Len(t, f.files, 1, "what was replaced is let go")

	require.NoError(t, os.RemoveAll(process))
	f.sweep(now.Add(unusedFor + time.Minute))
	require.Empty(t, f.roots)
	f.sweep(now.Add(2*unusedFor + 2*time.Minute))
	require.Empty(t, f.files)
	require.Equal(t, 2, p.closed)
}
