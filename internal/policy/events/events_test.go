package events

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	require.Greater(t, Count(), 450)
	for id := range Count() {
		e := ByID(ID(id))
		require.Equal(t, ID(id), e.ID)
		found, ok := ByName(e.Name)
		require.True(t, ok)
		require.Same(t, e, found)
		require.NotEmpty(t, e.Category.String())
		for i, a := range e.Args {
			require.NotZero(t, a.Kind, "%s.%s", e.Name, a.Name)
			require.Equal(t, i, e.ArgIndex(a.Name), "%s.%s twice", e.Name, a.Name)
			if a.Dir >= 0 {
				require.Equal(t, KindFD, e.Args[a.Dir].Kind, "%s.%s", e.Name, a.Name)
			}
			if a.Kind == KindEnum && a.Set != nil {
				require.True(t, a.Set.Enum, "%s.%s", e.Name, a.Name)
			}
		}
	}
	_, ok := ByName("no_such_call")
	require.False(t, ok)
}

// A row that repeats a name would hide another; every set that a layout names
// must exist.
func TestLayouts(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range layouts {
		require.False(t, seen[row.name], row.name)
		seen[row.name] = true
		e, _ := ByName(row.name)
		if row.fd != "" {
			require.GreaterOrEqual(t, e.FD, int8(0), row.name)
		}
		require.True(t, e.Layout)
		require.Equal(t, row.kernel, !e.Syscall)
	}
}

func TestDescriptorAndResult(t *testing.T) {
	for name, want := range map[string][2]int8{
		"openat": {0, 0}, "connect": {2, 0}, "mkdir": {-1, 0}, "unlinkat": {1, 0}, "execve": {-1, 0},
		"dup2": {0, 0}, "symlinkat": {2, 0}, "procexit": {-1, -1}, "getuid": {-1, -1}, "madvise": {-1, -1},
	} {
		e, ok := ByName(name)
		require.True(t, ok, name)
		require.Equal(t, want[0], e.FD, name)
		require.Equal(t, want[1], e.Result, name)
	}
	e, _ := ByName("renameat2")
	require.Equal(t, int8(1), e.Args[2].Dir)
	require.Equal(t, int8(3), e.Args[4].Dir)
}

func names(set string, v uint32) string { return string(SetByName(set).AppendNames(nil, v)) }

func TestOpenFlags(t *testing.T) {
	open := SetByName("open")
	for _, tt := range []struct {
		kernel uint64
		extra  uint32
		want   string
	}{
		{0, 0, "O_RDONLY"},
		{0o2000000, 0, "O_RDONLY|O_CLOEXEC"},
		{arch.directory | 0o2004000, 0, "O_DIRECTORY|O_NONBLOCK|O_RDONLY|O_CLOEXEC|O_TMPFILE"},
		{0o1101, OpenCreated, "O_TRUNC|O_CREAT|O_WRONLY|O_F_CREATED"},
		{0o2011102, 0, "O_TRUNC|O_DSYNC|O_CREAT|O_RDWR|O_CLOEXEC"},
		{0o6011102, 0, "O_TRUNC|O_SYNC|O_DSYNC|O_CREAT|O_RDWR|O_CLOEXEC"},
	} {
		v := open.FromKernel(tt.kernel) | tt.extra
		require.Equal(t, tt.want, string(open.AppendNames(nil, v)))
	}
	require.Equal(t, uint32(20887), open.FromKernel(0o6011102)|OpenCreated)
	require.Equal(t, uint32(4096+64), SetByName("fdflags").FromKernel(0o2004000))
}

func TestArchOpenBits(t *testing.T) {
	require.Equal(t, uint64(0o40000), archOpenBits("arm64").directory)
	require.Equal(t, uint64(0o200000), archOpenBits("amd64").directory)
}

func TestOtherSets(t *testing.T) {
	clone := SetByName("clone")
	require.Equal(t, uint32(64), clone.FromKernel(0x20000000))
	require.Equal(t, "CLONE_NEWNS|CLONE_NEWUSER", string(clone.AppendNames(nil, clone.FromKernel(0x10020000))))
	require.Empty(t, names("clone", 0))

	ptrace := SetByName("ptrace")
	require.Equal(t, uint32(11), ptrace.FromKernel(16))
	require.Equal(t, "PTRACE_ATTACH", names("ptrace", 11))
	require.Equal(t, "PTRACE_TRACEME", names("ptrace", ptrace.FromKernel(0)))

	require.Equal(t, "AF_LOCAL|AF_UNIX", names("family", 1))
	require.Equal(t, "AF_ROUTE|AF_NETLINK", names("family", 16))
	require.Equal(t, uint32(99), SetByName("family").FromKernel(99))
	require.Empty(t, names("family", 99))
	require.Equal(t, "BPF_PROG_TEST_RUN|BPF_PROG_RUN", names("bpf", 10))
	require.Equal(t, "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID", names("mode", 0o4755))
	require.Equal(t, "F_OK", names("access", 0))
	require.Equal(t, "RDONLY|NOATIME|BIND", names("mount", 1|1024|4096))
	require.Equal(t, uint32(1), SetByName("unlinkat").FromKernel(0x200))
	require.Equal(t, uint32(7), (*Set)(nil).FromKernel(7))
	require.Empty(t, (*Set)(nil).AppendNames(nil, 7))
}

func TestNames(t *testing.T) {
	require.Equal(t, "ENOENT", ErrnoName(2))
	require.Equal(t, "EINPROGRESS", ErrnoName(115))
	require.Equal(t, "512", ErrnoName(512))
	require.Equal(t, "-1", ErrnoName(-1))
	require.Equal(t, "SIGKILL", SignalName(9))
	require.Empty(t, SignalName(64))
	require.Equal(t, "CAP_CHOWN CAP_CHECKPOINT_RESTORE", string(AppendCapabilities(nil, 1|1<<40)))
	require.Empty(t, AppendCapabilities(nil, 0))
}

func TestArgNames(t *testing.T) {
	names := ArgNames()
	require.Contains(t, names, "filename")
	sorted := slices.Sorted(slices.Values(names))
	require.Len(t, slices.Compact(sorted), len(sorted))
	kind, ok := ArgKind("cmd")
	require.True(t, ok)
	require.NotZero(t, kind)
	_, ok = ArgKind("nosuch")
	require.False(t, ok)
}
