package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	probes "github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/testbed/internal/agent"
)

// probeResult is what probes in TLS libraries cost beside the requests that are
// wanted, and how soon they are there.
type probeResult struct {
	unwanted, unwantedWith float64 // µs of CPU time, medians
	known, fresh           beginning
	alone, many            usage // of the agent
	processes, binaries    int
}

// beginning is how a program that has just started comes to be followed.
type beginning struct {
	answered, decoded time.Duration // until its first request, medians
	missed            int           // requests that were answered and not decoded, of all rounds
	rounds            int
}

// probes measures what make bench-requests tells of probes.
func (b *bench) probes(ctx context.Context, spans *spanCounts) (*probeResult, error) {
	dir, err := os.MkdirTemp("", "sightglass-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := certify(dir); err != nil {
		return nil, err
	}
	r := &probeResult{processes: manyProcesses, binaries: manyBinaries}
	if r.unwanted, r.unwantedWith, err = b.unwanted(ctx, dir); err != nil && !errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("a probe that is not wanted: %w", err)
	}
	a, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	time.Sleep(quiet) // it has looked at what runs already
	err = errors.Join(b.beginnings(ctx, dir, r, spans), b.crowd(ctx, dir, r, a))
	return r, errors.Join(err, a.Stop())
}

// hitPrice is what an empty program costs at an instruction that the kernel
// emulates, in µs: by that machines can be compared.
func hitPrice() (float64, error) {
	prices, err := probes.MeasureProbes()
	return float64(prices.Emulated) / float64(time.Microsecond), err
}

// unwantedCalls writes to a session that has no socket and prints what a write
// takes, in ns of CPU time.
//
//go:embed unwanted.py
var unwantedCalls string

// unwanted measures a hit of a probe that leads to nothing.
func (b *bench) unwanted(ctx context.Context, dir string) (without, with float64, err error) {
	var off, on []float64
	for round := range b.rounds {
		bare, err := callsAlone(ctx, dir)
		if err != nil {
			return 0, 0, err
		}
		a, err := b.start(ctx)
		if err != nil {
			return 0, 0, err
		}
		time.Sleep(settle)
		probed, err := callsAlone(ctx, dir)
		if err := errors.Join(err, a.Stop()); err != nil {
			return 0, 0, err
		}
		off, on = append(off, bare), append(on, probed)
		b.progress("a write without a socket: round %d of %d: %.2f us, with probes %.2f us", round+1, b.rounds, bare, probed)
	}
	return median(off), median(on), nil
}

func callsAlone(ctx context.Context, dir string) (float64, error) {
	out, err := output(ctx, "python3", "-c", unwantedCalls, dir)
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	return ns / 1000, err
}

// beginnings starts servers, of a file that is known and of others that are not.
func (b *bench) beginnings(ctx context.Context, dir string, r *probeResult, spans *spanCounts) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if r.known, err = b.beginning(ctx, dir, spans, func(int) (string, error) { return self, nil }); err != nil {
		return err
	}
	r.fresh, err = b.beginning(ctx, dir, spans, func(round int) (string, error) {
		path := filepath.Join(dir, "server-"+strconv.Itoa(round))
		return path, copyProgram(self, path)
	})
	return err
}

func (b *bench) beginning(ctx context.Context, dir string, spans *spanCounts, program func(round int) (string, error)) (all beginning, err error) {
	var answered, decoded []float64
	for round := range b.rounds {
		path, err := program(round)
		if err != nil {
			return all, err
		}
		one, err := b.begins(ctx, dir, path, spans)
		if err != nil {
			return all, err
		}
		b.progress("%s: answered after %v, decoded after %v, %d missed", filepath.Base(path), one.answered, one.decoded, one.missed)
		answered, decoded = append(answered, float64(one.answered)), append(decoded, float64(one.decoded))
		all.missed += one.missed
		all.rounds++
	}
	all.answered, all.decoded = time.Duration(median(answered)), time.Duration(median(decoded))
	return all, nil
}

