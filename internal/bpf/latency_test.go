package bpf

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestLatencyIsOffByDefault(t *testing.T) {
	a := share(t, false)
	require.ErrorIs(t, a.Latencies(func(*Latency) {}), ErrLatencyOff)
}

func TestLatencyHistograms(t *testing.T) {
	eachLoad(t, Options{Latency: true}, func(t *testing.T, a *Agent) {
		// A nap that a signal's handler ends early begins anew; of one that is cut in
		// two, which the kernel goes on with as restart_syscall, one part is longer
		// than 2 ms.
		const naps, nap = 20, 6 * time.Millisecond
		onThread(t, func() {
			ts := unix.NsecToTimespec(int64(nap))
			for done := 0; done < naps; {
				if unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) == nil {
					done++
				}
			}
		})
		var seen uint64
		require.NoError(t, a.Latencies(func(l *Latency) {
			assert.NotZero(t, l.Count)
			if l.Compat || l.Number != unix.SYS_CLOCK_NANOSLEEP && l.Number != unix.SYS_RESTART_SYSCALL {
				return
			}
			for bucket := 21; bucket < LatencyBuckets; bucket++ { // from 2 ms on
				seen += l.Buckets[bucket]
			}
			assert.NotZero(t, l.Sum)
		}))
		assert.GreaterOrEqual(t, seen, uint64(naps), runtime.GOARCH)
	})
}
