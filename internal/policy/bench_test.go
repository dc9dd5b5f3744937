package policy_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/policytest"
)

// syntheticRules are n rules over a few event types, as users write them: a
// shared macro, a list of names, a path.
func syntheticRules(n int) []policy.File {
	var b strings.Builder
	b.WriteString("- macro: opened\n  condition: (evt.type in (open, openat, openat2) and fd.typechar = f and fd.num >= 0)\n")
	b.WriteString("- macro: started\n  condition: (evt.type in (execve, execveat))\n")
	for i := range n {
		cond := fmt.Sprintf("opened and evt.is_open_write = true and proc.name in (tool%d, helper%d) and fd.name startswith /srv/%d", i, i, i)
		if i%2 == 0 {
			cond = fmt.Sprintf("started and proc.name = tool%d and (proc.cmdline contains --x%d or proc.pname in (sh%d, bash%d))", i, i, i, i)
		}
		fmt.Fprintf(&b, "- rule: r%d\n  desc: x\n  priority: notice\n  output: x %%proc.name\n  condition: %s\n", i, cond)
	}
	return []policy.File{{Name: "synthetic.yaml", Content: []byte(b.String())}}
}

// mix are events of ordinary work, none of which matches.
func mix() []*recorded {
	open := record("openat", map[string]any{
		"syscall.return_value": 5, "process.executable.name": "java", "process.executable.path": "/usr/bin/java",
		"process.command_args": []string{"java", "-jar", "app.jar"}, "file.path": "/srv/app/lib/util.jar",
		"sightglass.file.path.raw": "lib/util.jar", "sightglass.file.open_flags": 524288, "process.pid": 77,
		"process.user.id": 1000, "process.user.name": "app", "container.id": strings.Repeat("ab", 32),
		"container.image.name": "registry/app", "sightglass.process.parent.name": "sh",
	})
	exec := record("execve", map[string]any{
		"syscall.return_value": 0, "process.executable.name": "ls", "process.executable.path": "/usr/bin/ls",
		"process.command_args": []string{"ls", "-l", "/srv"}, "process.pid": 78, "process.working_directory": "/srv",
		"process.user.id": 1000, "process.user.name": "app", "sightglass.process.tty": 34816, "process.vpid": 5,
		"sightglass.process.capabilities.permitted": 0, "sightglass.process.capabilities.effective": 0,
	})
	connect := record("connect", map[string]any{
		"syscall.return_value": 0, "process.executable.name": "curl", "network.type": "ipv4", "network.transport": "tcp",
		"network.local.address": "10.0.0.1", "network.local.port": 40000, "network.peer.address": "10.0.0.2",
		"network.peer.port": 443, "syscall.arg.fd": 3, "process.command_args": []string{"curl"},
	})
	unlink := record("unlinkat", map[string]any{
		"syscall.return_value": 0, "process.executable.name": "make", "syscall.arg.dirfd": -100,
		"syscall.arg.name": "a.o", "file.path": "/srv/a.o", "syscall.arg.flags": 0, "process.working_directory": "/srv",
	})
	return []*recorded{open, open, open, exec, open, connect, unlink, open}
}

// recorded is a source that answers from arrays, as a record's view does.
type recorded struct {
	*policytest.Event
	texts []string
	ints  []int64
	lists [][]string
	has   []uint8
}

func record(eventType string, attrs map[string]any) *recorded {
	e := policytest.NewEvent(eventType)
	for k, v := range attrs {
		e.Set(k, v)
	}
	e.Chain = []field.Process{
		{PID: 77, Start: 5, Name: "x", Args: []string{"x"}},
		{PID: 20, Start: 4, Name: "sh", Args: []string{"sh"}},
		{PID: 10, Start: 3, Name: "containerd-shim", Args: []string{"containerd-shim"}},
		{PID: 1, Start: 1, Name: "init"},
	}
	n := field.NumAttrs()
	r := &recorded{Event: e, texts: make([]string, n), ints: make([]int64, n), lists: make([][]string, n), has: make([]uint8, n)}
	for a := range field.Attr(n) {
		if s, ok := e.String(a); ok {
			r.texts[a], r.has[a] = s, r.has[a]|1
		}
		if i, ok := e.Int(a); ok {
			r.ints[a], r.has[a] = i, r.has[a]|2
		}
		if l, ok := e.Strings(a); ok {
			r.lists[a], r.has[a] = l, r.has[a]|4
		}
	}
	return r
}

func (r *recorded) String(a field.Attr) (string, bool)    { return r.texts[a], r.has[a]&1 != 0 }
func (r *recorded) Int(a field.Attr) (int64, bool)        { return r.ints[a], r.has[a]&2 != 0 }
func (r *recorded) Strings(a field.Attr) ([]string, bool) { return r.lists[a], r.has[a]&4 != 0 }

func matcher(tb testing.TB, files []policy.File) *policy.Matcher {
	tb.Helper()
	set, res := policy.Load(files, nil)
	require.True(tb, res.OK(), res)
	return set.NewMatcher()
}

func TestNoAllocationsWithoutMatch(t *testing.T) {
	m := matcher(t, syntheticRules(200))
	events := mix()
	found := func(match *policy.Match) { t.Errorf("%s matched", match.Rule.Name) }
	run := func() {
		for _, e := range events {
			m.Match(e, found)
		}
	}
	run()
	require.Zero(t, alloctest.PerRun(100, run))
}

func TestNoAllocationsWithStockRules(t *testing.T) {
	m := matcher(t, stockFiles(t))
	events := mix()
	run := func() {
		for _, e := range events {
			m.Match(e, func(*policy.Match) {})
		}
	}
	run()
	require.Zero(t, alloctest.PerRun(100, run))
}

func benchmarkMatch(b *testing.B, files []policy.File) {
	b.Helper()
	m := matcher(b, files)
	events := mix()
	matched := 0
	found := func(*policy.Match) { matched++ }
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Match(events[i%len(events)], found)
	}
	b.ReportMetric(float64(matched)/float64(b.N), "matches/op")
}

func BenchmarkMatchSynthetic(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { benchmarkMatch(b, syntheticRules(n)) })
	}
}

func BenchmarkMatchStock(b *testing.B) {
	files := stockFiles(b)
	b.Run("stable", func(b *testing.B) { benchmarkMatch(b, files[:1]) })
	b.Run("all", func(b *testing.B) { benchmarkMatch(b, files) })
}

func BenchmarkLoadStock(b *testing.B) {
	files := stockFiles(b)
	for b.Loop() {
		_, res := policy.Load(files, nil)
		require.True(b, res.OK())
	}
}
