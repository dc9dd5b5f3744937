// Package alloctest counts allocations for tests that assert them.
package alloctest

import "testing"

// measurements of which the least counts.
const measurements = 10

// PerRun gives the allocations of one call of f, as [testing.AllocsPerRun]
// does: the mean over so many runs, rounded down. That counter is the whole
// process's; the collector of garbage and goroutines of earlier tests add to
// it. So it measures several times and gives the least: what f itself allocates
// is in each. f must do the same at every call.
func PerRun(runs int, f func()) float64 {
	least := testing.AllocsPerRun(runs, f) //nolint:forbidigo // the one place
	for i := 1; i < measurements && least > 0; i++ {
		least = min(least, testing.AllocsPerRun(runs, f)) //nolint:forbidigo // the one place
	}
	return least
}

// NotRaced skips a test of what takes memory from pools: under the race detector a
// [sync.Pool] drops at random what it is given.
func NotRaced(tb testing.TB) {
	tb.Helper()
	if raced {
		tb.Skip("the race detector makes pools forget at random")
	}
}
