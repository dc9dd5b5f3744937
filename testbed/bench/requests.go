package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// requestCost is what following a server's requests costs.
type requestCost struct {
	what              string
	off, empty, on    float64 // µs of the server's CPU time per request, medians
	added             float64 // median of the rounds' differences
	neighbour         float64 // of those that a program makes which uses as much CPU time as agent and back end
	spansPerRequest   float64
	agentPerSpan      float64 // µs of the agent's CPU time
	kernelPerRequest  float64 // µs in our programs, on behalf of all processes
	requestsPerSecond float64 // with the agent
}

// requestReport is everything that make bench-requests measures.
type requestReport struct {
	machine string
	hit     float64 // µs that an empty program at a probe costs, 0 when it was not measured
	costs   []requestCost
	probes  *probeResult
	rate    *rateResult
	stages  []microResult
}

// requests measures the named parts in order and prints the report, and writes it
// after each measurement: what was measured is there when a later one fails.
func (b *bench) requests(ctx context.Context, parts []string, readme string) error {
	r := &requestReport{machine: machine(ctx)}
	spans, told := &spanCounts{}, &health{}
	var err error
	if b.back, err = sink.Start(ctx, sink.Consumers{Traces: spans.take, Metrics: told.take}); err != nil {
		return err
	}
	defer b.back.Stop(context.WithoutCancel(ctx))
	save := func() error {
		if readme == "" {
			return nil
		}
		return writeReport(readme, requestMarks, r.markdown())
	}
	for _, part := range parts {
		if err = b.requestPart(ctx, part, r, spans, told, save); err != nil {
			break
		}
	}
	fmt.Print("\n", r.markdown())
	return err
}

// requestPart measures one part.
func (b *bench) requestPart(ctx context.Context, part string, r *requestReport, spans *spanCounts, told *health, save func() error) (err error) {
	switch part {
	case "servers":
		return b.servers(ctx, targets, spans, r, save)
	case "tls":
		if r.hit, err = hitPrice(); err != nil {
			return err
		}
		return b.servers(ctx, tlsTargets, spans, r, save)
	case "probes":
		r.probes, err = b.probes(ctx, spans)
	case "rate":
		r.rate, err = b.rate(ctx, spans, told)
	case "stages":
		r.stages, err = b.micro(ctx, requestStages)
	default:
		return fmt.Errorf("%w %q", errUnknownPart, part)
	}
	if err != nil {
		return err
	}
	return save()
}

