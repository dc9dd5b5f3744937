package doctor

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// Files of a host on which everything is right, as root.
func healthyFiles() fstest.MapFS {
	return fstest.MapFS{
		"sys/kernel/btf/vmlinux":            {},
		"sys/kernel/security/lockdown":      {Data: []byte("[none] integrity confidentiality\n")},
		"proc/sys/net/core/bpf_jit_enable":  {Data: []byte("1\n")},
		"proc/sys/kernel/io_uring_disabled": {Data: []byte("2\n")},
		"proc/self/status":                  {Data: []byte("Name:\tx\nCapInh:\t0\nCapEff:\t000001ffffffffff\n")},
		"proc/self/ns/pid":                  {Data: []byte(initialPIDNamespace), Mode: fs.ModeSymlink},
		"proc/self/ns/cgroup":               {Data: []byte(initialCgroupNamespace), Mode: fs.ModeSymlink},
		"proc/self/mounts":                  {Data: []byte("proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")},
	}
}

func healthy() Host { return Host{Root: healthyFiles(), Release: "6.12.0-1-amd64", Arch: "amd64"} }

// with returns the host with files changed; nil removes one.
func (h Host) with(changes map[string]*fstest.MapFile) Host {
	files := healthyFiles()
	for path, file := range changes {
		if file == nil {
			delete(files, path)
			continue
		}
		files[path] = file
	}
	h.Root = files
	return h
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func link(s string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(s), Mode: fs.ModeSymlink}
}

func check(t *testing.T, h Host, name string) Check {
	t.Helper()
	for _, c := range Examine(h) {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no check "+name)
	return Check{}
}

func TestHealthyHost(t *testing.T) {
	for _, c := range Examine(healthy()) {
		require.Contains(t, []Status{OK, Info}, c.Status, c.Name)
		require.Empty(t, c.Missing)
		require.NotEmpty(t, c.Found)
	}
}

func TestKernel(t *testing.T) {
	for release, want := range map[string]Status{
		"5.10.0-33-amd64": OK, "6.1.0": OK, "7.0": OK, "5.9.16": Fail, "4.18.0-553.el8": Fail, "odd": Info, "6.x": Info,
	} {
		h := healthy()
		h.Release = release
		require.Equal(t, want, check(t, h, "kernel").Status, release)
	}
	h := healthy()
	h.Arch = "riscv64"
	require.Equal(t, Fail, check(t, h, "kernel").Status)
}

func TestBTF(t *testing.T) {
	c := check(t, healthy().with(map[string]*fstest.MapFile{btfPath: nil}), "type information")
	require.Equal(t, Fail, c.Status)
	require.Contains(t, c.Remedy, "CONFIG_DEBUG_INFO_BTF")
}

func TestLockdown(t *testing.T) {
	path := "sys/kernel/security/lockdown"
	require.Equal(t, "integrity", check(t, healthy().with(map[string]*fstest.MapFile{path: text("none [integrity] confidentiality")}), "lockdown").Found)
	require.Equal(t, Fail, check(t, healthy().with(map[string]*fstest.MapFile{path: text("none integrity [confidentiality]")}), "lockdown").Status)
	for _, c := range Examine(healthy().with(map[string]*fstest.MapFile{path: nil})) {
		require.NotEqual(t, "lockdown", c.Name)
	}
	require.Equal(t, "odd", selected("odd"))
}

func TestUsersOfIOURing(t *testing.T) {
	got := check(t, healthy().with(map[string]*fstest.MapFile{
		"proc/sys/kernel/io_uring_disabled": text("0"),
		"proc/7/comm":                       text("db\n"),
		"proc/7/fd/0":                       link("/dev/null"),
		"proc/7/fd/5":                       link("anon_inode:[io_uring]"),
		"proc/8/comm":                       text("web\n"),
		"proc/8/fd/5":                       link("socket:[1]"),
	}), "io_uring")
	require.Equal(t, Info, got.Status)
	require.Contains(t, got.Found, "; used by db 7")
	require.NotContains(t, got.Found, "web")
}

func TestSmallChecks(t *testing.T) {
	for _, c := range []struct {
		name, path string
		file       *fstest.MapFile
		want       Status
	}{
		{"eBPF compiler", "proc/sys/net/core/bpf_jit_enable", text("0"), Warn},
		{"eBPF compiler", "proc/sys/net/core/bpf_jit_enable", nil, OK},
		{"io_uring", "proc/sys/kernel/io_uring_disabled", text("1"), Info},
		{"io_uring", "proc/sys/kernel/io_uring_disabled", nil, Info},
		{"processes", "proc/self/ns/pid", link("pid:[4026532000]"), Warn},
		{"processes", "proc/self/ns/pid", nil, Info},
		{"cgroups", "proc/self/mounts", nil, Info},
		{"cgroups", "proc/self/mounts", text("proc /proc proc rw 0 0\nodd"), Warn},
		{"cgroups", "proc/self/ns/cgroup", link("cgroup:[4026532000]"), Warn},
		{"cgroups", "proc/self/ns/cgroup", nil, OK},
	} {
		got := check(t, healthy().with(map[string]*fstest.MapFile{c.path: c.file}), c.name)
		require.Equal(t, c.want, got.Status, c.name)
		if got.Status == Warn {
			require.NotEmpty(t, got.Remedy)
		}
	}
}

func TestCgroupVersions(t *testing.T) {
	found := func(mounts string) string {
		return check(t, healthy().with(map[string]*fstest.MapFile{"proc/self/mounts": text(mounts)}), "cgroups").Found
	}
	v1 := "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"
	v2 := "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
	require.Equal(t, "version 1 at /sys/fs/cgroup/cpu", found(v1))
	require.Equal(t, "both versions: 2 at /sys/fs/cgroup/unified, 1 at /sys/fs/cgroup/cpu", found(v1+v2))
}

func TestCapabilities(t *testing.T) {
	status := func(mask string) Host {
		return healthy().with(map[string]*fstest.MapFile{"proc/self/status": text("CapEff:\t" + mask + "\n")})
	}
	none := check(t, status("0000000000000000"), "capabilities")
	require.Equal(t, Fail, none.Status)
	require.Equal(t, "everything", none.Missing)
	require.Equal(t, "not CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH", none.Found)

	loads := check(t, status("000000c000000000"), "capabilities") // BPF and PERFMON
	require.Equal(t, Warn, loads.Status)
	require.Contains(t, loads.Remedy, "setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep ") // it replaces what there was

	admin := check(t, status("0000000000200000"), "capabilities") // SYS_ADMIN
	require.Equal(t, Warn, admin.Status)

	old := status("000000c000080004") // all four
	require.Equal(t, OK, check(t, old, "capabilities").Status)
	old.Release = "5.10.0"
	require.Contains(t, check(t, old, "capabilities").Remedy, ",cap_sys_resource=ep ")

	require.Equal(t, Info, check(t, status("zz"), "capabilities").Status)
}
