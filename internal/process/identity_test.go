package process

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// call makes the record of a system call.
func (s *script) call(k Key, name string, id event.Identity) Change {
	s.t.Helper()
	ev := s.event(event.TypeSyscall, k, "x")
	row, ok := syscalls.Index(name)
	require.True(s.t, ok)
	ev.Syscall.Index, ev.Identity = uint16(row), id
	return s.tab.Apply(ev)
}

// TestIdentity: what a process may do and which session it is of come with its
// fork and its exec, and change with few calls.
func TestIdentity(t *testing.T) {
	s := newScript(t, Options{})
	sh, child := key(10, 100), key(11, 200)
	ev := s.event(event.TypeExec, sh, "sh")
	ev.Exec = event.Exec{Path: []byte("/bin/sh"), Ctime: 5, Mtime: 6}
	ev.Identity = event.Identity{Known: true, CapEffective: 7, SID: 10}
	require.Equal(t, ev.Identity, s.tab.Apply(ev).Process.Identity)

	c := s.fork(sh, child, "sh") // told by an older kernel side
	require.EqualValues(t, 7, c.Process.Identity.CapEffective)
	require.EqualValues(t, 5, c.Process.Ctime)
	require.EqualValues(t, 6, c.Process.Mtime)

	c = s.call(child, "setsid", event.Identity{Known: true, CapEffective: 7, SID: 11})
	require.EqualValues(t, 11, c.Process.Identity.SID)
	require.EqualValues(t, 10, c.Before.Identity.SID)
	c = s.call(child, "openat", event.Identity{})
	require.Same(t, c.Before, c.Process, "a call that tells nothing changes nothing")
	require.EqualValues(t, 11, c.Process.Identity.SID)
	p, _ := s.tab.Lookup(sh)
	require.EqualValues(t, 10, p.Identity.SID, "the parent's is its own")
}

// TestRegroup: shells put their children into process groups.
func TestRegroup(t *testing.T) {
	s := newScript(t, Options{})
	for pid := uint32(10); pid < 12; pid++ {
		ev := s.event(event.TypeExec, key(pid, uint64(pid)), "sh")
		ev.Task.VPID, ev.Task.PGID, ev.Identity = pid, 10, event.Identity{Known: true, VPGID: 10}
		s.tab.Apply(ev)
	}
	set := func(ns, pid, group uint32) *Process {
		ev := s.event(event.TypeSyscall, key(10, 10), "sh")
		row, _ := syscalls.Index("setpgid")
		ev.Task.VPID, ev.Syscall.Index = ns, uint16(row)
		ev.Syscall.Args[0].Number, ev.Syscall.Args[1].Number = uint64(pid), uint64(group)
		s.tab.Apply(ev)
		p, _ := s.tab.LookupPID(11)
		return p
	}
	require.EqualValues(t, 10, set(3, 11, 0).PGID, "11 is another process in there")
	require.EqualValues(t, 11, set(10, 11, 0).PGID)
	p := set(10, 11, 10)
	require.EqualValues(t, 10, p.PGID)
	require.EqualValues(t, 10, p.Identity.VPGID)
	set(10, 99, 0)
}

// TestEnvironments are kept only while somebody wants them: of execs, and of
// what runs already from /proc.
func TestEnvironments(t *testing.T) {
	proc := t.TempDir()
	s := newScript(t, Options{Proc: proc})
	old := key(20, 2000)
	dir := filepath.Join(proc, strconv.Itoa(20))
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "environ"), []byte("A=1\x00B=2\x00"), 0o600))
	s.exec(old, "/bin/old")
	exec := func(k Key) *Process {
		ev := s.event(event.TypeExec, k, "x")
		ev.Exec.Env = []byte("C=3\x00D=4\x00")
		return s.tab.Apply(ev).Process
	}
	require.Nil(t, exec(key(21, 2100)).Env)
	require.Nil(t, s.call(old, "openat", event.Identity{}).Process.Env)

	s.tab.KeepEnvironments(true)
	require.Equal(t, []string{"C=3", "D=4"}, exec(key(22, 2200)).Env)
	require.Equal(t, []string{"C=3", "D=4"}, s.fork(key(22, 2200), key(23, 2300), "x").Process.Env)
	require.Equal(t, []string{"A=1", "B=2"}, s.call(old, "openat", event.Identity{}).Process.Env)
	gone := key(24, 2400)
	s.exec(gone, "/bin/gone")
	require.Nil(t, s.call(gone, "openat", event.Identity{}).Process.Env)

	s.tab.KeepEnvironments(false)
	require.Nil(t, exec(key(25, 2500)).Env)
}

// TestEnvironmentsOfAncestors: who ran before the agent and makes no call has an
// environment all the same when a descendant is asked about.
func TestEnvironmentsOfAncestors(t *testing.T) {
	proc := t.TempDir()
	s := newScript(t, Options{Proc: proc})
	reads := func(pid uint32, env string) Key {
		dir := filepath.Join(proc, strconv.Itoa(int(pid)))
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "environ"), []byte(env), 0o600))
		return key(pid, uint64(pid)*100)
	}
	top, middle, other := reads(20, "TOP=1\x00"), reads(21, "MIDDLE=1\x00"), reads(30, "OTHER=1\x00")
	s.exec(top, "/bin/top")
	s.fork(top, middle, "middle")
	s.fork(top, other, "other")
	s.tab.KeepEnvironments(true)
	child := key(22, 2200)
	s.fork(middle, child, "child")
	s.exec(child, "/bin/child")
	env := func(n int) []string {
		p, ok := s.tab.Ancestor(child, n)
		require.True(t, ok)
		return p.Env
	}
	require.Equal(t, []string{"MIDDLE=1"}, env(1))
	require.Equal(t, []string{"TOP=1"}, env(2))
	p, _ := s.tab.Lookup(other)
	require.Nil(t, p.Env, "nobody has asked")
	require.Equal(t, []string{"OTHER=1"}, s.call(other, "openat", event.Identity{}).Process.Env)

	reads(21, "MIDDLE=2\x00")
	s.exec(key(23, 2300), "/bin/x")
	s.fork(middle, key(24, 2400), "y")
	s.exec(key(24, 2400), "/bin/y")
	require.Equal(t, []string{"MIDDLE=1"}, env(1), "it is read once")
}
