package footprint

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		live uint64
		ago  time.Duration
		want int
	}{
		{0, 0, 300},
		{5 << 20, 100 * time.Millisecond, 300},
		{10 << 20, 100 * time.Millisecond, 200},
		{20 << 20, 100 * time.Millisecond, 100},
		{32 << 20, 100 * time.Millisecond, 62},
		{40 << 20, 100 * time.Millisecond, 50},
		{1 << 40, 0, 50},
		{5 << 20, calm, 100},
		{10 << 20, 2 * time.Minute, 100},
		{32 << 20, 2 * time.Minute, 62},
		{400 << 20, calm, 50},
	} {
		require.Equal(t, tt.want, percent(tt.live, tt.ago), "%d MiB", tt.live>>20)
	}
}

// TestPaceFollowsTheCollector: what is in use decides after every collection, not
// only after the first.
func TestPaceFollowsTheCollector(t *testing.T) {
	before := debug.SetGCPercent(calmPercent)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	goal := func() (bytes uint64) {
		s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	p := newPacer()
	p.watch()
	defer p.stop()
	settles := func(least, most uint64) {
		t.Helper()
		require.Eventually(t, func() bool {
			runtime.GC()
			g := goal()
			return g >= least && g <= most
		}, time.Minute, 10*time.Millisecond, "the goal is %d MiB", goal()>>20)
	}
	much := make([]byte, 160<<20)
	settles(230<<20, 270<<20) // and half of it, where Go alone would double it
	runtime.KeepAlive(much)
	settles(0, 60<<20)
	some := make([]byte, 30<<20)
	settles(45<<20, 58<<20) // and room
	runtime.KeepAlive(some)
}

// TestWhoSetsGOGCKeepsIt: the variable has had its effect before we run.
func TestWhoSetsGOGCKeepsIt(t *testing.T) {
	t.Setenv("GOGC", "70")
	before := debug.SetGCPercent(70)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	Pace()
	for range 3 {
		runtime.GC()
	}
	require.Equal(t, 70, debug.SetGCPercent(70))
}
