package process

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImage(t *testing.T) {
	s := newScript(t, Options{})
	shell, child := key(10, 1), key(11, 2)
	image := func(n int) string {
		p, ok := s.tab.Image(child, n)
		if !ok {
			return "none"
		}
		return p.Path
	}
	s.exec(shell, "/bin/bash")
	require.Equal(t, "none", image(0))
	s.fork(shell, child, "bash")
	require.Equal(t, "/bin/bash", image(0))
	require.Equal(t, "none", image(1))
	s.exec(child, "/bin/env", "env", "sleep")
	s.now += keepFormers / 2
	s.exec(child, "/bin/sleep")
	require.Equal(t, []string{"/bin/sleep", "/bin/env", "/bin/bash", "none"}, []string{image(0), image(1), image(2), image(3)})
	require.Equal(t, "none", image(-1))
	p, _ := s.tab.Image(child, 1)
	require.Equal(t, []string{"env", "sleep"}, p.Args)

	s.now += keepFormers / 2
	s.exit(shell)
	require.Equal(t, []string{"/bin/sleep", "/bin/env", "none"}, []string{image(0), image(1), image(2)})
	s.exit(child)
	p, _ = s.tab.Image(child, 0)
	require.False(t, p.Alive())
	require.Equal(t, "/bin/env", image(1))
	s.now += keepFormers
	s.fork(shell, key(12, 3), "bash")
	require.Equal(t, "none", image(1))
	require.Zero(t, s.tab.formers.Len())
	require.Nil(t, s.tab.entries[child].formers)
}

func TestFormerProgramsAreBounded(t *testing.T) {
	s := newScript(t, Options{})
	quick, other := key(10, 1), key(11, 2)
	s.exec(other, "/bin/first")
	s.exec(other, "/bin/second")
	_, ok := s.tab.Image(other, 1)
	require.True(t, ok)
	for range 2 * maxFormers {
		s.exec(quick, "/bin/x")
	}
	require.Equal(t, maxFormers, s.tab.formers.Len())
	require.Len(t, s.tab.entries[quick].formers, maxFormers)
	_, ok = s.tab.Image(other, 1)
	require.False(t, ok)
}
