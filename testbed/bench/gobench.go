package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// microbenchmark is one Go benchmark that stands for a stage of the way.
type microbenchmark struct {
	pkg, name string // name is exact, sub-benchmarks included
	what      string
	aim       float64 // per second and core; zero when none is stated
	items     float64 // that one operation handles; zero means one
	within    bool    // it is a part of the next one
}

// microResult is a benchmark's median over its repetitions.
type microResult struct {
	microbenchmark
	perSecond float64
	bytes     int64 // per operation
	allocs    int64 // per operation
}

// micro runs the benchmarks on one core.
func (b *bench) micro(ctx context.Context, list []microbenchmark) ([]microResult, error) {
	out := make([]microResult, 0, len(list))
	for _, m := range list {
		b.progress("%s %s", m.pkg, m.name)
		pattern := "^" + strings.ReplaceAll(m.name, "/", "$/^") + "$"
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchmem", "-cpu", "1",
			"-count", strconv.Itoa(b.rounds), "./"+m.pkg)
		text, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w\n%s", m.pkg, m.name, err, text)
		}
		runs := parseBenchmark(text)
		if len(runs) == 0 {
			return nil, fmt.Errorf("%s has no benchmark %s:\n%s", m.pkg, m.name, text)
		}
		out = append(out, summarize(m, runs))
	}
	return out, nil
}

// benchRun is one line of a benchmark's output, by unit.
type benchRun map[string]float64

// parseBenchmark reads lines such as
//
//	BenchmarkDecode  5000000  231.0 ns/op  0 B/op  0 allocs/op
func parseBenchmark(text []byte) []benchRun {
	var runs []benchRun
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		run := benchRun{}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				break
			}
			run[fields[i+1]] = value
		}
		runs = append(runs, run)
	}
	return runs
}

// summarize takes medians.
func summarize(m microbenchmark, runs []benchRun) microResult {
	var ns, size, allocs []float64
	items := max(m.items, 1)
	for _, r := range runs {
		ns = append(ns, r["ns/op"]/items)
		size = append(size, r["B/op"]/items)
		allocs = append(allocs, r["allocs/op"]/items)
	}
	return microResult{m, 1e9 / median(ns), int64(median(size)), int64(median(allocs))}
}
