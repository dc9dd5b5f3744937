// Command testreport reads the output of "go test -json" and writes what a
// person wants to know: a line per package as it ends, the output of what
// failed, and at the end what was skipped and why, what passed only when it ran
// again, then the totals.
//
//	go test -json ./... | testreport
//	testreport -again <FILE # which tests failed, a line for each package
//
// It exits with 1 when a test or a build failed, or when nothing ran.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	names := flag.Bool("again", false, "only write which tests failed: a package and a pattern for 'go test -run' per line")
	flag.Parse()
	passed, err := true, error(nil)
	if *names {
		err = again(os.Stdin, os.Stdout)
	} else {
		r := newReport(os.Stdout)
		err = r.read(os.Stdin)
		passed = r.finish()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	if !passed {
		os.Exit(1)
	}
}
