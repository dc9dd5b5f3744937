package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestWorkloadsRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, call := range []string{"getpid", "read", "open"} {
		once, err := workload(call, file)
		require.NoError(t, err)
		before, err := threadCPU()
		require.NoError(t, err)
		require.Zero(t, alloctest.PerRun(100, once), "garbage collection would be measured too")
		after, err := threadCPU()
		require.NoError(t, err)
		require.Positive(t, after-before)
	}
}

func TestWorkloadRefuses(t *testing.T) {
	_, err := workload("fork", "")
	require.ErrorIs(t, err, errUnknown)
	_, err = workload("open", filepath.Join(t.TempDir(), "gone"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestBurn(t *testing.T) {
	before, err := processCPU()
	require.NoError(t, err)
	require.NoError(t, burn(1.5, 3*burnPeriod))
	after, err := processCPU()
	require.NoError(t, err)
	require.Positive(t, after-before)
}

// processCPU is the CPU time of this process in nanoseconds.
func processCPU() (int64, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts)
	return ts.Nano(), err
}
