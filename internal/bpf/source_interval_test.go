package bpf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIntervalFollowsTheLoad(t *testing.T) {
	require.Equal(t, busyInterval, nextInterval(idleInterval, busyRecords))
	require.Equal(t, steadyInterval, nextInterval(busyInterval, 1))
	require.Equal(t, 2*steadyInterval, nextInterval(steadyInterval, 0))
	require.Equal(t, idleInterval, nextInterval(80*time.Millisecond, 0))
}
