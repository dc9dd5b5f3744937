package translate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// callOf is a call with numbers and names in the order of its arguments.
func callOf(t *testing.T, name string, ret int64, args ...any) *event.Syscall {
	t.Helper()
	row, ok := syscalls.Index(name)
	require.True(t, ok)
	s := &event.Syscall{Index: uint16(row), NumArgs: len(args), Return: ret, Cwd: []byte("/srv")}
	for i, a := range args {
		switch a := a.(type) {
		case string:
			s.Args[i].Bytes = []byte(a)
		case int:
			s.Args[i].Number = uint64(a)
		}
	}
	return s
}

func TestNames(t *testing.T) {
	const cwd = unix.AT_FDCWD
	for _, tt := range []struct {
		what string
		call *event.Syscall
		want []Name
	}{
		{"a name", callOf(t, "unlink", 0, "x"), []Name{{Base: []byte("/srv"), Given: []byte("x")}}},
		{"absolute", callOf(t, "rmdir", 0, "/x"), []Name{{Given: []byte("/x")}}},
		{"two names", callOf(t, "renameat2", 0, cwd, "/x", cwd, "y", 0), []Name{{Given: []byte("/x")}, {Base: []byte("/srv"), Given: []byte("y")}}},
		{"the text of a link is no name", callOf(t, "symlink", 0, "/etc", "/x"), []Name{{Given: []byte("/x")}}},
		{"a link is followed", callOf(t, "chmod", 0, "/x", 0o600), []Name{{Given: []byte("/x"), Follows: true}}},
		{"or not", callOf(t, "fchownat", 0, cwd, "/x", 1, 1, unix.AT_SYMLINK_NOFOLLOW), []Name{{Given: []byte("/x")}}},
		{"only when asked for", callOf(t, "linkat", 0, cwd, "/x", cwd, "/y", unix.AT_SYMLINK_FOLLOW), []Name{{Given: []byte("/x"), Follows: true}, {Given: []byte("/y")}}},
		{"and not asked for", callOf(t, "linkat", 0, cwd, "/x", cwd, "/y", 0), []Name{{Given: []byte("/x")}, {Given: []byte("/y")}}},
		{"failed", callOf(t, "unlink", -2, "/x"), nil},
		{"opened", callOf(t, "open", 3, "/x", 0, 0), nil},
	} {
		require.Equal(t, tt.want, Names(nil, tt.call), tt.what)
	}
	cut := callOf(t, "unlink", 0, "x")
	cut.CwdFlag = event.ArgTruncated
	require.Equal(t, []Name{{}}, Names(nil, cut), "nobody knows where")
	require.Empty(t, Names(nil, &event.Syscall{Index: 60000}))
}

func TestResolvedNames(t *testing.T) {
	one, two := [MaxNames][]byte{[]byte("/a")}, [MaxNames][]byte{[]byte("/a"), []byte("/b")}
	for _, tt := range []struct {
		call     *event.Syscall
		paths    [MaxNames][]byte
		resolved string
		previous string
	}{
		{callOf(t, "unlink", 0, "/x"), one, "/a", ""},
		{callOf(t, "rename", 0, "/x", "/y"), two, "/b", "/a"},
		{callOf(t, "rename", 0, "/x", "/y"), one, "", "/a"},
		{callOf(t, "rename", 0, "/x", "/y"), [MaxNames][]byte{nil, []byte("/b")}, "/b", ""},
		{callOf(t, "unlink", 0, "/x"), [MaxNames][]byte{}, "", ""},
	} {
		l := NewLogs(Host{}, "1")
		l.Append(&Activity{Owner: Owner{Process: processTool, Cgroup: dockerInfo}, Event: &event.Event{Header: event.Header{Type: event.TypeSyscall}, Syscall: *tt.call}, Name: schema.EventFileChange, Resolved: tt.paths}, 0, time.Unix(1, 0))
		attrs := l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
		text := func(key string) string { s, _ := attrs[key].(string); return s }
		require.Equal(t, tt.resolved, text(schema.FileResolvedPath))
		require.Equal(t, tt.previous, text(schema.FilePreviousResolvedPath))
	}
}