// askedFor is how long a program that has just started is asked, and askedEvery
// how often.
const (
	askedFor   = time.Second
	askedEvery = 2 * time.Millisecond
)

// begins starts a server and asks it, over a connection each time, as soon as it
// answers.
func (b *bench) begins(ctx context.Context, dir, path string, spans *spanCounts) (one beginning, err error) {
	s, err := newServer(dir)
	if err != nil {
		return one, err
	}
	spans.count(s.port)
	start := time.Now()
	if err := s.run(path, serveCommand, dir, s.addr()); err != nil {
		return one, err
	}
	defer s.stop()
	asked := 0
	for end := start.Add(serverPatience); time.Now().Before(end); time.Sleep(askedEvery) {
		if askOnce(ctx, s) != nil {
			continue
		}
		if asked++; asked == 1 {
			one.answered = time.Since(start)
			end = time.Now().Add(askedFor)
		}
	}
	spans.settle(2 * asked)
	servers, _ := spans.both()
	first := spans.first()
	if first.IsZero() {
		return one, errNothingDecoded
	}
	one.decoded, one.missed = first.Sub(start), asked-servers
	return one, nil
}

var errNothingDecoded = errors.New("no request was decoded")

// Processes that use TLS, and files that they run.
const (
	manyProcesses = 200
	manyBinaries  = 20
)

// crowd starts many processes and sees what the agent needs for them.
func (b *bench) crowd(ctx context.Context, dir string, r *probeResult, a *agent.Agent) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	time.Sleep(quiet)
	if r.alone, err = agentUsage(a); err != nil {
		return err
	}
	for n := range manyProcesses {
		path := filepath.Join(dir, "many-"+strconv.Itoa(n%manyBinaries))
		if n < manyBinaries {
			if err := copyProgram(self, path); err != nil {
				return err
			}
		}
		s, err := startTLS(dir, path)
		if err != nil {
			return err
		}
		defer s.stop()
		if err := askOnce(ctx, s); err != nil {
			return err
		}
	}
	b.progress("%d processes run", manyProcesses)
	time.Sleep(crowdPatience)
	r.many, err = agentUsage(a)
	return err
}

// crowdPatience is by when the agent has looked at all of them.
const crowdPatience = 15 * time.Second

// copyProgram makes a file that nobody has seen.
func copyProgram(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o700) //nolint:gosec // it is run
}

// markdown is a table.
func (r *probeResult) markdown(b *strings.Builder) {
	if r == nil {
		return
	}
	b.WriteString("\n| probes in TLS libraries | |\n|---|---|\n")
	if r.unwanted > 0 {
		fmt.Fprintf(b, "| CPU time of SSL_write on a session without a socket, without / with / added | %.2f µs / %.2f µs / **%+.2f µs** |\n",
			r.unwanted, r.unwantedWith, r.unwantedWith-r.unwanted)
	}
	for _, row := range []struct {
		what string
		of   *beginning
	}{{"a program that is known", &r.known}, {"a program that was never seen", &r.fresh}} {
		fmt.Fprintf(b, "| from the start of %s to its first request answered / decoded | %d ms / **%d ms** |\n", row.what,
			row.of.answered.Milliseconds(), row.of.decoded.Milliseconds())
		fmt.Fprintf(b, "| requests answered before, and not decoded, in %d starts | %d |\n", row.of.rounds, row.of.missed)
	}
	fmt.Fprintf(b, "| agent's RSS (of its own), alone | %s (%s) |\n", megabytes(r.alone.rss), megabytes(r.alone.rssAnon))
	fmt.Fprintf(b, "| the same, with %d processes of %d binaries that use TLS | **%s** (%s) |\n", r.processes, r.binaries, megabytes(r.many.rss), megabytes(r.many.rssAnon))
}
