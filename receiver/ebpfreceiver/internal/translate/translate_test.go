package translate

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

func TestServiceName(t *testing.T) {
	named := *processTool
	named.Service = process.Service{Name: "shop"}
	pathless := process.Process{Name: "kworker"}
	unit := func(name string) *container.Info {
		return &container.Info{State: container.Host, Path: "/x", Ref: container.Ref{SystemdUnit: name}}
	}
	nameless := &container.Info{State: container.Container, Path: "/docker/x", Ref: container.Ref{ContainerID: containerID}}
	for _, tt := range []struct {
		name string
		o    Owner
		want string
	}{
		{"environment wins in a pod", Owner{Process: &named, Cgroup: podInfo}, "shop"},
		{"environment wins on the host", Owner{Process: &named, Cgroup: unitInfo}, "shop"},
		{"a pod is named by k8s_attributes", Owner{Process: processTool, Cgroup: podInfo}, ""},
		{"container", Owner{Process: processTool, Cgroup: dockerInfo}, "db"},
		{"container without a name", Owner{Process: processTool, Cgroup: nameless}, "tool"},
		{"unit", Owner{Process: processTool, Cgroup: unitInfo}, "nginx"},
		{"template", Owner{Process: processTool, Cgroup: unit("postgresql@15-main.service")}, "postgresql"},
		{"session", Owner{Process: processTool, Cgroup: unit("session-3.scope")}, "tool"},
		{"user manager", Owner{Process: processTool, Cgroup: unit("user@1000.service")}, "tool"},
		{"transient", Owner{Process: processTool, Cgroup: unit("run-u12.service")}, "tool"},
		{"transient, random", Owner{Process: processTool, Cgroup: unit("run-r0a1b2c3d4.service")}, "tool"},
		{"no unit", Owner{Process: processTool, Cgroup: rootInfo}, "tool"},
		{"kernel thread", Owner{Process: &pathless, Cgroup: rootInfo}, "kworker"},
		{"unresolved", Owner{Process: processTool, Cgroup: &container.Info{}}, "tool"},
		{"nothing known", Owner{Process: nil, Cgroup: &container.Info{}}, ""},
	} {
		require.Equal(t, tt.want, tt.o.ServiceName(), tt.name)
	}
}

func TestRecordsAreGroupedByResource(t *testing.T) {
	l := NewLogs(host, "1.0")
	other := *processTool
	other.Path, other.Name = "/usr/bin/other", "other"
	otherRoot := &container.Info{State: container.Host, Path: "/"}
	for range 3 {
		l.Append(activity(base(event.TypeExit), podInfo), wallOffset, observed)
		l.Append(activity(base(event.TypeExit), rootInfo), wallOffset, observed)
		a := activity(base(event.TypeExit), rootInfo)
		a.Process = &other
		l.Append(a, wallOffset, observed)
		l.Append(activity(base(event.TypeExit), otherRoot), wallOffset, observed)
	}
	got := l.Take()
	require.Equal(t, 12, got.LogRecordCount())
	require.Equal(t, 4, got.ResourceLogs().Len())
	require.Zero(t, l.Take().LogRecordCount())
}

func TestRecordsWithoutAProcess(t *testing.T) {
	l := NewLogs(Host{}, "")
	a := &Activity{Owner: Owner{Cgroup: &container.Info{}}, Event: base(event.TypeExec), Name: schema.EventProcessExec}
	l.Append(a, wallOffset, observed)
	rec := l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	name, ok := rec.Attributes().Get(schema.ProcessName)
	require.True(t, ok)
	require.Equal(t, "tool", name.Str())
}

func TestAbsolute(t *testing.T) {
	l := NewLogs(host, "")
	for _, tt := range [][3]string{
		{"/a/b", "c", "/a/b/c"},
		{"/a/b", "../c", "/a/c"},
		{"/a/b", "../../../c", "/c"},
		{"/a", "/x", "/a/x"}, // the caller passes no base for absolute names
		{"", "/x//y/./z/", "/x/y/z"},
		{"", "/", "/"},
		{"", "/..", "/"},
		{"", "x", "x"},
		{"", "", ""},
		{"/a", "", "/a"},
		{"/", ".", "/"},
		{"gone/dir", "x", "gone/dir/x"},
		{"gone", "../..", ""},
		{"gone", "../../x", "x"}, // ".." leads nowhere from the top of what is unmounted
		{"/a...", "...", "/a.../..."},
	} {
		require.Equal(t, tt[2], string(l.absolute([]byte(tt[0]), []byte(tt[1]), false)), "%q %q", tt[0], tt[1])
	}
}

