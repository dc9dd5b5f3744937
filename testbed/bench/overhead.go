package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"time"

	"github.com/sightglass/sightglass/testbed/internal/agent"
)

// The calls whose cost is compared, and what they stand for.
var calls = []struct{ name, what string }{
	{"getpid", "getpid: a call that nobody wants"},
	{"read", "read of /dev/zero: looked at, not a socket"},
	{"open", "openat + close: captured"},
}

// callCost is what one call costs the thread that makes it.
type callCost struct {
	what          string
	off, on       float64 // nanoseconds of CPU time per call, medians
	added, ratio  float64 // medians of the rounds' differences and ratios
	agentPerCall  float64 // nanoseconds of the agent's CPU time per call
	callsMeasured int
}

// overhead measures every call with and without the agent in turns: machines
// drift, and only neighbours in time are comparable.
func (b *bench) overhead(ctx context.Context) ([]callCost, error) {
	samples := make([]struct{ off, on, added, ratio, agent []float64 }, len(calls))
	costs := make([]callCost, len(calls))
	for round := range b.rounds {
		off, err := b.measureCalls(ctx, nil)
		if err != nil {
			return nil, err
		}
		a, err := b.start(ctx)
		if err != nil {
			return nil, err
		}
		on, err := b.measureCalls(ctx, a)
		if stopErr := a.Stop(); err == nil {
			err = stopErr
		}
		if err != nil {
			return nil, err
		}
		for i := range calls {
			s := &samples[i]
			s.off = append(s.off, off[i].perCall)
			s.on = append(s.on, on[i].perCall)
			s.added = append(s.added, on[i].perCall-off[i].perCall)
			s.ratio = append(s.ratio, on[i].perCall/off[i].perCall)
			s.agent = append(s.agent, on[i].agentPerCall)
			costs[i].callsMeasured += on[i].calls
		}
		b.progress("overhead: round %d of %d", round+1, b.rounds)
	}
	for i, s := range samples {
		costs[i].what = calls[i].what
		costs[i].off, costs[i].on = median(s.off), median(s.on)
		costs[i].added, costs[i].ratio = median(s.added), median(s.ratio)
		costs[i].agentPerCall = median(s.agent)
	}
	return costs, nil
}

// sample is one run of the load program.
type sample struct {
	calls                 int
	perCall, agentPerCall float64
}

// measureCalls runs each call once; a is nil when no agent runs.
func (b *bench) measureCalls(ctx context.Context, a *agent.Agent) ([]sample, error) {
	out := make([]sample, len(calls))
	for i, call := range calls {
		before, err := agentUsage(a)
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, b.load, "-call", call.name, "-file", b.loadFile, "-for", b.callTime.String())
		text, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("load -call %s: %w", call.name, err)
		}
		var got struct {
			Calls int
			CPU   float64 `json:"cpu_ns"`
		}
		if err := json.Unmarshal(text, &got); err != nil {
			return nil, err
		}
		time.Sleep(settle) // the agent reads what is left
		after, err := agentUsage(a)
		if err != nil {
			return nil, err
		}
		n := float64(got.Calls)
		out[i] = sample{got.Calls, got.CPU / n, float64(after.cpu-before.cpu) / n}
	}
	return out, nil
}

// settle is longer than the agent sleeps between two looks at its buffers.
const settle = 200 * time.Millisecond

func agentUsage(a *agent.Agent) (usage, error) {
	if a == nil {
		return usage{}, nil
	}
	return usageOf(a.PID())
}
