//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// report is how one kernel did.
type report struct {
	kernel string
	output []byte
	exit   int
	took   time.Duration
	tries  int
	log    string

	pass, fail int
	skipped    []string
}

// parse counts the top-level tests in the output of go test -v.
func (r *report) parse() {
	for line := range strings.Lines(string(r.output)) {
		f := strings.Fields(line)
		if !strings.HasPrefix(line, "--- ") || len(f) < 3 {
			continue
		}
		switch f[1] {
		case "PASS:":
			r.pass++
		case "FAIL:":
			r.fail++
		case "SKIP:":
			r.skipped = append(r.skipped, f[2])
		}
	}
}

// passed asks for a report, for success and for at least one test: a pattern
// that matches nothing proves nothing.
func (r *report) passed() bool { return r.exit == 0 && r.fail == 0 && r.pass > 0 }

// line is the result as one line.
func (r *report) line() string {
	word, note := "ok", ""
	if !r.passed() {
		word = "FAIL"
	}
	switch {
	case r.exit == noReport:
		note = "  (the guest did not report)"
	case r.tries > 1:
		note = "  (second try: the first guest did not report)"
	}
	return fmt.Sprintf("%-12s %-4s %3d pass %2d fail %2d skip %4.0f s%s",
		r.kernel, word, r.pass, r.fail, len(r.skipped), r.took.Seconds(), note)
}

// failures is the part of the output that tells what went wrong: that of the
// tests that failed, or its end when none says so.
func (r *report) failures() string {
	var b strings.Builder
	var block []string
	for line := range strings.Lines(string(r.output)) {
		if f := strings.Fields(line); strings.HasPrefix(line, "=== RUN") && len(f) == 3 && !strings.Contains(f[2], "/") {
			block = nil
		}
		block = append(block, strings.TrimRight(line, "\r\n"))
		if strings.HasPrefix(line, "--- FAIL") {
			indent(&b, said(block), 80)
		}
	}
	if b.Len() == 0 {
		indent(&b, strings.Split(strings.TrimRight(string(r.output), "\n"), "\n"), 40)
	}
	fmt.Fprintf(&b, "    all of it: %s\n", r.log)
	return b.String()
}

// said leaves out the lines that only announce tests.
func said(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "=== ") })
}

// indent writes the last lines.
func indent(b *strings.Builder, lines []string, limit int) {
	for _, l := range lines[max(0, len(lines)-limit):] {
		b.WriteString("    " + l + "\n")
	}
}

// skippedEverywhere are the tests that no kernel has run: nobody knows whether
// they pass.
func skippedEverywhere(reports []*report) []string {
	if len(reports) == 0 {
		return nil
	}
	var out []string
	for _, name := range reports[0].skipped {
		everywhere := true
		for _, r := range reports[1:] {
			everywhere = everywhere && slices.Contains(r.skipped, name)
		}
		if everywhere {
			out = append(out, name)
		}
	}
	return out
}
