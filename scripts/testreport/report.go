package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	skips  map[testKey]skip

	passed, broken map[testKey]bool // as each test ended last
	unsteady       []testKey        // failed, and passed when they ran again
	packages       map[string]bool
	failures       int // of what is no test
}

func newReport(w io.Writer) *report {
	return &report{
		w:      w,
		output: map[testKey][]string{},
		failed: map[string][]string{},
		builds: map[string][]string{},
		skips:  map[testKey]skip{},
		passed: map[testKey]bool{}, broken: map[testKey]bool{}, packages: map[string]bool{},
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
	key := testKey{ev.Package, ev.Test}
	out := r.output[key]
	switch ev.Action {
	case "pass":
		r.passed[key] = true
		r.mend(key)
	case "fail":
		delete(r.passed, key)
		r.broken[key] = true
		r.failed[ev.Package] = append(r.failed[ev.Package], out...)
	case "skip":
		r.skips[key] = skip{short(ev.Package), ev.Test, reason(out)}
	}
}

// mend notes that a test has passed which may have failed before, with its parts.
func (r *report) mend(key testKey) {
	if r.broken[key] {
		r.unsteady = append(r.unsteady, key)
	}
	maps.DeleteFunc(r.broken, func(k testKey, _ bool) bool {
		return k == key || k.pkg == key.pkg && strings.HasPrefix(k.test, key.test+"/")
	})
}

func (r *report) endPackage(ev *event) {
	switch ev.Action {
	case "pass":
		r.packages[ev.Package] = true
		fmt.Fprintf(r.w, "ok    %-60s %6.1f s\n", short(ev.Package), ev.Elapsed)
	case "fail":
		r.packages[ev.Package] = true
		fmt.Fprintf(r.w, "FAIL  %-60s %6.1f s\n", short(ev.Package), ev.Elapsed)
		tests := r.failed[ev.Package]
		delete(r.failed, ev.Package)
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

// finish writes the reasons of the skipped tests, what passed only when it ran
// again, and the totals, and tells whether everything that ran passed in the end
// and something ran at all.
func (r *report) finish() bool {
	r.writeSkips()
	if len(r.unsteady) > 0 {
		fmt.Fprintln(r.w, "\nFailed, and passed when they ran again:")
	}
	for _, key := range r.unsteady {
		fmt.Fprintf(r.w, "  %s %s\n", short(key.pkg), key.test)
	}
	if len(r.passed) == 0 {
		fmt.Fprintln(r.w, "\nno test passed")
	}
	failures := r.failures + len(r.broken)
	fmt.Fprintf(r.w, "\n%d packages\n%d passed, %d failed, %d skipped\n", len(r.packages), len(r.passed), failures, len(r.skips))
	return failures == 0 && len(r.passed) > 0
}

func (r *report) writeSkips() {
	if len(r.skips) > 0 {
		fmt.Fprintln(r.w, "\nSkipped, and why:")
	}
	skips := slices.SortedFunc(maps.Values(r.skips), func(a, b skip) int {
		return cmp.Or(strings.Compare(a.reason, b.reason), strings.Compare(a.pkg, b.pkg), strings.Compare(a.test, b.test))
	})
	for i, s := range skips {
		if i == 0 || skips[i-1].reason != s.reason {
			fmt.Fprintf(r.w, "  %s\n", s.reason)
		}
		fmt.Fprintf(r.w, "      %s %s\n", s.pkg, s.test)
	}
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
