package process

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
)

func TestForkExecExit(t *testing.T) {
	s := newScript(t, Options{})
	init, sh, ls := key(1, 1), key(10, 100), key(11, 200)
	s.exec(init, "init", "init")
	s.fork(init, sh, "init")
	s.exec(sh, "/bin/sh", "sh", "-c", "ls")
	c := s.fork(sh, ls, "sh")
	require.Nil(t, c.Before)
	require.Equal(t, []string{"sh", "-c", "ls"}, c.Process.Args, "a child begins with its parent's program")
	require.Equal(t, "/bin/sh", c.Process.Path)

	c = s.exec(ls, "/bin/ls", "ls", "")
	require.Equal(t, "/bin/sh", c.Before.Path)
	require.Equal(t, []string{"ls", ""}, c.Process.Args)
	require.Equal(t, "ls ", c.Process.CommandLine())
	require.Equal(t, sh, c.Process.Parent)
	require.Equal(t, []string{"/bin/sh", "init"}, s.names(ls))
	require.Equal(t, Stats{Alive: 3, Repaired: 1}, s.tab.Stats())

	c = s.exit(ls)
	require.False(t, c.Process.Alive())
	require.True(t, c.Before.Alive(), "the earlier snapshot is left as it was")
	require.Equal(t, uint8(3), c.Process.Exit.Code)
	p, ok := s.tab.Lookup(ls)
	require.True(t, ok)
	require.Equal(t, "/bin/ls", p.Path)
	require.Equal(t, Stats{Alive: 2, Ended: 1, Repaired: 1}, s.tab.Stats())
}

func TestAppletsOfBusyBox(t *testing.T) {
	s := newScript(t, Options{})
	for i, tt := range []struct {
		comm, path string
		args       []string
		want       string
	}{
		{"exe", "/bin/busybox", []string{"/usr/bin/nc", "-l"}, "nc"},
		{"exe", "/bin/busybox", []string{"-sh"}, "sh"},
		{"exe", "/bin/busybox", []string{"an-applet-of-many-letters"}, "an-applet-of-ma"},
		{"exe", "/bin/busybox", nil, "exe"},
		{"exe", "/usr/bin/dockerd", []string{"docker-untar"}, "exe"},
		{"sh", "/bin/busybox", []string{"ash"}, "sh"},
	} {
		k := key(uint32(10+2*i), 100)
		ev := s.event(event.TypeExec, k, tt.comm)
		ev.Exec.Path = []byte(tt.path)
		for _, a := range tt.args {
			ev.Exec.Args = append(append(ev.Exec.Args, a...), 0)
		}
		require.Equal(t, tt.want, s.tab.Apply(ev).Process.Name, tt)
		require.Equal(t, tt.want, s.fork(k, key(k.TGID+1, 200), tt.comm).Process.Name, "its child, too")
	}
}

func TestEndedProcessesStayAMinute(t *testing.T) {
	s := newScript(t, Options{})
	a, b := key(10, 1), key(11, 2)
	s.exec(a, "a")
	s.exit(a)
	s.now += 59 * sec
	s.exec(b, "b")
	_, ok := s.tab.Lookup(a)
	require.True(t, ok)
	s.now += 2 * sec
	s.exit(b)
	_, ok = s.tab.Lookup(a)
	require.False(t, ok)
	require.Zero(t, s.tab.Stats().Evicted)
}

func TestEndedParentStaysForItsChildren(t *testing.T) {
	s := newScript(t, Options{})
	sh, mid, daemon, other := key(10, 1), key(11, 2), key(12, 3), key(13, 4)
	s.exec(sh, "sh")
	s.fork(sh, mid, "mid")
	s.fork(mid, daemon, "daemon")
	s.exit(mid)
	s.exit(sh)
	s.now += 1000 * sec
	s.exec(other, "other")
	require.Equal(t, []string{"mid", "sh"}, s.names(daemon))

	s.exit(daemon)
	s.now += 61 * sec
	s.exit(other)
	for _, k := range []Key{sh, mid, daemon} {
		_, ok := s.tab.Lookup(k)
		require.False(t, ok, "%v", k)
	}
	require.Equal(t, 1, s.tab.Stats().Ended)
}

func TestPidReuse(t *testing.T) {
	s := newScript(t, Options{})
	old, young, child := key(10, 1), key(10, 500), key(11, 600)
	s.exec(old, "old")
	s.exec(young, "young") // the exit of old was lost
	s.fork(young, child, "young")
	require.Equal(t, []string{"young"}, s.names(child))
	p, ok := s.tab.LookupPID(10)
	require.True(t, ok)
	require.Equal(t, young, p.Key)
	p, ok = s.tab.Lookup(old)
	require.True(t, ok)
	require.False(t, p.Alive())
	require.Equal(t, uint64(1), s.tab.Stats().MissedExits)
	require.Equal(t, 2, s.tab.Stats().Alive)

	s.now += 61 * sec
	s.exit(child)
	_, ok = s.tab.LookupPID(10)
	require.True(t, ok, "dropping the old one must not drop the young one's pid")
}

