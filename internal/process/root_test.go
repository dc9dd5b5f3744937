package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// TestRoot: the root that a chroot gave a process is that of its next program and
// of its children, in that mount name space, until one of the calls that change it
// unseen.
func TestRoot(t *testing.T) {
	const ns, other = 5, 6
	s := newScript(t, Options{})
	sh, child := key(10, 100), key(11, 200)
	s.tab.SetRoot(sh, "/srv/jail", ns) // not known yet
	s.exec(sh, "sh")
	of := func(k Key) string {
		p, ok := s.tab.Lookup(k)
		require.True(t, ok)
		return p.Chroot(ns)
	}
	require.Empty(t, of(sh))
	s.tab.SetRoot(sh, "/srv/jail", ns)
	require.Equal(t, "/srv/jail", of(sh))
	p, _ := s.tab.Lookup(sh)
	require.Empty(t, p.Chroot(other))
	s.tab.SetRoot(sh, "/srv/jail", ns)
	again, _ := s.tab.Lookup(sh)
	require.Same(t, p, again, "it is there")

	s.fork(sh, child, "sh")
	s.exec(child, "rm")
	require.Equal(t, "/srv/jail", of(child))
	s.tab.SetRoot(sh, "/", ns)
	require.Empty(t, of(sh))
	require.Equal(t, "/srv/jail", of(child), "the child stays")

	call := func(name string, ret int64) {
		row, ok := syscalls.Index(name)
		require.True(t, ok)
		ev := s.event(event.TypeSyscall, child, "rm")
		ev.Syscall.Index, ev.Syscall.Return = uint16(row), ret
		s.tab.Apply(ev)
	}
	call("unlink", 0)
	call("setns", -1)
	require.Equal(t, "/srv/jail", of(child))
	for _, name := range []string{"setns", "pivot_root"} {
		s.tab.SetRoot(child, "/srv/jail", ns)
		call(name, 0)
		require.Empty(t, of(child), name)
	}
}
