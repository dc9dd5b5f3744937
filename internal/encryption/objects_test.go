package encryption

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// loads runs a program that has loaded a shared object until the test ends.
func loads(t *testing.T, object string) uint32 {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(python, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1]); print(flush=True); sys.stdin.read()", object)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return uint32(cmd.Process.Pid)
}

// A shared object with a library in it is found when a process that has it is seen
// to encrypt, and from then on wherever it is.
func TestLibrariesInSharedObjects(t *testing.T) {
	content, err := os.ReadFile(systemOpenSSL(t))
	require.NoError(t, err)
	object := filepath.Join(t.TempDir(), "_extension.so")
	require.NoError(t, os.WriteFile(object, content, 0o755)) //nolint:gosec // a library
	f := newTestFinder(t, &probed{}, time.Minute)
	first := loads(t, object)
	f.look(first)
	require.Equal(t, ReasonUnknown, f.Why(first))
	require.Empty(t, f.users[first])
	f.explain(first)
	require.Len(t, f.users[first], 1)
	require.Equal(t, "OpenSSL in a shared object", f.users[first][0].Name)
	require.Equal(t, object, f.users[first][0].Path)
	require.True(t, f.users[first][0].Read)
	require.Equal(t, ReasonUnmatched, f.Why(first), "of what it said before")
	second := loads(t, object)
	f.look(second)
	require.Equal(t, f.users[first], f.users[second])
	require.Len(t, f.files, 1)
}

// One that cannot be followed is named.
func TestForeignSharedObjects(t *testing.T) {
	libraries, _ := filepath.Glob("/lib/*-linux-gnu/libsqlite3.so.0")
	if len(libraries) == 0 {
		t.Skip("libsqlite3 is not installed")
	}
	f := newTestFinder(t, &probed{}, time.Minute)
	before := marks
	marks = []mark{{text: "SQLite format 3", name: "SQLite"}}
	t.Cleanup(func() { marks = before })
	pid := loads(t, libraries[0])
	f.look(pid)
	f.explain(pid)
	require.Regexp(t, `^SQLite in libsqlite3\.so\.`, f.Why(pid))
}