func TestExitWithoutAnythingBefore(t *testing.T) {
	s := newScript(t, Options{})
	c := s.exit(key(10, 1))
	require.True(t, c.Process.Repaired)
	require.False(t, c.Process.Alive())
	require.Equal(t, Stats{Ended: 1, Repaired: 1}, s.tab.Stats())
	c = s.exit(key(10, 1)) // twice
	require.Equal(t, Stats{Ended: 1, Repaired: 1}, s.tab.Stats())
	require.Equal(t, c.Before, c.Process)
}

func TestEventsAfterTheEnd(t *testing.T) {
	s := newScript(t, Options{})
	k := key(10, 1)
	s.exec(k, "a")
	s.exit(k)
	c := s.exec(k, "b")
	require.False(t, c.Process.Alive())
	require.Equal(t, Stats{Ended: 1, Repaired: 1}, s.tab.Stats())
}

func TestSyscallOfUnknownProcess(t *testing.T) {
	s := newScript(t, Options{})
	parent, k := key(10, 1), key(11, 2)
	s.exec(parent, "sh", "sh", "-i")
	ev := s.event(event.TypeSyscall, k, "sh")
	ev.Task.Parent = parent
	c := s.tab.Apply(ev)
	require.True(t, c.Process.Repaired)
	require.Equal(t, []string{"sh", "-i"}, c.Process.Args, "still the parent's program, by its name")
	require.Equal(t, []string{"sh"}, s.names(k))

	// An orphan's parent turns up later.
	lost, child := key(20, 5), key(21, 6)
	ev = s.event(event.TypeSyscall, child, "child")
	ev.Task.Parent = lost
	s.tab.Apply(ev)
	require.Empty(t, s.names(child))
	s.tab.Apply(s.event(event.TypeSyscall, lost, "lost"))
	require.Equal(t, []string{"lost"}, s.names(child))
}

func TestSeedInAnyOrder(t *testing.T) {
	s := newScript(t, Options{})
	child, parent := key(5, 1), key(900, 2)
	ev := s.event(event.TypeProcess, child, "child")
	ev.Task.Parent = parent
	ev.Exec.Path, ev.Exec.Cwd = []byte("/bin/child"), []byte("/")
	s.tab.Apply(ev)
	s.tab.Apply(s.event(event.TypeProcess, parent, "parent"))
	s.tab.Link()
	require.Equal(t, []string{"parent"}, s.names(child))

	s.exit(child)
	s.tab.Apply(ev)
	p, _ := s.tab.Lookup(child)
	require.False(t, p.Alive(), "the seed must not revive")
	require.Zero(t, s.tab.Stats().Repaired)
}

func TestSeedCompletesARepairedProcess(t *testing.T) {
	s := newScript(t, Options{})
	k := key(5, 1)
	s.tab.Apply(s.event(event.TypeSyscall, k, "thread-7"))
	ev := s.event(event.TypeProcess, k, "java")
	ev.Exec.Path = []byte("/usr/bin/java")
	s.tab.Apply(ev)
	p, _ := s.tab.Lookup(k)
	require.Equal(t, "java", p.Name)
	require.False(t, p.Repaired)
	require.Equal(t, 1, s.tab.Stats().Alive)
}

func TestForkOfUnknownParent(t *testing.T) {
	s := newScript(t, Options{})
	c := s.fork(key(10, 1), key(11, 2), "x")
	require.True(t, c.Process.Repaired)
	require.Equal(t, key(10, 1), c.Process.Parent)
	c = s.exec(key(11, 2), "/bin/y")
	require.Equal(t, "/bin/y", c.Process.Path)
}

func TestExecTellsSessionAndCgroup(t *testing.T) {
	s := newScript(t, Options{})
	sshd, shell := key(10, 1), key(11, 2)
	s.exec(sshd, "sshd")
	s.fork(sshd, shell, "sshd")
	ev := s.event(event.TypeExec, shell, "bash")
	ev.Task.Session, ev.Task.CgroupID = 7, 99
	c := s.tab.Apply(ev)
	require.Equal(t, event.NoID, c.Before.ExecSession)
	require.Equal(t, uint32(7), c.Process.ExecSession)
	require.Equal(t, container.CgroupID{ID: 99}, c.Process.ExecCgroup)
}

func TestServiceComesWithTheEnvironment(t *testing.T) {
	s := newScript(t, Options{})
	k, child := key(10, 1), key(11, 2)
	ev := s.event(event.TypeExec, k, "a")
	ev.Exec.Env = []byte("PATH=/bin\x00OTEL_SERVICE_NAME=shop\x00")
	require.Equal(t, "shop", s.tab.Apply(ev).Process.Service.Name)
	require.Equal(t, "shop", s.fork(k, child, "a").Process.Service.Name)
	require.Equal(t, "shop", s.exec(child, "b").Process.Service.Name, "inherited where the environment could not be read")
}

func TestBounds(t *testing.T) {
	s := newScript(t, Options{Max: 100})
	root := key(1, 1)
	s.exec(root, "init")
	for i := range uint64(1000) {
		k := key(uint32(2+i), 10+i)
		s.fork(root, k, "x")
		if i%3 != 0 {
			s.exit(k)
		}
		s.now++
	}
	st := s.tab.Stats()
	require.LessOrEqual(t, st.Alive+st.Ended, 100)
	require.NotZero(t, st.Evicted)
}

