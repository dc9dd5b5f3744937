package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMemoryReader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environ")
	require.NoError(t, os.WriteFile(file, []byte("A=1\x00B=2\x00"), 0o600))
	var r memoryReader
	raw, truncated, ok := r.read(file, maxEnviron)
	require.True(t, ok)
	require.False(t, truncated)
	require.Equal(t, "A=1\x00B=2\x00", string(raw))

	raw, truncated, ok = r.read(file, 3)
	require.True(t, ok)
	require.True(t, truncated)
	require.Equal(t, "A=1", string(raw))

	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("x", 2*maxEnviron)), 0o600))
	raw, truncated, _ = r.read(file, maxEnviron)
	require.True(t, truncated)
	require.Len(t, raw, maxEnviron)

	_, _, ok = r.read(file+".none", maxEnviron)
	require.False(t, ok)
}

// TestMemoryThatIsHeldBack: processes that never let their memory be read hold
// nobody up for long, and only a few goroutines.
func TestMemoryThatIsHeldBack(t *testing.T) {
	held := make(chan struct{})
	r := memoryReader{before: func() { <-held }}
	for range maxMemoryReaders {
		_, _, ok := r.read("/proc/self/environ", maxEnviron)
		require.False(t, ok)
	}
	require.Equal(t, int32(maxMemoryReaders), r.running.Load())
	_, _, ok := r.read("/proc/self/environ", maxEnviron)
	require.False(t, ok)
	require.Equal(t, int32(maxMemoryReaders), r.running.Load(), "no further goroutine")

	close(held)
	require.Eventually(t, func() bool { return r.running.Load() == 0 }, time.Minute, time.Millisecond)
	r.before = nil
	_, _, ok = r.read("/proc/self/status", maxEnviron)
	require.True(t, ok)
}
