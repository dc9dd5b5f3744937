package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// guarded are the ways to run the agent while a program writes a critical file;
// without an agent first.
var guarded = []struct{ what, receiver string }{
	{what: "without the agent"},
	{"the embedded policies, without watching what becomes of files", "ebpf: {activity: {integrity: false}}"},
	{"the embedded policies", "ebpf: {}"},
}

// integrityRun is what the rounds came to, in the order of guarded.
type integrityRun struct{ perCall, agent, rate [][]float64 }

// integrity measures what it costs to watch a file that is written all the time,
// prints the report and writes it.
func (b *bench) integrity(ctx context.Context, readme string) error {
	where := machine(ctx)
	var err error
	if b.back, err = sink.Start(ctx, sink.Consumers{}); err != nil {
		return err
	}
	defer b.back.Stop(context.WithoutCancel(ctx))
	home, err := os.MkdirTemp("/home", "sightglass-bench") // what is below .ssh there is critical
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	b.loadFile = filepath.Join(home, ".ssh", "config")
	if err := os.Mkdir(filepath.Dir(b.loadFile), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(b.loadFile, []byte("#"), 0o600); err != nil {
		return err
	}
	n := len(guarded)
	run := integrityRun{make([][]float64, n), make([][]float64, n), make([][]float64, n)}
	for round := range b.rounds {
		for i := range guarded {
			if err := b.writeFile(ctx, &run, i); err != nil {
				return err
			}
		}
		b.progress("integrity: round %d of %d", round+1, b.rounds)
	}
	report := where + ".\n\n" + run.markdown()
	fmt.Print("\n", report)
	if readme == "" {
		return nil
	}
	return writeReport(readme, integrityMarks, report)
}

// writeFile measures one way.
func (b *bench) writeFile(ctx context.Context, run *integrityRun, i int) error {
	var a *agent.Agent
	if guarded[i].receiver != "" {
		var err error
		text := bytes.Replace(config, []byte("ebpf: {}"), []byte(guarded[i].receiver), 1)
		if a, err = agent.Start(ctx, b.binary, text, b.back.Endpoint); err != nil {
			return err
		}
		defer a.Kill()
		time.Sleep(idleLeadIn)
	}
	got, err := b.measureCall(ctx, a, "write", "-burst", "20", "-pause", "20ms")
	if err != nil {
		return err
	}
	run.perCall[i] = append(run.perCall[i], got.perCall)
	run.agent[i] = append(run.agent[i], got.agentPerCall)
	run.rate[i] = append(run.rate[i], got.rate)
	return nil
}

// markdown is the report.
func (r *integrityRun) markdown() string {
	var b strings.Builder
	base := median(r.perCall[0])
	fmt.Fprintf(&b, "openat, write and close take %.1f µs without the agent.\n\n", base/1e3)
	b.WriteString("| a critical file is written | per second | added to a write | the agent's CPU per write |\n|---|---|---|---|\n")
	for i := 1; i < len(guarded); i++ {
		fmt.Fprintf(&b, "| %s | %s | **%.1f µs** | **%.1f µs** |\n",
			guarded[i].what, thousands(median(r.rate[i])), (median(r.perCall[i])-base)/1e3, median(r.agent[i])/1e3)
	}
	return b.String()
}