// A process that forks and ends, again and again, must not make the table keep
// the whole line.
func TestChainOfOrphansIsBounded(t *testing.T) {
	s := newScript(t, Options{Max: 50})
	last := key(1, 1)
	s.exec(last, "a")
	for i := range uint64(5000) {
		next := key(uint32(2+i%500), 10+i)
		s.fork(last, next, "a")
		s.exit(last)
		s.now += sec
		last = next
	}
	st := s.tab.Stats()
	require.LessOrEqual(t, st.Alive+st.Ended, 50)
	require.Equal(t, 1, st.Alive)
	require.LessOrEqual(t, len(s.names(last)), MaxAncestors)
	require.NotEmpty(t, s.names(last))
}

func TestContradictoryParentsMakeNoLoop(t *testing.T) {
	s := newScript(t, Options{})
	a, b := key(10, 1), key(11, 2)
	ev := s.event(event.TypeSyscall, a, "a")
	ev.Task.Parent = b
	s.tab.Apply(ev)
	ev = s.event(event.TypeSyscall, b, "b")
	ev.Task.Parent = a
	s.tab.Apply(ev)
	self := s.event(event.TypeSyscall, key(12, 3), "c")
	self.Task.Parent = key(12, 3)
	s.tab.Apply(self)
	require.LessOrEqual(t, len(s.names(a)), 1)
	require.Empty(t, s.names(key(12, 3)))
}

func TestAncestor(t *testing.T) {
	s := newScript(t, Options{Max: 1000})
	s.exec(key(1, 1), "p0")
	for i := uint32(1); i < 200; i++ {
		s.fork(key(i, uint64(i)), key(i+1, uint64(i+1)), fmt.Sprintf("p%d", i))
	}
	leaf := key(200, 200)
	p, ok := s.tab.Ancestor(leaf, 0)
	require.True(t, ok)
	require.Equal(t, "p199", p.Name)
	p, ok = s.tab.Ancestor(leaf, 3)
	require.True(t, ok)
	require.Equal(t, "p196", p.Name)
	for _, n := range []int{-1, MaxAncestors + 1, 1 << 30} {
		_, ok = s.tab.Ancestor(leaf, n)
		require.False(t, ok)
	}
	_, ok = s.tab.Ancestor(key(1, 1), 1)
	require.False(t, ok)
	require.Len(t, s.names(leaf), MaxAncestors)
	n := 0
	s.tab.Range(func(*Process) bool { n++; return n < 10 })
	require.Equal(t, 10, n)
}

func TestOtherEventsAreNobodys(t *testing.T) {
	s := newScript(t, Options{})
	require.Equal(t, Change{}, s.tab.Apply(s.event(event.TypeCgroupMkdir, Key{}, "")))
	require.Zero(t, s.tab.Stats())
}

func TestShared(t *testing.T) {
	require.Nil(t, Shared())
	a, b := New(Options{}), New(Options{})
	withdrawA, withdrawB := Publish(a), Publish(b)
	require.Same(t, a, Shared())
	withdrawB()
	require.Same(t, a, Shared(), "only the owner takes it back")
	withdrawA()
	withdrawA()
	require.Nil(t, Shared())
}

func TestPlainSyscallsDoNotAllocate(t *testing.T) {
	s := newScript(t, Options{})
	k := key(10, 1)
	s.exec(k, "a")
	ev := s.event(event.TypeSyscall, k, "a")
	require.Zero(t, alloctest.PerRun(1000, func() { s.tab.Apply(ev) }))
	require.Zero(t, alloctest.PerRun(1000, func() { s.tab.Ancestor(k, 1) }))
}

func BenchmarkApplySyscall(b *testing.B) {
	tab := New(Options{Proc: b.TempDir()})
	ev := &event.Event{Header: event.Header{Type: event.TypeExec, Time: 1, Key: key(1, 1)}}
	tab.Apply(ev)
	ev.Type = event.TypeSyscall
	b.ReportAllocs()
	for b.Loop() {
		tab.Apply(ev)
	}
}

func BenchmarkForkExecExit(b *testing.B) {
	tab := New(Options{Proc: b.TempDir()})
	tab.Apply(&event.Event{Header: event.Header{Type: event.TypeExec, Time: 1, Key: key(1, 1)}})
	ev := &event.Event{Exec: event.Exec{Path: []byte("/usr/bin/env"), Args: []byte("env\x00-i\x00sh\x00-c\x00true\x00"), Env: []byte("A=b\x00")}}
	ev.Fork.Parent, ev.Task.Parent = key(1, 1), key(1, 1)
	b.ReportAllocs()
	for i := uint64(2); b.Loop(); i++ {
		ev.Key, ev.Time = key(uint32(i%4096)+2, i), i*uint64(time.Millisecond)
		for _, typ := range []event.Type{event.TypeFork, event.TypeExec, event.TypeExit} {
			ev.Type = typ
			tab.Apply(ev)
		}
	}
}
