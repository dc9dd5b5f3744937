package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/connector"
)

// firstFlush lets the flush after the first data pass; both connectors have it
// within a second or at their interval.
const firstFlush = 1200 * time.Millisecond

// measureSpeed takes the CPU time and the allocations of spans of known series,
// less those of writing the spans, because wall time means little on a shared
// machine.
func measureSpeed(results []Result, rounds int) error {
	for _, operations := range []int{fewOperations, manyOperations} {
		f := newFleet(operations)
		list := contenders("1h", "delta")
		started := make([]connector.Traces, len(list)+1) // the last, nil, only writes
		for i := range list {
			var err error
			if started[i], err = list[i].start(new(sink)); err != nil {
				return err
			}
			for range 3 {
				if err := f.feed(started[i], f.round()); err != nil {
					return err
				}
				time.Sleep(firstFlush)
			}
		}
		cost, err := alternate(f, started, rounds)
		if err != nil {
			return err
		}
		for i := range list {
			speed := Speed{f.series(), cost[i].nanoseconds - cost[len(list)].nanoseconds, cost[i].allocations - cost[len(list)].allocations}
			if operations == fewOperations {
				results[i].Few = speed
			} else {
				results[i].Many = speed
			}
			progress("%s, %d series: %.0f ns, %.2f allocations", list[i].name, speed.Series, speed.Nanoseconds, speed.Allocations)
			stop(started[i])
		}
	}
	return nil
}

type cost struct{ nanoseconds, allocations float64 } // of a span

// alternate feeds all in turn, so that a machine that drifts does so for all.
func alternate(f *fleet, to []connector.Traces, rounds int) ([]cost, error) {
	const batches = 10_000
	times, allocations := make([][]float64, len(to)), make([][]float64, len(to))
	for range rounds {
		for i, c := range to {
			runtime.GC()
			t, m := cpuTime(), mallocs()
			if err := f.feed(c, batches); err != nil {
				return nil, err
			}
			times[i] = append(times[i], float64(cpuTime()-t)/(batches*batchSpans))
			allocations[i] = append(allocations[i], float64(mallocs()-m)/(batches*batchSpans))
		}
	}
	costs := make([]cost, len(to))
	for i := range to {
		costs[i] = cost{median(times[i]), median(allocations[i])}
	}
	return costs, nil
}

// measureMemory takes the heap that 100,000 series hold while they are used and
// flushed every two seconds: the most that was found at any time.
func measureMemory(results []Result, rounds int) error {
	for _, temporality := range []string{"delta", "cumulative"} {
		for i, c := range contenders("2s", temporality) {
			held, err := heldBy(&c, time.Duration(rounds)*time.Second)
			if err != nil {
				return err
			}
			most := slices.Max(held)
			if temporality == "delta" {
				results[i].DeltaBytes = most
			} else {
				results[i].CumulativeBytes = most
			}
			progress("%s, %s: at most %.0f, median %.0f bytes/series", c.name, temporality, most, median(held))
		}
	}
	return nil
}

// heldBy samples the bytes per series for the given time, after two flushes.
func heldBy(c *contender, during time.Duration) ([]float64, error) {
	const (
		leadIn       = 4 * time.Second
		leastSamples = 20 // on a slow machine: some right before a flush
	)
	f := newFleet(manyOperations)
	for range 3 { // what pools hold survives two collections
		runtime.GC()
	}
	before := heap()
	started, err := c.start(new(sink))
	if err != nil {
		return nil, err
	}
	defer stop(started)
	var held []float64
	for begin := time.Now(); time.Since(begin) < leadIn+during || len(held) < leastSamples; {
		if err := f.feed(started, f.round()); err != nil {
			return nil, err
		}
		if time.Since(begin) > leadIn {
			held = append(held, float64(heap()-before)/float64(f.series()))
		}
	}
	return held, nil
}

// measureFlushes takes the CPU time of flushes of 100,000 series while nothing
// else goes on.
func measureFlushes(results []Result, rounds int) error {
	f := newFleet(manyOperations)
	for i, c := range contenders("3s", "delta") {
		next := new(sink)
		started, err := c.start(next)
		if err != nil {
			return err
		}
		if err := f.feed(started, f.round()); err != nil {
			return err
		}
		settled(next, 1) // begin right after a flush, so that none comes while spans do
		var spent []float64
		for len(spent) < rounds {
			if err := f.feed(started, f.round()); err != nil {
				return err
			}
			sent, begin := next.points.Load(), cpuTime()
			if !settled(next, sent+int64(f.series())) {
				return fmt.Errorf("%s did not flush %d series", c.name, f.series())
			}
			spent = append(spent, (cpuTime() - begin).Seconds())
		}
		results[i].FlushSeconds = median(spent)
		progress("%s: %.3f s CPU for a flush", c.name, results[i].FlushSeconds)
		stop(started)
	}
	return nil
}

// settled waits until so many points have come and no more follow.
func settled(s *sink, points int64) bool {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if s.points.Load() >= points {
			time.Sleep(100 * time.Millisecond) // the rest of the flush
			return true
		}
	}
	return false
}

// measureWaits takes how long consumers wait while flushes of 100,000 series go
// on beside them.
func measureWaits(results []Result, rounds int) error {
	f := newFleet(manyOperations)
	for i, c := range contenders("2s", "delta") {
		started, err := c.start(new(sink))
		if err != nil {
			return err
		}
		if err := f.feed(started, f.round()); err != nil {
			return err
		}
		var waits []float64
		for end := time.Now().Add(time.Duration(2*rounds) * time.Second); time.Now().Before(end); {
			for range 10 {
				td := f.write()
				begin := time.Now()
				if err := started.ConsumeTraces(context.Background(), td); err != nil {
					return err
				}
				waits = append(waits, time.Since(begin).Seconds())
			}
			time.Sleep(2 * time.Millisecond)
		}
		slices.Sort(waits)
		at := func(q float64) float64 { return waits[int(q*float64(len(waits)-1))] }
		results[i].WaitMedian, results[i].WaitRare, results[i].WaitLongest = at(0.5), at(0.999), at(1)
		progress("%s: waits of %.6f s, rarely %.6f, at most %.6f", c.name, at(0.5), at(0.999), at(1))
		stop(started)
	}
	return nil
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func median(values []float64) float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values[len(values)/2]
}
