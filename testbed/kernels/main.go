//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	run      string        // tests to run, as go test has it
	limit    time.Duration // for one guest
	cache    string
	logs     string
	packages []string
	kernels  []string
	verbose  bool
}

func main() {
	if os.Getpid() == 1 {
		guest()
		return
	}
	o := parseOptions()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := matrix(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func parseOptions() *options {
	o := &options{}
	packages := "./internal/bpf"
	flag.StringVar(&o.run, "run", "", "run only tests that match this pattern")
	flag.DurationVar(&o.limit, "timeout", 15*time.Minute, "time limit of one guest")
	flag.StringVar(&o.cache, "cache", ".cache/kernels", "where kernels are kept")
	flag.StringVar(&o.logs, "logs", "out/kernels", "where the output of each guest goes")
	flag.StringVar(&packages, "packages", packages, "packages to test, separated by commas")
	flag.BoolVar(&o.verbose, "v", false, "show the guests' output")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: matrix.sh [flags] [kernel...]\nkernels: %s (default: %s)\n",
			strings.Join(names(all), " "), strings.Join(names(defaults()), " "))
		flag.PrintDefaults()
	}
	flag.Parse()
	o.packages = strings.Split(packages, ",")
	o.kernels = flag.Args()
	return o
}

// matrix tests on every kernel; it reports whether all passed.
func matrix(ctx context.Context, o *options) (bool, error) {
	kernels, err := choose(o.kernels)
	if err != nil {
		return false, err
	}
	if o.cache, err = filepath.Abs(o.cache); err != nil {
		return false, err
	}
	if err := os.MkdirAll(o.logs, 0o755); err != nil {
		return false, err
	}
	ok := true
	var reports []*report
	for _, k := range kernels {
		r, err := testOn(ctx, o, k)
		if ctx.Err() != nil {
			return false, errors.New("interrupted")
		}
		if err != nil {
			fmt.Printf("%-12s FAIL %v\n", k.name, err)
			ok = false
			continue
		}
		fmt.Println(r.line())
		if !r.passed() {
			ok = false
			fmt.Print(r.failures())
		}
		reports = append(reports, r)
	}
	if s := skippedEverywhere(reports); len(s) > 0 && len(reports) > 1 {
		fmt.Printf("skipped on every kernel: %s\n", strings.Join(s, " "))
	}
	return ok, nil
}

// testOn fetches one kernel, builds for it and runs the guest, once more when
// it did not report: emulated machines with two CPUs hang now and then.
func testOn(ctx context.Context, o *options, k *kernel) (*report, error) {
	if err := need(k.qemu()); err != nil {
		return nil, err
	}
	image, err := k.fetch(ctx, o.cache)
	if err != nil {
		return nil, err
	}
	initrd, err := pack(ctx, o, k, image)
	if err != nil {
		return nil, err
	}
	defer os.Remove(initrd)
	begin := time.Now()
	r := &report{kernel: k.name}
	for try := 1; try <= 2; try++ {
		r.tries = try
		r.output, r.exit, err = boot(ctx, o, k, image, initrd)
		if err != nil || r.exit != noReport {
			break
		}
	}
	r.took = time.Since(begin)
	r.parse()
	log := filepath.Join(o.logs, k.name+".log")
	if writeErr := os.WriteFile(log, r.output, 0o644); err == nil {
		err = writeErr
	}
	r.log = log
	return r, err
}
