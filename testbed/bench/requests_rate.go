package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/sightglass/sightglass/testbed/internal/agent"
)

// rateResult is a steady load that the agent has to bear without a loss.
type rateResult struct {
	requests         int
	took             time.Duration
	servers, clients int // spans of either end
	agentPerSpan     float64
	rss              int64 // the most, bytes
	wakeups          int   // times that a thread of the agent slept, in took
	balance          *balance
}

// balance is what became of the spans and records, by the agent's own counters
// and by what arrived.
type balance struct {
	made, refused        int // by the receiver; of these, by the next consumer
	sent, failed, queued int // by the exporter; queued: refused by its queue
	arrived              int
	lost                 []lossCount // records and connections, by the receiver's reason
}

// steadyRate is the load, in requests per second.
const steadyRate = 20_000

// rate loads nginx at a steady rate and counts what arrives at the back end.
func (b *bench) rate(ctx context.Context, spans *spanCounts, told *health) (*rateResult, error) {
	dir, err := os.MkdirTemp("", "sightglass-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	s, err := startNginx(ctx, dir)
	if errors.Is(err, exec.ErrNotFound) {
		return nil, nil //nolint:nilnil // not installed: there is no such result
	}
	if err != nil {
		return nil, err
	}
	defer s.stop()
	spans.count(s.port)
	told.begin()
	a, err := b.start(ctx, tellHealth)
	if err != nil {
		return nil, err
	}
	time.Sleep(idleLeadIn)
	r, err := b.rateWith(ctx, s, a, spans)
	if err = errors.Join(err, a.Stop()); err != nil {
		return nil, err
	}
	r.balance = balanceOf(told, spans)
	return r, nil
}

// balanceOf reads the counters when the agent has ended, upon which it told them
// for the last time.
func balanceOf(told *health, spans *spanCounts) *balance {
	refused := told.of(receiverRefused)
	return &balance{
		made: told.of(receiverAccepted) + refused, refused: refused,
		sent: told.of(exporterSent), failed: told.of(exporterFailed), queued: told.of(exporterRefused),
		arrived: spans.total(), lost: told.losses(),
	}
}

func (b *bench) rateWith(ctx context.Context, s *server, a *agent.Agent, spans *spanCounts) (*rateResult, error) {
	b.progress("%d requests/s for %s", steadyRate, b.rateTime)
	sleeps, err := wakeupsOf(a.PID())
	if err != nil {
		return nil, err
	}
	before, err := usageOf(a.PID())
	if err != nil {
		return nil, err
	}
	r := &rateResult{}
	stop := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.rss = mostRSS(a.PID(), stop)
	}()
	r.requests, r.took, err = b.steady(ctx, s)
	close(stop)
	<-watched
	if err != nil {
		return nil, err
	}
	slept, err := wakeupsOf(a.PID())
	if err != nil {
		return nil, err
	}
	r.wakeups = slept - sleeps
	n := spans.settle(2 * r.requests)
	r.servers, r.clients = spans.both()
	after, err := usageOf(a.PID())
	r.agentPerSpan = perUnit(after.cpu-before.cpu, n)
	return r, err
}

// steady runs the load program.
func (b *bench) steady(ctx context.Context, s *server) (requests int, took time.Duration, err error) {
	text, err := exec.CommandContext(ctx, b.load, "-call", "http", "-addr", s.addr(), "-path", "/hello",
		"-rate", strconv.Itoa(steadyRate), "-connections", strconv.Itoa(loadConnections), "-for", b.rateTime.String()).Output()
	if err != nil {
		return 0, 0, fmt.Errorf("load -call http: %w", err)
	}
	var got struct {
		Calls   int
		Seconds float64
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return 0, 0, err
	}
	return got.Calls, time.Duration(got.Seconds * float64(time.Second)), nil
}

// mostRSS looks at a process until stop is closed.
func mostRSS(pid int, stop <-chan struct{}) (most int64) {
	look := time.NewTicker(settle)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if u, err := usageOf(pid); err == nil {
				most = max(most, u.rss)
			}
		case <-stop:
			return most
		}
	}
}
