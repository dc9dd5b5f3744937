// Command testreport reads the output of "go test -json" and writes what a
// person wants to know: a line per package as it ends, the output of what
// failed, and at the end what was skipped and why, then the totals.
//
//	go test -json ./... | testreport
//
// It exits with 1 when a test or a build failed, or when nothing ran.
package main

import (
	"fmt"
	"os"
)

func main() {
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	if !r.finish() {
		os.Exit(1)
	}
}
