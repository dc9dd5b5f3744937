package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"runtime"
	"sync"
	"time"
)

// burnPeriod is how often a thread begins to burn: as often as the agent looks into
// its rings while there is something in them.
const burnPeriod = 25 * time.Millisecond

// burnt is the output of a burner.
type burnt struct {
	CPU float64 `json:"cpu_seconds"`
}

// burn takes so much CPU time, 1 being a whole core, until the time is over: on as few
// threads as that takes, a part of each period at once.
func burn(share float64, limit time.Duration) error {
	var threads sync.WaitGroup
	n := max(1, int(math.Ceil(share)))
	spent, errs := make([]time.Duration, n), make([]error, n)
	for i := range n {
		threads.Go(func() { spent[i], errs[i] = burnThread(share/float64(n), limit) })
	}
	threads.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var sum time.Duration
	for _, s := range spent {
		sum += s
	}
	return json.NewEncoder(os.Stdout).Encode(burnt{sum.Seconds()})
}

// burnThread is one of its threads. What it did not get in a period it makes up for in
// the next ones.
func burnThread(share float64, limit time.Duration) (time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	first, err := threadCPU()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for numbers := uint64(1); ; numbers = compute(numbers) {
		now, err := threadCPU()
		spent, gone := time.Duration(now-first), time.Since(began)
		if err != nil || gone >= limit {
			return spent, err
		}
		if spent > time.Duration(share*float64(gone+burnPeriod)) {
			time.Sleep(burnPeriod - gone%burnPeriod)
		}
	}
}

// compute takes some 20 µs and no memory.
func compute(n uint64) uint64 {
	for range 20_000 {
		n = n*6364136223846793005 + 1442695040888963407
	}
	return n
}
