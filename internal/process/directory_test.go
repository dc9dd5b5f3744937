package process

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// chdir makes the record of a call that has led to a directory; tid is the thread
// that made it.
func (s *script) chdir(k Key, tid uint32, name, path string, ret int64) *Process {
	s.t.Helper()
	ev := s.event(event.TypeSyscall, k, "x")
	row, ok := syscalls.Index(name)
	require.True(s.t, ok)
	ev.TID, ev.Syscall.Index, ev.Syscall.Return = tid, uint16(row), ret
	ev.Syscall.Result.Path = []byte(path)
	return s.tab.Apply(ev).Process
}

// TestDirectory: a process is where the last chdir of any of its threads led, its
// children begin there, and an exec tells anew.
func TestDirectory(t *testing.T) {
	s := newScript(t, Options{})
	sh, child := key(10, 100), key(11, 200)
	ev := s.event(event.TypeExec, sh, "sh")
	ev.Exec = event.Exec{Path: []byte("/bin/sh"), Cwd: []byte("/root")}
	require.Equal(t, "/root", s.tab.Apply(ev).Process.Directory())

	p := s.chdir(sh, 10, "chdir", "/tmp", 0)
	require.Equal(t, "/tmp", p.Directory())
	require.Equal(t, "/root", p.Cwd)
	require.Equal(t, "/tmp", p.MovedTo)
	require.Same(t, p, s.chdir(sh, 10, "chdir", "/tmp", 0), "it was there")
	require.Equal(t, "/tmp", s.chdir(sh, 10, "chdir", "/gone", -2).Directory(), "it failed")
	require.Equal(t, "/tmp", s.chdir(sh, 10, "openat", "/etc/passwd", 3).Directory(), "another call")
	require.Equal(t, "/srv", s.chdir(sh, 12, "fchdir", "/srv", 0).Directory(), "another thread")

	c := s.fork(sh, child, "sh").Process
	require.Equal(t, "/srv", c.Directory())
	require.Empty(t, c.MovedTo, "that is where it began")
	require.Equal(t, "/opt", s.chdir(child, 11, "chdir", "/opt", 0).Directory())
	parent, _ := s.tab.Lookup(sh)
	require.Equal(t, "/srv", parent.Directory(), "the parent stays")

	require.Empty(t, s.chdir(sh, 10, "chdir", "/root", 0).MovedTo, "back where it was")
	ev.Exec.Cwd = []byte("/var")
	require.Equal(t, "/var", s.tab.Apply(ev).Process.Directory())
}

// TestFollowDirectories: when somebody begins to ask, processes are where /proc
// says.
func TestFollowDirectories(t *testing.T) {
	proc := t.TempDir()
	s := newScript(t, Options{Proc: proc})
	old := key(20, 2000)
	ev := s.event(event.TypeExec, old, "sh")
	ev.Exec = event.Exec{Path: []byte("/bin/sh"), Cwd: []byte("/root")}
	s.tab.Apply(ev)
	require.NoError(t, os.Mkdir(filepath.Join(proc, "20"), 0o755))
	require.NoError(t, os.Symlink("/tmp (deleted)", filepath.Join(proc, "20", "cwd")))
	other := s.event(event.TypeSyscall, key(21, 2100), "x")
	s.tab.Apply(other)
	p, _ := s.tab.Lookup(old)
	require.Equal(t, "/root", p.Directory(), "nobody asks")

	s.tab.FollowDirectories()
	s.tab.Apply(other)
	p, _ = s.tab.Lookup(old)
	require.Equal(t, "/tmp", p.Directory())
}

// TestLookupVPID finds processes by the numbers that a container knows.
func TestLookupVPID(t *testing.T) {
	s := newScript(t, Options{})
	for i, vpid := range []uint32{1, 7, 7} {
		ev := s.event(event.TypeFork, key(uint32(100+i), uint64(100+i)), string(rune('a'+i)))
		ev.Task.PIDNS, ev.Task.VPID = uint32(4026532000+i/2), vpid
		s.tab.Apply(ev)
	}
	ev := s.event(event.TypeFork, key(50, 50), "host")
	ev.Task.PIDNS, ev.Task.VPID = hostPIDs, 50
	s.tab.Apply(ev)
	name := func(ns, pid uint32) string {
		if p, ok := s.tab.LookupVPID(ns, pid); ok {
			return p.Name
		}
		return ""
	}
	require.Equal(t, "a", name(4026532000, 1))
	require.Equal(t, "b", name(4026532000, 7))
	require.Equal(t, "c", name(4026532001, 7))
	require.Empty(t, name(4026532001, 1))
	require.Equal(t, "host", name(hostPIDs, 50))
	require.Len(t, s.tab.byVPID, 3)

	s.exit(key(101, 101))
	s.now += 1000 * sec
	s.fork(key(50, 50), key(51, 51), "x")
	require.Empty(t, name(4026532000, 7), "it was forgotten")
	require.Equal(t, "a", name(4026532000, 1))
}

// TestTheSameFileAgain: who runs its own file from a mount that has no path any
// more, as runc does, runs what it ran.
func TestTheSameFileAgain(t *testing.T) {
	s := newScript(t, Options{})
	k := key(10, 100)
	run := func(path string, inode uint64) string {
		ev := s.event(event.TypeExec, k, "runc")
		ev.Exec.Path, ev.Exec.File = []byte(path), event.File{Inode: inode, Device: 8}
		return s.tab.Apply(ev).Process.Path
	}
	require.Equal(t, "/usr/sbin/runc", run("/usr/sbin/runc", 7))
	require.Equal(t, "/usr/sbin/runc", run("", 7))
	require.Equal(t, "memfd:x", run("memfd:x", 8))
	require.Empty(t, run("", 9), "another file")
}
