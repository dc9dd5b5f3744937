package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// run sends the events (one JSON object per line) through a report, and returns what it wrote.
func run(t *testing.T, events ...string) (out string, ok bool) {
	t.Helper()
	var b strings.Builder
	r := newReport(&b)
	require.NoError(t, r.read(strings.NewReader(strings.Join(events, "\n"))))
	ok = r.finish()
	return b.String(), ok
}

func TestPass(t *testing.T) {
	out, ok := run(t,
		`{"Action":"run","Package":"github.com/sightglass/sightglass/internal/event","Test":"TestA"}`,
		`{"Action":"output","Package":"github.com/sightglass/sightglass/internal/event","Test":"TestA","Output":"noise\n"}`,
		`{"Action":"pass","Package":"github.com/sightglass/sightglass/internal/event","Test":"TestA","Elapsed":0.1}`,
		`{"Action":"output","Package":"github.com/sightglass/sightglass/internal/event","Output":"ok  \tx\t0.1s\n"}`,
		`{"Action":"pass","Package":"github.com/sightglass/sightglass/internal/event","Elapsed":1.25}`,
		`{"Action":"skip","Package":"github.com/sightglass/sightglass/nothing"}`,
	)
	require.True(t, ok)
	require.Contains(t, out, "ok    internal/event ")
	require.NotContains(t, out, "noise")
	require.NotContains(t, out, "nothing", "packages without tests are not worth a line")
	require.True(t, strings.HasSuffix(out, "\n1 packages\n1 passed, 0 failed, 0 skipped\n"), out)
}

func TestFailureShowsOnlyItsOutput(t *testing.T) {
	out, ok := run(t,
		`{"Action":"output","Package":"p","Test":"TestGood","Output":"good\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestGood"}`,
		`{"Action":"output","Package":"p","Test":"TestBad","Output":"=== RUN   TestBad\n"}`,
		`{"Action":"output","Package":"p","Test":"TestBad","Output":"    a_test.go:3: want 1\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestBad"}`,
		`{"Action":"fail","Package":"p","Elapsed":0.5}`,
	)
	require.False(t, ok)
	require.Contains(t, out, "FAIL  p ")
	require.Contains(t, out, "          a_test.go:3: want 1\n")
	require.NotContains(t, out, "good")
	require.NotContains(t, out, "=== RUN")
	require.Contains(t, out, "\n1 passed, 1 failed, 0 skipped\n")
}

func TestCrashCountsAndShowsTheRunningTest(t *testing.T) {
	out, ok := run(t,
		`{"Action":"output","Package":"p","Test":"TestLoop","Output":"panic: boom\n"}`,
		`{"Action":"output","Package":"p","Output":"exit status 2\n"}`,
		`{"Action":"fail","Package":"p"}`,
	)
	require.False(t, ok)
	require.Contains(t, out, "panic: boom")
	require.Contains(t, out, "exit status 2")
	require.Contains(t, out, "0 passed, 1 failed")
}

func TestBuildFailure(t *testing.T) {
	out, ok := run(t,
		`{"Action":"build-output","ImportPath":"github.com/sightglass/sightglass/x [x.test]","Output":"x.go:1: undefined: y\n"}`,
		`{"Action":"build-fail","ImportPath":"github.com/sightglass/sightglass/x [x.test]"}`,
		`{"Action":"pass","Package":"p","Test":"TestA"}`,
	)
	require.False(t, ok)
	require.Contains(t, out, "FAIL  x does not build\nx.go:1: undefined: y\n")
}

func TestSkipsAreGroupedByReason(t *testing.T) {
	out, ok := run(t,
		`{"Action":"pass","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: needs containerd\n"}`,
		`{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}`,
		`{"Action":"skip","Package":"p","Test":"TestB"}`,
		`{"Action":"skip","Package":"p","Test":"TestSilent"}`,
		`{"Action":"output","Package":"q","Test":"TestC","Output":"    c_test.go:9: needs containerd\n"}`,
		`{"Action":"skip","Package":"q","Test":"TestC"}`,
	)
	require.True(t, ok)
	require.Contains(t, out, "  needs containerd\n      p TestB\n      q TestC\n")
	require.Contains(t, out, "  no reason given\n      p TestSilent\n")
	require.Contains(t, out, "\n1 passed, 0 failed, 3 skipped\n")
}

func TestForeignLinesPass(t *testing.T) {
	out, ok := run(t, "go: cannot find main module")
	require.False(t, ok, "nothing ran")
	require.Contains(t, out, "go: cannot find main module\n")
	require.Contains(t, out, "no test passed")
}

func TestWhatPassesWhenItRunsAgain(t *testing.T) {
	first := []string{
		`{"Action":"pass","Package":"p","Test":"TestA"}`,
		`{"Action":"output","Package":"p","Test":"TestB/host/1","Output":"    b_test.go:7: too late\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestB/host/1"}`,
		`{"Action":"pass","Package":"p","Test":"TestB/host/2"}`,
		`{"Action":"fail","Package":"p","Test":"TestB"}`,
		`{"Action":"fail","Package":"p","Test":"TestC"}`,
		`{"Action":"fail","Package":"p"}`,
		`{"Action":"output","Package":"q","Test":"TestD","Output":"panic: boom\n"}`,
		`{"Action":"fail","Package":"q","Test":"TestD"}`,
		`{"Action":"fail","Package":"q"}`,
	}
	var names strings.Builder
	require.NoError(t, again(strings.NewReader(strings.Join(first, "\n")), &names))
	require.Equal(t, "p ^(TestB|TestC)$\n", names.String(), "of a package that crashed nobody knows")

	out, ok := run(t, append(first[:7],
		`{"Action":"pass","Package":"p","Test":"TestB/host/2"}`,
		`{"Action":"pass","Package":"p","Test":"TestB"}`,
		`{"Action":"pass","Package":"p","Test":"TestC"}`,
		`{"Action":"pass","Package":"p"}`,
	)...)
	require.True(t, ok)
	require.Contains(t, out, "b_test.go:7: too late", "what was wrong is shown")
	require.Contains(t, out, "\nFailed, and passed when they ran again:\n  p TestB\n  p TestC\n")
	require.Contains(t, out, "\n1 packages\n4 passed, 0 failed, 0 skipped\n")

	out, ok = run(t, append(first[:7], `{"Action":"fail","Package":"p","Test":"TestB"}`, `{"Action":"pass","Package":"p","Test":"TestC"}`)...)
	require.False(t, ok)
	require.Contains(t, out, "2 failed", "the test and its part")
}
