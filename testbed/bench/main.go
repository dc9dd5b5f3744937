// Command bench measures what the agent costs and how fast it is, with the real
// binary on the real kernel, and writes the result into testbed/README.md.
//
//	bench -agent bin/sightglass -load out/load [-readme testbed/README.md] [-only overhead,micro,latency,idle]
//	bench -connectors out/comparison [-readme testbed/README.md]
//	bench -policies out/policies.test [-readme testbed/README.md]
//	bench -flood -agent bin/sightglass -load out/load [-readme testbed/README.md]
//	bench -integrity -agent bin/sightglass -load out/load [-readme testbed/README.md]
//	bench -requests servers,tls,probes,rate,stages -agent bin/sightglass -load out/load [-readme testbed/README.md]
//
// The second compares connectors, the third measures policies, the fourth the
// agent while files are opened all the time, the fifth what following requests
// costs, and nothing else. The first and the last two need root; all need a
// machine that does little else.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

//go:embed config.yaml
var config []byte

// bench holds what the measurements share.
type bench struct {
	binary   string // the agent
	load     string // the load program
	loadFile string // what it opens
	back     *sink.Server
	delays   delays

	rounds      int           // repetitions with and without the agent
	callTime    time.Duration // per call and round
	latencyTime time.Duration
	idleTime    time.Duration
	roundTime   time.Duration // of a server's load
	rateTime    time.Duration // of the steady load
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == serveCommand {
		fmt.Fprintln(os.Stderr, "bench:", serveTLS(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	var (
		b       bench
		readme  = flag.String("readme", "", "file to write the tables into, between its markers")
		program = flag.String("connectors", "", "compare connectors by this program (connector/servicelatencyconnector/comparison)")
		rules   = flag.String("policies", "", "measure policies by this program (the compiled tests of internal/record)")
		request = flag.String("requests", "", "measure what following requests costs: servers,tls,probes,rate,stages or some of them")
		guard   = flag.Bool("integrity", false, "measure the agent while a critical file is written")
		flood   = flag.Bool("flood", false, "measure the agent while files are opened all the time")
		only    = flag.String("only", "overhead,micro,latency,idle", "what to measure")
	)
	flag.StringVar(&b.binary, "agent", "bin/sightglass", "the agent's binary")
	flag.StringVar(&b.load, "load", "out/load", "the load program (testbed/bench/load)")
	flag.IntVar(&b.rounds, "rounds", 7, "rounds of alternating runs, and repetitions of micro-benchmarks")
	flag.DurationVar(&b.callTime, "call-time", time.Second, "time for each call in each round")
	flag.DurationVar(&b.latencyTime, "latency-time", 30*time.Second, "how long to run commands and requests")
	flag.DurationVar(&b.idleTime, "idle-time", 30*time.Second, "how long to watch the idle agent")
	flag.DurationVar(&b.roundTime, "round-time", 3*time.Second, "time for each server's load in each round")
	flag.DurationVar(&b.rateTime, "rate-time", time.Minute, "how long to load at a steady rate")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	switch {
	case *program != "":
		err = b.connectors(ctx, *program, *readme)
	case *flood:
		err = b.flood(ctx, *readme)
	case *guard:
		err = b.integrity(ctx, *readme)
	case *rules != "":
		err = b.policies(ctx, *rules, *readme)
	case *request != "":
		err = b.requests(ctx, strings.Split(*request, ","), *readme)
	default:
		err = b.run(ctx, strings.Split(*only, ","), *readme)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var errUnknownPart = errors.New("unknown measurement")

// run measures the named parts in order, prints the report and writes it.
func (b *bench) run(ctx context.Context, parts []string, readme string) error {
	r := results{machine: machine(ctx)}
	var err error
	b.back, err = sink.Start(ctx, sink.Consumers{Logs: b.delays.logs, Traces: b.delays.traces})
	if err != nil {
		return err
	}
	defer b.back.Stop(context.WithoutCancel(ctx))
	file, err := os.CreateTemp("", "sightglass-bench")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	b.loadFile = file.Name()

	for _, part := range parts {
		switch part {
		case "overhead":
			r.overhead, err = b.overhead(ctx)
		case "micro":
			r.micro, err = b.micro(ctx, stages)
		case "latency":
			r.latency, err = b.latency(ctx)
		case "idle":
			r.footprint, err = b.idle(ctx)
		default:
			err = fmt.Errorf("%w %q", errUnknownPart, part)
		}
		if err != nil {
			return err
		}
	}
	fmt.Print("\n", r.markdown())
	if readme == "" {
		return nil
	}
	return writeReport(readme, agentMarks, r.markdown())
}

func writeReport(readme string, between marks, report string) error {
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	out, err := between.replaceBetween(string(text), report)
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	return os.WriteFile(readme, []byte(out), 0o644)
}

// start runs the agent, which sends to the benchmark.
func (b *bench) start(ctx context.Context, overlays ...string) (*agent.Agent, error) {
	return agent.Start(ctx, b.binary, config, b.back.Endpoint, overlays...)
}

// progress tells what is being measured.
func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}
