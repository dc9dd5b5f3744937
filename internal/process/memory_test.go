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

// TestEnvironmentThatComesLate: a process whose memory could not be read in time is
// known by its environment as soon as it can be, and so are its children.
func TestEnvironmentThatComesLate(t *testing.T) {
	proc := t.TempDir()
	s := newScript(t, Options{Proc: proc})
	starts := func(pid uint32, name string) Key {
		dir := filepath.Join(proc, itoa(int(pid)))
		require.NoError(t, os.MkdirAll(dir, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "environ"), []byte("OTEL_SERVICE_NAME="+name+"\x00"), 0o600))
		k := key(pid, uint64(pid)*100)
		s.now += sec
		s.fork(key(1, 1), k, name)
		s.exec(k, "/bin/"+name)
		return k
	}
	service := func(k Key) string {
		p, ok := s.tab.Lookup(k)
		require.True(t, ok)
		return p.Service.Name
	}
	held := make(chan struct{})
	s.tab.proc.memory.before = func() { <-held }
	var all []Key
	for i := range uint32(maxMemoryReaders + 2) { // the last two are not even begun to be read
		all = append(all, starts(20+i, "shop"+itoa(int(i))))
	}
	child, other := key(40, 4000), starts(41, "first")
	s.fork(all[0], child, "shop0")
	require.Empty(t, service(all[0]))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "41", "environ"), []byte("OTEL_SERVICE_NAME=second\x00"), 0o600))
	s.now += sec
	s.exec(other, "/bin/second")

	close(held)
	require.Eventually(t, func() bool {
		s.tab.Learn()
		return len(s.tab.proc.late) == 0
	}, time.Minute, time.Millisecond)
	for i, k := range all {
		require.Equal(t, "shop"+itoa(i), service(k))
	}
	require.Equal(t, "shop0", service(child))
	require.Equal(t, "second", service(other))
}
