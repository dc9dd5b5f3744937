package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// modulePath is left out of package names.
const modulePath = "github.com/sightglass/sightglass/"

// event is one line of "go test -json" (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output and build-fail
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

// testKey names a test; an empty test is the package itself.
type testKey struct{ pkg, test string }

// skip is one skipped test and the reason it gave.
type skip struct{ pkg, test, reason string }

// report follows the events of all packages, which come interleaved.
type report struct {
	w      io.Writer
	output map[testKey][]string // of tests and packages that have not ended
	failed map[string][]string  // package -> output of its failed tests
	builds map[string][]string  // import path -> compiler output
	skips  []skip

	passed, failures, packages int
}

func newReport(w io.Writer) *report {
	return &report{
		w:      w,
		output: map[testKey][]string{},
		failed: map[string][]string{},
		builds: map[string][]string{},
	}
}

// read consumes events until the end of in. Lines that are not JSON (a panic of
// the go command, a linker warning) are passed on as they are.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var ev event
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			fmt.Fprintln(r.w, lines.Text())
			continue
		}
		r.handle(&ev)
	}
	return lines.Err()
}

func (r *report) handle(ev *event) {
	key := testKey{ev.Package, ev.Test}
	switch ev.Action {
	case "output":
		r.output[key] = append(r.output[key], ev.Output)
		return
	case "build-output":
		r.builds[ev.ImportPath] = append(r.builds[ev.ImportPath], ev.Output)
		return
	case "build-fail":
		r.failures++
		fmt.Fprintf(r.w, "FAIL  %s does not build\n%s", short(ev.ImportPath), strings.Join(r.builds[ev.ImportPath], ""))
		return
	case "pass", "fail", "skip":
	default: // start, run, pause, cont, bench
		return
	}
	if ev.Test == "" {
		r.endPackage(ev)
	} else {
		r.endTest(ev)
	}
	delete(r.output, key)
}

func (r *report) endTest(ev *event) {
	out := r.output[testKey{ev.Package, ev.Test}]
	switch ev.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failures++
		r.failed[ev.Package] = append(r.failed[ev.Package], out...)
	case "skip":
		r.skips = append(r.skips, skip{short(ev.Package), ev.Test, reason(out)})
	}
}

func (r *report) endPackage(ev *event) {
	switch ev.Action {
	case "pass":
		r.packages++
		fmt.Fprintf(r.w, "ok    %-60s %6.1f s\n", short(ev.Package), ev.Elapsed)
	case "fail":
		r.packages++
		fmt.Fprintf(r.w, "FAIL  %-60s %6.1f s\n", short(ev.Package), ev.Elapsed)
		tests := r.failed[ev.Package]
		if len(tests) == 0 { // a crash outside of tests, or a build that failed
			r.failures++
		}
		fmt.Fprint(r.w, indent(tests), indent(r.unfinished(ev.Package)))
	}
}

// unfinished is what the package wrote outside of ended tests: a panic, the
// test that was running when it happened, a fatal error of TestMain.
func (r *report) unfinished(pkg string) []string {
	var keys []testKey
	for key := range r.output {
		if key.pkg == pkg {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b testKey) int { return strings.Compare(a.test, b.test) })
	var out []string
	for _, key := range keys {
		out = append(out, r.output[key]...)
	}
	return out
}

// finish writes the reasons of the skipped tests and the totals, and tells
// whether everything that ran passed and something ran at all.
func (r *report) finish() bool {
	if len(r.skips) > 0 {
		fmt.Fprintln(r.w, "\nSkipped, and why:")
	}
	slices.SortStableFunc(r.skips, func(a, b skip) int { return strings.Compare(a.reason, b.reason) })
	for i, s := range r.skips {
		if i == 0 || r.skips[i-1].reason != s.reason {
			fmt.Fprintf(r.w, "  %s\n", s.reason)
		}
		fmt.Fprintf(r.w, "      %s %s\n", s.pkg, s.test)
	}
	if r.passed == 0 {
		fmt.Fprintln(r.w, "\nno test passed")
	}
	fmt.Fprintf(r.w, "\n%d packages\n%d passed, %d failed, %d skipped\n", r.packages, r.passed, r.failures, len(r.skips))
	return r.failures == 0 && r.passed > 0
}

// position is what t.Skip puts before the reason.
var position = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// reason is the text given to t.Skip: the last thing the test wrote.
func reason(out []string) string {
	for _, line := range slices.Backward(out) {
		text := strings.TrimSpace(position.ReplaceAllString(line, ""))
		if text != "" && !strings.HasPrefix(text, "--- ") && !strings.HasPrefix(text, "=== ") {
			return text
		}
	}
	return "no reason given"
}

func short(pkg string) string {
	pkg, _, _ = strings.Cut(pkg, " [") // "pkg [pkg.test]" of build events
	return strings.TrimPrefix(pkg, modulePath)
}

// indent keeps the framing lines of the testing package out and moves the rest
// to the right.
func indent(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if strings.HasPrefix(line, "=== ") {
			continue
		}
		b.WriteString("      ")
		b.WriteString(strings.TrimRight(line, "\n"))
		b.WriteByte('\n')
	}
	return b.String()
}