// A working directory that is deeper than the kernel side follows hides nothing.
func TestPathsBelowHalfABase(t *testing.T) {
	const deep = "d/d/d"
	up := strings.Repeat("../", 200) + "etc/shadow"
	opened := calls(t, "openat", 3, cwdFD(), str(up), num(0), num(0))
	opened.Syscall.Result.Path = []byte("/private/etc/shadow")
	refused := calls(t, "openat", -13, cwdFD(), str(up), num(0), num(0))
	below := calls(t, "openat", -13, cwdFD(), str("../x"), num(0), num(0))
	for _, ev := range []*event.Event{opened, refused, below} {
		ev.Syscall.Cwd, ev.Syscall.CwdFlag = []byte(deep), event.ArgTruncated
	}
	lost := calls(t, "openat", 3, cwdFD(), str("x"), num(0), num(0))
	lost.Syscall.Cwd, lost.Syscall.CwdFlag = []byte(deep), event.ArgTruncated
	lost.Syscall.Result = event.Arg{Path: []byte(deep + "/x"), Flags: event.ArgTruncated}
	removed := calls(t, "unlinkat", 0, event.Arg{Number: 7, Path: []byte(deep), Flags: event.ArgTruncated}, str(up), num(0))
	for _, tt := range []struct {
		ev     *event.Event
		path   string
		marked []any
	}{
		{opened, "/private/etc/shadow", []any{schema.FileBasePath}},
		{refused, "/etc/shadow", []any{schema.FilePath}},
		{below, "d/d/x", []any{schema.FilePath}},
		{lost, deep + "/x", []any{schema.FilePath, schema.FileResolvedPath}},
		{removed, "/etc/shadow", []any{schema.FilePath, schema.SyscallArgPrefix + "dirfd"}},
	} {
		l := NewLogs(host, "")
		l.Append(activity(tt.ev, rootInfo), wallOffset, observed)
		attrs := l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
		path, _ := attrs.Get(schema.FilePath)
		require.Equal(t, tt.path, path.Str())
		cut, _ := attrs.Get(schema.Truncated)
		require.Equal(t, tt.marked, cut.Slice().AsRaw())
	}
}

func FuzzAbsolute(f *testing.F) {
	f.Add("/a/b", "../c")
	f.Add("gone", "../..//")
	f.Fuzz(func(t *testing.T, dir, name string) {
		l := NewLogs(host, "")
		got := string(l.absolute([]byte(dir), []byte(name), false))
		if strings.HasPrefix(dir, "/") {
			require.Equal(t, filepath.Clean(dir+"/"+name), got)
			return
		}
		// With enough of ".." every base leads to the root, a cut one too.
		up := strings.Repeat("../", strings.Count(dir, "/")+strings.Count(name, "/")+4)
		got = string(l.absolute([]byte(dir+"/x"), []byte(name+"/"+up+"etc/shadow"), true))
		require.Equal(t, "/etc/shadow", got)
	})
}

func TestRecordSizeIsBounded(t *testing.T) {
	ev := calls(t, "openat", 3, dir("/srv"), str("x"), num(unix.O_CREAT), num(0o644))
	ev.Syscall.Result = event.Arg{Path: []byte("/srv/x"), File: event.File{Inode: 1, Mode: unix.S_IFREG, Flags: event.FileUpper | event.FileCreated}}
	ev.Task.TTY, ev.Task.Session, ev.Task.LoginUID, ev.TID = 1, 2, 3, 4
	l := NewLogs(host, "1.0")
	l.Append(activity(ev, podInfo), wallOffset, observed)
	attrs := l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	require.LessOrEqual(t, attrs.Len(), maxAttributes)
	seen := map[string]bool{}
	for k := range attrs.All() {
		require.False(t, seen[k], "%s twice", k)
		seen[k] = true
	}
}

