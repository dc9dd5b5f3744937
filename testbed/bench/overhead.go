package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/sightglass/sightglass/testbed/internal/agent"
)

// What is merged into the agent's configuration: nothing new, or that a record is
// made of every call that a rule wants, whatever its path.
const (
	asShipped   = "receivers: {ebpf: {}}"
	everyRecord = "receivers: {ebpf: {activity: {kernel_filter: false}}}"
)

// The calls whose cost is compared, what they stand for, and with which
// configuration.
var calls = []struct{ name, what, overlay string }{
	{name: "getpid", what: "getpid: a call that nobody wants", overlay: asShipped},
	{name: "read", what: "read of /dev/zero: looked at, not a socket", overlay: asShipped},
	{name: "open", what: "openat + close: its path looked at, left out", overlay: asShipped},
	{name: "open", what: "openat + close: a record of each openat", overlay: everyRecord},
}

// callCost is what one call costs the thread that makes it.
type callCost struct {
	what           string
	off, floor, on float64 // nanoseconds of CPU time per call, medians
	added, ratio   float64 // medians of the rounds' differences and ratios
	floorRatio     float64 // median of what was added, in units of what empty programs add
	agentPerCall   float64 // nanoseconds of the agent's CPU time per call
}

// overhead measures every call without the agent, with empty programs in its
// place, and with it, in turns: machines drift, and only neighbors in time are
// comparable.
func (b *bench) overhead(ctx context.Context) ([]callCost, error) {
	samples := make([]struct{ off, floor, on, added, ratio, floorRatio, agent []float64 }, len(calls))
	for round := range b.rounds {
		off, err := b.measureCalls(ctx)
		if err != nil {
			return nil, err
		}
		floor, err := b.withEmptyPrograms(ctx)
		if err != nil {
			return nil, err
		}
		on, err := b.withAgent(ctx)
		if err != nil {
			return nil, err
		}
		for i := range calls {
			s := &samples[i]
			s.off = append(s.off, off[i].perCall)
			s.floor = append(s.floor, floor[i].perCall)
			s.on = append(s.on, on[i].perCall)
			s.added = append(s.added, on[i].perCall-off[i].perCall)
			s.ratio = append(s.ratio, on[i].perCall/off[i].perCall)
			s.floorRatio = append(s.floorRatio, (on[i].perCall-off[i].perCall)/(floor[i].perCall-off[i].perCall))
			s.agent = append(s.agent, on[i].agentPerCall)
		}
		b.progress("overhead: round %d of %d", round+1, b.rounds)
	}
	costs := make([]callCost, len(calls))
	for i, s := range samples {
		costs[i] = callCost{
			what: calls[i].what,
			off:  median(s.off), floor: median(s.floor), on: median(s.on),
			added: median(s.added), ratio: median(s.ratio), floorRatio: median(s.floorRatio), agentPerCall: median(s.agent),
		}
	}
	return costs, nil
}

func (b *bench) withEmptyPrograms(ctx context.Context) ([]sample, error) {
	detach, err := emptyPrograms()
	if err != nil {
		return nil, err
	}
	defer detach()
	return b.measureCalls(ctx)
}

// withAgent measures every call with the agent configured for it.
func (b *bench) withAgent(ctx context.Context) ([]sample, error) {
	out := make([]sample, len(calls))
	for _, overlay := range []string{asShipped, everyRecord} {
		a, err := b.start(ctx, overlay)
		if err != nil {
			return nil, err
		}
		for i, call := range calls {
			if call.overlay == overlay && err == nil {
				out[i], err = b.measureCall(ctx, a, call.name)
			}
		}
		if err := errors.Join(err, a.Stop()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sample is one run of the load program.
type sample struct{ perCall, agentPerCall, rate float64 }

// measureCalls runs each call once, without an agent.
func (b *bench) measureCalls(ctx context.Context) ([]sample, error) {
	out := make([]sample, len(calls))
	for i, call := range calls {
		var err error
		if out[i], err = b.measureCall(ctx, nil, call.name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// measureCall runs the load program with one call; a is nil when no agent runs.
func (b *bench) measureCall(ctx context.Context, a *agent.Agent, call string, args ...string) (sample, error) {
	before, err := agentUsage(a)
	if err != nil {
		return sample{}, err
	}
	args = append([]string{"-call", call, "-file", b.loadFile, "-for", b.callTime.String()}, args...)
	text, err := exec.CommandContext(ctx, b.load, args...).Output()
	if err != nil {
		return sample{}, fmt.Errorf("load -call %s: %w", call, err)
	}
	var got struct {
		Calls   float64
		PerCall float64 `json:"cpu_ns_per_call"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return sample{}, err
	}
	time.Sleep(settle) // the agent reads what is left
	after, err := agentUsage(a)
	if err != nil {
		return sample{}, err
	}
	return sample{got.PerCall, float64(after.cpu-before.cpu) / got.Calls, got.Calls / b.callTime.Seconds()}, nil
}

// settle is longer than the agent sleeps between two looks at its buffers.
const settle = 200 * time.Millisecond

func agentUsage(a *agent.Agent) (usage, error) {
	if a == nil {
		return usage{}, nil
	}
	return usageOf(a.PID())
}
