package syscalls

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestTableIsSound(t *testing.T) {
	names := map[string]bool{}
	for i := range Table {
		s := &Table[i]
		require.NotEmpty(t, s.Name)
		assert.False(t, names[s.Name], "%s has two rows", s.Name)
		names[s.Name] = true
		assert.LessOrEqual(t, len(s.Args), MaxArgs, s.Name)
		assert.Positive(t, len(s.Numbers.AMD64)+len(s.Numbers.I386)+len(s.Numbers.ARM), s.Name)
		args := map[string]bool{}
		for n, a := range s.Args {
			require.NotEmpty(t, a.Name, s.Name)
			assert.NotEqual(t, KindNone, a.Kind, "%s: %s", s.Name, a.Name)
			assert.False(t, args[a.Name], "%s: %s stands twice", s.Name, a.Name)
			args[a.Name] = true
			assert.Equal(t, n, s.ArgIndex(a.Name))
			checkNeighbour(t, s, n)
		}
		assert.Equal(t, -1, s.ArgIndex("no such argument"))
	}
}

// checkNeighbour: some kinds mean the next argument as well.
func checkNeighbour(t *testing.T, s *Spec, n int) {
	t.Helper()
	a := s.Args[n]
	switch a.Kind {
	case KindDirFD:
		require.Greater(t, len(s.Args), n+1, "%s: %s", s.Name, a.Name)
		assert.Equal(t, KindPath, s.Args[n+1].Kind, "%s: a path must follow %s", s.Name, a.Name)
	case KindSockaddr, KindBytes, KindOpenHow, KindSockaddrFrom:
		require.Greater(t, len(s.Args), n+1, "%s: %s", s.Name, a.Name)
		assert.Less(t, s.Args[n+1].Kind, KindPath, "%s: a length must follow %s", s.Name, a.Name)
	default:
	}
}

// TestNumbersAreUnique: within one convention a number means one call.
func TestNumbersAreUnique(t *testing.T) {
	for _, numbers := range []func(n *Numbers) []uint16{
		func(n *Numbers) []uint16 { return n.Native("amd64") },
		func(n *Numbers) []uint16 { return n.Native("arm64") },
		func(n *Numbers) []uint16 { return n.Compat("amd64") },
		func(n *Numbers) []uint16 { return n.Compat("arm64") },
	} {
		seen := map[uint16]string{}
		for i := range Table {
			for _, n := range numbers(&Table[i].Numbers) {
				assert.Empty(t, seen[n], "%s has the number %d of", Table[i].Name, n)
				assert.Less(t, n, uint16(1024))
				seen[n] = Table[i].Name
			}
		}
	}
	assert.Nil(t, (&Numbers{}).Native("mips"))
	assert.Nil(t, (&Numbers{}).Compat("mips"))
	for i := range Table {
		for _, n := range Table[i].Numbers.X32 {
			assert.GreaterOrEqual(t, n, uint16(512), Table[i].Name)
		}
	}
}

// TestNumbersOfThisMachine compares with the constants of the system library.
func TestNumbersOfThisMachine(t *testing.T) {
	for name, want := range map[string]int{
		"execve": unix.SYS_EXECVE, "execveat": unix.SYS_EXECVEAT, "openat": unix.SYS_OPENAT,
		"openat2": unix.SYS_OPENAT2, "unlinkat": unix.SYS_UNLINKAT, "renameat": unix.SYS_RENAMEAT,
		"renameat2": unix.SYS_RENAMEAT2, "linkat": unix.SYS_LINKAT, "symlinkat": unix.SYS_SYMLINKAT,
		"mkdirat": unix.SYS_MKDIRAT, "fchmod": unix.SYS_FCHMOD, "fchmodat": unix.SYS_FCHMODAT,
		"fchmodat2": unix.SYS_FCHMODAT2, "connect": unix.SYS_CONNECT, "accept": unix.SYS_ACCEPT,
		"accept4": unix.SYS_ACCEPT4, "bind": unix.SYS_BIND, "listen": unix.SYS_LISTEN, "socket": unix.SYS_SOCKET,
		"setuid": unix.SYS_SETUID, "setgid": unix.SYS_SETGID, "setresuid": unix.SYS_SETRESUID,
		"setresgid": unix.SYS_SETRESGID, "ptrace": unix.SYS_PTRACE, "mount": unix.SYS_MOUNT,
		"unshare": unix.SYS_UNSHARE, "setns": unix.SYS_SETNS, "kill": unix.SYS_KILL,
		"chdir": unix.SYS_CHDIR, "fchdir": unix.SYS_FCHDIR,
	} {
		s := Lookup(name)
		require.NotNil(t, s, name)
		assert.True(t, slices.Contains(s.Numbers.Native(runtime.GOARCH), uint16(want)), "%s is not %d", name, want)
	}
}

func TestLookup(t *testing.T) {
	i, ok := Index("openat")
	require.True(t, ok)
	assert.Same(t, &Table[i], Lookup("openat"))
	assert.Nil(t, Lookup("no_such_call"))
	assert.True(t, Lookup("execveat").IsExec())
	assert.False(t, Lookup("open").IsExec())
}

func TestKindsHaveNames(t *testing.T) {
	for i := range Table {
		for _, a := range Table[i].Args {
			assert.NotContains(t, a.Kind.String(), "kind ", "%s: %s", Table[i].Name, a.Name)
		}
		assert.NotContains(t, Table[i].Result.String(), "result ", Table[i].Name)
	}
	assert.Equal(t, "kind 255", Kind(255).String())
	assert.Equal(t, "result 255", Result(255).String())
}
