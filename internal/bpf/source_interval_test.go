package bpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Records keep the pauses short, silence makes them longer.
func TestNextInterval(t *testing.T) {
	require.Equal(t, steadyInterval, nextInterval(idleInterval, 100_000))
	require.Equal(t, steadyInterval, nextInterval(steadyInterval, 1))
	require.Equal(t, 2*steadyInterval, nextInterval(steadyInterval, 0))
	require.Equal(t, idleInterval, nextInterval(idleInterval, 0))
}

// Whoever waits for the same interval looks at the same time, at the latest when
// the interval is over.
func TestNextLook(t *testing.T) {
	now := beginning.Add(12345 * time.Microsecond)
	require.Equal(t, beginning.Add(steadyInterval), nextLook(now, steadyInterval))
	require.Equal(t, beginning.Add(idleInterval), nextLook(now, idleInterval))
	require.Equal(t, nextLook(now, idleInterval), nextLook(now.Add(steadyInterval), idleInterval))
	require.Equal(t, beginning.Add(2*steadyInterval), nextLook(beginning.Add(steadyInterval), steadyInterval), "never at once")
}
