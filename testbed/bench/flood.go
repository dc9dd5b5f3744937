package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// flooded is one way to run the agent while a program opens files as fast as
// it can.
type flooded struct {
	what    string
	stock   bool // Falco's stable rules instead of the embedded policies
	capture bool // keeps every opened file: nothing can be left out
	inAgent bool // filters behind the ring buffer only
}

var floods = []flooded{
	{what: "Falco's stable rules", stock: true},
	{what: "the same, filtered behind the ring buffer", stock: true, inAgent: true},
	{what: "the embedded policies"},
	{what: "the same, filtered behind the ring buffer", inAgent: true},
	{what: "the same, each opened file kept and exported", capture: true},
}

// floodCost is what a flood costs, of each round.
type floodCost struct {
	added []float64 // ns of CPU time per openat + close beyond that with empty programs
	agent []float64 // cores that the agent takes
	alone []float64 // cores that it takes just before, without the flood
	rate  []float64 // openat + close per second
	lost  uint64    // records
}

// floodRun is what the rounds came to; the costs are in the order of floods.
type floodRun struct {
	base, floor []float64
	costs       []floodCost
}

// flood measures every way in turns, prints the report and writes it.
func (b *bench) flood(ctx context.Context, readme string) error {
	where := machine(ctx)
	var lost lossCounter
	var err error
	b.back, err = sink.Start(ctx, sink.Consumers{Metrics: lost.read})
	if err != nil {
		return err
	}
	defer b.back.Stop(context.WithoutCancel(ctx))
	dir, err := os.MkdirTemp("", "sightglass-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.loadFile = filepath.Join(dir, "file")
	if err := os.WriteFile(b.loadFile, nil, 0o600); err != nil {
		return err
	}
	run := floodRun{costs: make([]floodCost, len(floods))}
	for round := range b.rounds {
		if err := b.floodRound(ctx, &run, &lost); err != nil {
			return err
		}
		b.progress("flood: round %d of %d", round+1, b.rounds)
	}
	report := where + ".\n\n" + run.markdown()
	fmt.Print("\n", report)
	if readme == "" {
		return nil
	}
	return writeReport(readme, floodMarks, report)
}

// floodRound measures without an agent, with empty programs, and in every way.
func (b *bench) floodRound(ctx context.Context, run *floodRun, lost *lossCounter) error {
	base, err := b.openFiles(ctx, nil)
	if err != nil {
		return err
	}
	detach, err := emptyPrograms()
	if err != nil {
		return err
	}
	floor, err := b.openFiles(ctx, nil)
	detach()
	if err != nil {
		return err
	}
	run.base, run.floor = append(run.base, base.perCall), append(run.floor, floor.perCall)
	for i := range floods {
		text, ok := floods[i].config()
		if !ok {
			continue
		}
		lost.total.Store(0)
		a, err := agent.Start(ctx, b.binary, text, b.back.Endpoint)
		if err != nil {
			return err
		}
		time.Sleep(idleLeadIn)
		alone, errAlone := b.agentAlone(a)
		got, err := b.openFiles(ctx, a)
		time.Sleep(2 * floodReport) // the counters of losses come
		if err := errors.Join(errAlone, err, a.Stop()); err != nil {
			return err
		}
		c := &run.costs[i]
		c.added = append(c.added, got.perCall-floor.perCall)
		c.agent = append(c.agent, got.agentPerCall*got.rate/1e9)
		c.alone = append(c.alone, alone)
		c.rate = append(c.rate, got.rate)
		c.lost += lost.total.Load()
	}
	return nil
}

// openFiles measures the flood.
func (b *bench) openFiles(ctx context.Context, a *agent.Agent) (sample, error) {
	return b.measureCall(ctx, a, "open", "-burst", "1000", "-pause", "5ms")
}

// agentAlone is how many cores the agent takes for all else that goes on on this
// machine. Where the kernel leaves every open out, that is nearly all that it takes in
// a flood, too. The two are told beside each other: their difference would be noise.
func (b *bench) agentAlone(a *agent.Agent) (float64, error) {
	before, err := cpuOf(a.PID())
	if err != nil {
		return 0, err
	}
	time.Sleep(b.callTime + settle)
	after, err := cpuOf(a.PID())
	return (after - before).Seconds() / b.callTime.Seconds(), err
}

// floodReport is how often the agent tells its counters.
const floodReport = time.Second

// config is the agent's configuration; ok is false when Falco's rules are not
// there.
func (f *flooded) config() (text []byte, ok bool) {
	receiver := "ebpf: {metrics_interval: " + floodReport.String()
	if f.inAgent {
		receiver += ", activity: {kernel_filter: false}"
	}
	policies := "security_policy: {}"
	if f.stock {
		dir := os.Getenv(stockRulesEnv)
		if dir == "" {
			return nil, false
		}
		policies = "security_policy: {rules_files: [" + filepath.Join(dir, "falco_rules.yaml") + "]}"
	}
	if f.capture {
		policies = "security_policy: {keep: [" + schema.EventFileOpen + "]}"
	}
	text = bytes.Replace(config, []byte("ebpf: {}"), []byte(receiver+"}"), 1)
	return bytes.Replace(text, []byte("security_policy: {}"), []byte(policies), 1), true
}

// lossCounter holds how many records of activity the agent has lost so far.
type lossCounter struct{ total atomic.Uint64 }

func (l *lossCounter) read(data pmetric.Metrics, _ time.Time) {
	for _, rm := range data.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != schema.MetricEventsLost || m.Type() != pmetric.MetricTypeSum {
					continue
				}
				var sum uint64
				for _, p := range m.Sum().DataPoints().All() {
					sum += uint64(p.IntValue())
				}
				l.total.Store(max(l.total.Load(), sum))
			}
		}
	}
}

// markdown is the report.
func (r *floodRun) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "openat + close take %.0f ns without anybody, %.0f ns with two empty programs.\n\n", median(r.base), median(r.floor))
	b.WriteString("| rules | per second | added to openat + close | the agent's CPU | without the flood | lost |\n|---|---|---|---|---|---|\n")
	for i, c := range r.costs {
		if len(c.added) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | **%.0f ns** | **%.1f %%** of a core | %.1f %% | %d |\n",
			floods[i].what, thousands(median(c.rate)), median(c.added), median(c.agent)*100, median(c.alone)*100, c.lost)
	}
	return b.String()
}
