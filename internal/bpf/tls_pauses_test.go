package bpf

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPausesAreFound: what an agent notes can be found from outside, as long as it
// is true.
func TestPausesAreFound(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{Requests: true, TLS: true})
	require.NoError(t, err)
	pid, until := uint32(os.Getpid()), time.Now().Add(time.Hour)
	require.NoError(t, a.PauseTLS(pid, time.Time{}), "there was none")
	require.NoError(t, a.PauseTLS(pid, until))
	paused, err := PausedTLS()
	require.NoError(t, err)
	require.WithinDuration(t, until, paused[pid], time.Minute)

	require.NoError(t, a.PauseTLS(pid, time.Time{}))
	paused, err = PausedTLS()
	require.NoError(t, err)
	require.NotContains(t, paused, pid)

	require.NoError(t, a.PauseTLS(pid, until))
	require.NoError(t, a.Close())
	paused, err = PausedTLS()
	require.NoError(t, err)
	require.NotContains(t, paused, pid, "gone with the agent")
	require.ErrorIs(t, a.PauseTLS(pid, until), os.ErrClosed)
	require.ErrorIs(t, (&Agent{}).PauseTLS(pid, until), ErrNoTLS)
}