// servers measures each server in turns with and without the agent.
func (b *bench) servers(ctx context.Context, targets []target, spans *spanCounts, r *requestReport, save func() error) error {
	for _, t := range targets {
		cost, err := b.target(ctx, t, spans)
		if errors.Is(err, exec.ErrNotFound) {
			b.progress("%s: not installed: %v", t.what, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.what, err)
		}
		r.costs = append(r.costs, *cost)
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}

// requestRun is one run of a target's load.
type requestRun struct {
	requests int
	took     time.Duration
	cpu      time.Duration // of the server
	agentCPU time.Duration
	backCPU  time.Duration // of this process, whose work is the back end
	spans    int
}

// target measures one server.
func (b *bench) target(ctx context.Context, t target, spans *spanCounts) (*requestCost, error) {
	dir, err := os.MkdirTemp("", "sightglass-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := t.start(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	if _, err := t.load(ctx, s, b.roundTime); err != nil { // warm
		return nil, err
	}
	cost := &requestCost{what: t.what}
	var off, empty, on, added, neighbour, perSpan, perRequest, rate []float64
	for round := range b.rounds {
		without, err := b.loadOnce(ctx, t, s, nil, spans)
		if err != nil {
			return nil, err
		}
		least, err := b.loadWithEmptyPrograms(ctx, t, s, spans)
		if err != nil {
			return nil, err
		}
		empty = append(empty, perUnit(least.cpu, least.requests))
		with, err := b.loadWithAgent(ctx, t, s, spans)
		if err != nil {
			return nil, err
		}
		beside, err := b.loadBesideNeighbour(ctx, t, s, spans, with)
		if err != nil {
			return nil, err
		}
		off, on = append(off, perUnit(without.cpu, without.requests)), append(on, perUnit(with.cpu, with.requests))
		added = append(added, on[round]-off[round])
		neighbour = append(neighbour, perUnit(beside.cpu, beside.requests)-off[round])
		perSpan = append(perSpan, perUnit(with.agentCPU, with.spans))
		perRequest = append(perRequest, float64(with.spans)/float64(with.requests))
		rate = append(rate, float64(with.requests)/with.took.Seconds())
		b.progress("%s: round %d of %d: %.2f us per request, %+.2f, %+.2f beside a neighbour; agent %.2f us per span",
			t.what, round+1, b.rounds, off[round], added[round], neighbour[round], perSpan[round])
	}
	cost.neighbour = median(neighbour)
	cost.off, cost.empty, cost.on, cost.added = median(off), median(empty), median(on), median(added)
	cost.spansPerRequest, cost.agentPerSpan = median(perRequest), median(perSpan)
	cost.requestsPerSecond = median(rate)
	cost.kernelPerRequest, err = b.kernelTime(ctx, t, s)
	return cost, err
}

// perUnit is in µs.
func perUnit(d time.Duration, n int) float64 {
	return float64(d) / float64(time.Microsecond) / float64(max(n, 1))
}

// loadWithEmptyPrograms measures what the kernel charges for anybody's listening
// to system calls.
func (b *bench) loadWithEmptyPrograms(ctx context.Context, t target, s *server, spans *spanCounts) (*requestRun, error) {
	detach, err := emptyPrograms()
	if err != nil {
		return nil, err
	}
	defer detach()
	return b.loadOnce(ctx, t, s, nil, spans)
}

// loadBesideNeighbour measures what the machine charges for anybody's being there: a
// program that looks at nothing and uses as much CPU time as agent and back end did.
func (b *bench) loadBesideNeighbour(ctx context.Context, t target, s *server, spans *spanCounts, like *requestRun) (run *requestRun, err error) {
	share := (like.agentCPU + like.backCPU).Seconds() / like.took.Seconds()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.load, "-call", "burn", "-share", fmt.Sprintf("%.3f", share), "-for", "1h")
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		cancel()
		_ = cmd.Wait() // killed
	}()
	time.Sleep(settle)
	return b.loadOnce(ctx, t, s, nil, spans)
}

func (b *bench) loadWithAgent(ctx context.Context, t target, s *server, spans *spanCounts) (*requestRun, error) {
	a, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	time.Sleep(idleLeadIn)
	run, err := b.loadOnce(ctx, t, s, a, spans)
	return run, errors.Join(err, a.Stop())
}

// loadOnce runs the load once; a is nil when no agent runs.
func (b *bench) loadOnce(ctx context.Context, t target, s *server, a *agent.Agent, spans *spanCounts) (*requestRun, error) {
	run := &requestRun{}
	time.Sleep(settle) // children of the load before have ended, and count
	spans.count(s.port)
	agentBefore, err := agentUsage(a)
	if err != nil {
		return nil, err
	}
	before, err := s.cpu()
	if err != nil {
		return nil, err
	}
	own, err := cpuOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if run.requests, err = t.load(ctx, s, b.roundTime); err != nil {
		return nil, err
	}
	run.took = time.Since(begin)
	if a == nil {
		time.Sleep(settle)
		after, err := s.cpu()
		run.cpu = after - before
		return run, err
	}
	run.spans = spans.settle(2 * run.requests)
	after, err := s.cpu()
	if err != nil {
		return nil, err
	}
	agentAfter, err := agentUsage(a)
	if err != nil {
		return nil, err
	}
	run.cpu, run.agentCPU = after-before, agentAfter.cpu-agentBefore.cpu
	ownAfter, err := cpuOf(os.Getpid())
	run.backCPU = ownAfter - own
	return run, err
}

// kernelTime is what our programs take for a request, in µs. It has a run of its
// own, because taking the time costs more than some of the programs.
func (b *bench) kernelTime(ctx context.Context, t target, s *server) (float64, error) {
	a, err := b.start(ctx)
	if err != nil {
		return 0, err
	}
	took, err := b.kernelTimeOf(ctx, t, s, a.PID())
	return took, errors.Join(err, a.Stop())
}

func (b *bench) kernelTimeOf(ctx context.Context, t target, s *server, pid int) (float64, error) {
	off, err := takeProgramTimes()
	if err != nil {
		return 0, err
	}
	defer off()
	before, err := programTime(pid)
	if err != nil {
		return 0, err
	}
	n, err := t.load(ctx, s, b.roundTime)
	if err != nil {
		return 0, err
	}
	after, err := programTime(pid)
	return perUnit(after-before, n), err
}