func TestSyscallOutsideTheTable(t *testing.T) {
	ev := base(event.TypeSyscall)
	ev.Syscall.Index = 60000
	require.Equal(t, schema.EventSyscall, SyscallEventName(&ev.Syscall))
	l := NewLogs(host, "1.0")
	l.Append(activity(ev, rootInfo), wallOffset, observed)
	require.Equal(t, 1, l.Take().LogRecordCount())
}

func TestErrorName(t *testing.T) {
	require.Equal(t, "ENOENT", errorName(-2))
	require.Equal(t, "4000", errorName(-4000))
}

func TestInternerIsBounded(t *testing.T) {
	in := newInterner()
	for i := range 3 * maxTexts {
		in.text([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
	}
	require.LessOrEqual(t, len(in.texts), maxTexts)
	in.text(make([]byte, maxTextBytes+1))
	require.LessOrEqual(t, len(in.texts), maxTexts)
}

func TestMetrics(t *testing.T) {
	s := &Snapshot{
		Start: time.Unix(100, 0), Time: time.Unix(160, 0), Processes: 212, Containers: 3,
		Received: []Count{{Class: "security", N: 10}, {Class: "requests", N: 20}},
		Filtered: []Count{{Class: "security", Reason: "self", N: 1}},
		Lost:     []Loss{{Class: "security", Reason: "ring_full", CPU: 1, N: 2}, {Class: "security", Reason: "decode", CPU: -1}},
		Hooks:    []Hook{{Name: "sys_exit"}, {Name: "inet_sock_set_state", Reason: "EPERM"}},
		Requests: []Count{{Reason: "complete", N: 7}},
	}
	got := Metrics(host, "1.0", s)
	file := filepath.Join("testdata", "metrics.yaml")
	if *update {
		require.NoError(t, golden.WriteMetricsToFile(file, got, golden.SkipMetricTimestampNormalization()))
	}
	want, err := golden.ReadMetrics(file)
	require.NoError(t, err)
	require.NoError(t, pmetrictest.CompareMetrics(want, got, pmetrictest.IgnoreMetricDataPointsOrder()))

	require.Equal(t, 2, Metrics(host, "1.0", &Snapshot{}).DataPointCount(), "nothing counted, nothing said")
}

func TestOpenRecordAllocations(t *testing.T) {
	l := NewLogs(host, "1.0")
	a := openActivity(t)
	l.Append(a, wallOffset, observed)
	n := alloctest.PerRun(200, func() { l.Append(a, wallOffset, observed) })
	// Each attribute's value is an allocation of pdata's own, and each text a
	// second one at most; everything else is reused.
	require.LessOrEqual(t, n, float64(maxAttributes+8))
	attrs := pcommon.NewMap()
	attrs.EnsureCapacity(4)
	require.LessOrEqual(t, alloctest.PerRun(10, func() { attrs.PutInt("a", 1) }), 1.0)
}

func openActivity(tb testing.TB) *Activity {
	tb.Helper()
	t, ok := tb.(*testing.T)
	if !ok {
		t = &testing.T{}
	}
	ev := calls(t, "openat", 3, cwdFD(), str("/usr/lib/x86_64-linux-gnu/libc.so.6"), num(unix.O_RDONLY), num(0))
	ev.Syscall.Result = event.Arg{
		Path: []byte("/usr/lib/x86_64-linux-gnu/libc.so.6"),
		File: event.File{Inode: 123456, Device: 8<<20 | 2, Mode: unix.S_IFREG | 0o644},
	}
	return activity(ev, dockerInfo)
}

func BenchmarkOpenRecord(b *testing.B) { benchmarkRecord(b, openActivity(b)) }

func BenchmarkExecRecord(b *testing.B) {
	ev := base(event.TypeExec)
	ev.Exec = event.Exec{Path: []byte("/usr/bin/tool"), Cwd: []byte("/home/ada"), Args: []byte("tool\x00x\x00")}
	a := activity(ev, dockerInfo)
	a.Redact = true
	benchmarkRecord(b, a)
}

// benchmarkRecord translates in batches, as the receiver does.
func benchmarkRecord(b *testing.B, a *Activity) {
	b.Helper()
	l := NewLogs(host, "1.0")
	b.ReportAllocs()
	for b.Loop() {
		l.Append(a, wallOffset, observed)
		if l.Len() == 500 {
			l.Take()
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// Who is many programs in one file is called what it was started as.
func TestExecutable(t *testing.T) {
	for _, tc := range []struct {
		path, name string
		args       []string
		want       string
	}{
		{"/usr/bin/redis-check-rdb", "redis-server", []string{"redis-server", "*:6379"}, "redis-server"},
		{"/usr/bin/redis-check-rdb", "redis-server", []string{"/usr/bin/redis-server 127.0.0.1:6379"}, "redis-server"},
		{"/bin/busybox", "httpd", []string{"httpd", "-f"}, "httpd"},
		{"/bin/busybox", "a-name-that-is-", []string{"/x/a-name-that-is-long"}, "a-name-that-is-long"},
		{"/usr/bin/python3.11", "python3", []string{"python3", "app.py"}, "python3.11"},
		{"/usr/bin/python3.11", "app.py", []string{"/usr/bin/python3", "./app.py"}, "python3.11"},
		{"/usr/bin/bash", "bash", []string{"-bash"}, "bash"},
		{"/usr/bin/node", "MainThread", []string{"node", "a.js"}, "node"},
		{"/usr/sbin/nginx", "nginx", []string{"nginx: master process nginx"}, "nginx"},
		{"/usr/bin/tool", "tool", nil, "tool"},
	} {
		p := &process.Process{Path: tc.path, Name: tc.name, Args: tc.args}
		require.Equal(t, tc.want, Owner{Process: p, Cgroup: rootInfo}.executable(), tc.path+" "+tc.name)
	}
}

// What a container has of the host is written when a policy asks for it.
func TestSharesAndMounts(t *testing.T) {
	info := *podInfo
	info.Names.Shares = container.Shares{Network: true}
	info.Names.Mounts = []string{"/:/host::false:rslave"}
	for _, wanted := range []bool{true, false} {
		a := activity(base(event.TypeExec), &info)
		a.Mounts = wanted
		l := NewLogs(host, "1.0")
		l.Append(a, wallOffset, observed)
		got := l.Take().ResourceLogs().At(0).Resource().Attributes().AsRaw()
		if !wanted {
			require.NotContains(t, got, schema.ContainerMounts)
			require.NotContains(t, got, schema.ContainerHostPID)
			continue
		}
		require.Equal(t, []any{"/:/host::false:rslave"}, got[schema.ContainerMounts])
		require.Equal(t, []any{false, true, false}, []any{got[schema.ContainerHostPID], got[schema.ContainerHostNetwork], got[schema.ContainerHostIPC]})
	}
}

// A container into which nothing is mounted has an empty list, one that was not
// looked at has none.
func TestNothingMounted(t *testing.T) {
	for _, known := range []bool{true, false} {
		info := *podInfo
		info.Names.Mounts, info.Names.PrivilegedKnown = nil, known
		a := activity(base(event.TypeExec), &info)
		a.Mounts = true
		l := NewLogs(host, "1.0")
		l.Append(a, wallOffset, observed)
		got, ok := l.Take().ResourceLogs().At(0).Resource().Attributes().Get(schema.ContainerMounts)
		require.Equal(t, known, ok)
		if ok {
			require.Zero(t, got.Slice().Len())
		}
	}
}

// A record says where its process has gone since the exec when policies ask, and
// how the caller named the program when that is not the program's path.
func TestNamesOfAProgram(t *testing.T) {
	moved := *processTool
	moved.Cwd, moved.MovedTo = "/root", "/srv"
	a := activity(calls(t, "unlink", 0, str("x")), rootInfo)
	a.Process = &moved
	_, ok := recordOf(t, a).Attributes().Get(schema.ProcessWorkingDirectory)
	require.False(t, ok, "nobody asks")
	a.Directory = true
	dir, _ := recordOf(t, a).Attributes().Get(schema.ProcessWorkingDirectory)
	require.Equal(t, "/srv", dir.Str())
	moved.MovedTo = ""
	_, ok = recordOf(t, a).Attributes().Get(schema.ProcessWorkingDirectory)
	require.False(t, ok, "it is where it was started")

	for given, want := range map[string]string{"./tool": "./tool", "/usr/bin/tool": "", "": ""} {
		ev := base(event.TypeExec)
		ev.Exec.Filename = []byte(given)
		name, ok := recordOf(t, activity(ev, rootInfo)).Attributes().Get(execFilename)
		require.Equal(t, want != "", ok, given)
		require.Equal(t, want, name.Str(), given)
	}
}
