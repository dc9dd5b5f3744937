package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

func TestParseStat(t *testing.T) {
	line := "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2"
	st, ok := parseStat([]byte(line))
	require.True(t, ok)
	require.Equal(t, "a) b (c", string(st.name))
	require.Equal(t, uint32(7), st.ppid)
	require.Equal(t, uint64(98765), st.start)
	for _, bad := range []string{"", "42", "42 (a", ")(", "42 (a) S 7", "42 (a) S x"} {
		_, ok := parseStat([]byte(bad))
		require.False(t, ok, bad)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2"))
	f.Add([]byte("()"))
	f.Fuzz(func(_ *testing.T, line []byte) { parseStat(line) })
}

// ownKey is the key of a process of this machine, to the precision of /proc.
func ownKey(t *testing.T, pid int) Key {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
	require.NoError(t, err)
	st, ok := parseStat(raw)
	require.True(t, ok)
	return key(uint32(pid), st.start*clockTick+1234)
}

func TestFillFromProc(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	cmd.Env = []string{"OTEL_SERVICE_NAME=napping"}
	cmd.Dir = "/"
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })

	tab := New(Options{})
	k := ownKey(t, cmd.Process.Pid)
	require.Eventually(t, func() bool { // the child may not have executed yet
		raw, _ := os.ReadFile(filepath.Join("/proc", itoa(cmd.Process.Pid), "cmdline"))
		return string(raw) == "sleep\x0060\x00"
	}, time.Minute, time.Millisecond)
	ev := &event.Event{Header: event.Header{Type: event.TypeProcess, Key: k, Time: 1}, Task: event.Task{Comm: []byte("sleep")}}
	p := tab.Apply(ev).Process
	require.Equal(t, []string{"sleep", "60"}, p.Args)
	require.True(t, strings.HasSuffix(p.Path, "/sleep"), p.Path)
	require.Equal(t, "/", p.Cwd)
	require.Equal(t, Service{Name: "napping"}, p.Service)

	// Another process with this pid, at another time, is not described by it.
	other := &Process{Key: key(k.TGID, k.Start+uint64(time.Second))}
	require.False(t, tab.proc.fill(other))
	require.Nil(t, other.Args)
}

func TestParentIsRepairedFromProc(t *testing.T) {
	tab := New(Options{})
	self := ownKey(t, os.Getpid())
	ev := &event.Event{Header: event.Header{Type: event.TypeSyscall, Key: key(1<<22, 5), Time: 1}}
	ev.Task.Parent = self
	tab.Apply(ev)
	parent, ok := tab.Ancestor(ev.Key, 1)
	require.True(t, ok)
	require.Equal(t, self, parent.Key)
	require.True(t, parent.Repaired)
	require.NotEmpty(t, parent.Args)
	require.NotEmpty(t, parent.Name)
}

func TestProcDir(t *testing.T) {
	root := t.TempDir()
	require.Equal(t, "/proc", ProcDir("/"))
	require.Equal(t, "/proc", ProcDir(root))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "proc"), 0o755))
	require.Equal(t, "/proc", ProcDir(root), "an empty directory is no proc")
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/stat"), nil, 0o600))
	require.Equal(t, filepath.Join(root, "proc"), ProcDir(root))
}

func TestServiceOf(t *testing.T) {
	for env, want := range map[string]Service{
		"":                                  {},
		"A=1\x00OTEL_SERVICE_NAME=shop\x00": {Name: "shop"},
		"OTEL_SERVICE_NAME=shop":            {Name: "shop"},
		"XOTEL_SERVICE_NAME=no\x00B=OTEL_SERVICE_NAME=no\x00":                                                             {},
		"XOTEL_SERVICE_NAME=no\x00OTEL_SERVICE_NAME=yes\x00":                                                              {Name: "yes"},
		"OTEL_SERVICE_NAME=\x00OTEL_RESOURCE_ATTRIBUTES=service.name=a%20b, service.namespace=ns,service.version=1,x,y=z": {Name: "a b", Namespace: "ns", Version: "1"},
		"OTEL_RESOURCE_ATTRIBUTES=service.name=a\x00OTEL_SERVICE_NAME=b\x00":                                              {Name: "b"},
		"OTEL_RESOURCE_ATTRIBUTES=service.name=%zz\x00":                                                                   {Name: "%zz"},
	} {
		require.Equal(t, want, ServiceOf([]byte(env)), "%q", env)
	}
	require.Len(t, ServiceOf([]byte("OTEL_SERVICE_NAME="+strings.Repeat("x", 999))).Name, maxIdentity)
}

func FuzzServiceOf(f *testing.F) {
	f.Add([]byte("A=1\x00OTEL_SERVICE_NAME=shop\x00"))
	f.Add([]byte("OTEL_RESOURCE_ATTRIBUTES=service.name=%zz,a=b\x00"))
	f.Fuzz(func(t *testing.T, env []byte) {
		s := ServiceOf(env)
		require.LessOrEqual(t, max(len(s.Name), len(s.Namespace), len(s.Version)), maxIdentity)
	})
}

func TestSplitArgs(t *testing.T) {
	require.Nil(t, splitArgs(nil))
	require.Equal(t, []string{""}, splitArgs([]byte{0}))
	require.Equal(t, []string{"a", "", "b"}, splitArgs([]byte("a\x00\x00b\x00")))
	require.Equal(t, []string{"a", "b"}, splitArgs([]byte("a\x00b")), "cut at the bound")
}
