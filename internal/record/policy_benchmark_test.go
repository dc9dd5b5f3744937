package record_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/policies"
)

// stockDirEnv names a directory with Falco's rule files, which are not part of
// this repository.
const stockDirEnv = "SIGHTGLASS_FALCO_RULES"

// ruleSets are the sets that are measured, by name. Those of Falco are there
// only when their files are.
func ruleSets(tb testing.TB) map[string][]policy.File {
	tb.Helper()
	own, err := policies.Files()
	require.NoError(tb, err)
	sets := map[string][]policy.File{
		"1000_named":     {{Name: "s.yaml", Content: synthetic(1000, "openat", "proc.name = tool%d")}},
		"100_searching":  {{Name: "s.yaml", Content: synthetic(100, "openat", "fd.name contains /needle%d/")}},
		"1000_searching": {{Name: "s.yaml", Content: synthetic(1000, "openat", "fd.name contains /needle%d/")}},
		"1000_elsewhere": {{Name: "s.yaml", Content: synthetic(1000, "ptrace", "proc.cmdline contains needle%d")}},
	}
	for _, f := range own {
		sets["own"] = append(sets["own"], policy.File{Name: f.Name, Content: f.Content})
	}
	paths, err := filepath.Glob(filepath.Join(os.Getenv(stockDirEnv), "falco*.yaml"))
	require.NoError(tb, err)
	slices.SortFunc(paths, func(x, y string) int { return len(filepath.Base(x)) - len(filepath.Base(y)) }) // falco_rules.yaml first
	for i, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(tb, err)
		file := policy.File{Name: path, Content: content}
		if i == 0 {
			sets["stable"] = []policy.File{file}
		}
		sets["stock"] = append(sets["stock"], file)
	}
	return sets
}

// synthetic are n rules for writing opens, or for calls of another type. Each
// has a condition of its own beside the shared one.
func synthetic(n int, event, condition string) []byte {
	var b strings.Builder
	b.WriteString("- macro: writing\n  condition: (evt.is_open_write = true and fd.typechar = f and fd.num >= 0)\n")
	shared := "writing"
	if event != "openat" {
		shared = "proc.name exists"
	}
	for i := range n {
		fmt.Fprintf(&b, "- rule: r%d\n  desc: x\n  priority: notice\n  output: x\n  condition: evt.type = %s and %s and %s\n",
			i, event, shared, fmt.Sprintf(condition, i))
	}
	return []byte(b.String())
}

// activity is what was recorded on a host during package installations, the
// start of containers and databases, builds.
type activity struct {
	resources []pcommon.Resource
	records   [][]plog.LogRecord // by resource
	n         int
}

func recordedActivity(tb testing.TB) *activity {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "policies", "testdata", "noise", "*.json.gz"))
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	a := &activity{}
	for _, path := range paths {
		a.add(tb, path)
	}
	return a
}

func (a *activity) add(tb testing.TB, path string) {
	tb.Helper()
	f, err := os.Open(path)
	require.NoError(tb, err)
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	require.NoError(tb, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(lines.Bytes())
		require.NoError(tb, err)
		for _, rl := range ld.ResourceLogs().All() {
			var records []plog.LogRecord
			for _, sl := range rl.ScopeLogs().All() {
				for _, rec := range sl.LogRecords().All() {
					records = append(records, rec)
				}
			}
			a.resources = append(a.resources, rl.Resource())
			a.records = append(a.records, records)
			a.n += len(records)
		}
	}
	require.NoError(tb, lines.Err())
}

// each shows every record to f.
func (a *activity) each(view *record.View, f func()) {
	for i, res := range a.resources {
		view.SetResource(res)
		for _, rec := range a.records[i] {
			view.SetRecord(rec)
			f()
		}
	}
}

// The rules of no set allocate on an event that matches none of them.
func TestPoliciesDoNotAllocateWhenNothingMatches(t *testing.T) {
	a := recordedActivity(t)
	for name, files := range ruleSets(t) {
		set, res := policy.Load(files, &policy.Options{All: true})
		require.NoError(t, res.Err())
		m, view := set.NewMatcher(), record.New()
		matched := false
		found := func(*policy.Match) { matched = true }
		a.each(view, func() { m.Match(view, found) }) // buffers grow to what they need
		a.each(view, func() {
			matched = false
			m.Match(view, found)
			if matched {
				return
			}
			if n := alloctest.PerRun(1, func() { m.Match(view, found) }); n > 0 {
				t.Errorf("%s: %v allocations for %s %v", name, n, view.EventType(), view.Record().Attributes().AsRaw())
			}
		})
	}
}

// cpuTime is what this process has used: unlike the clock it does not count the
// turns of other programs.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage unix.Rusage
	require.NoError(tb, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkPolicies is the cost of one recorded event in CPU time: what the set
// "none" takes is the reading of the record.
func BenchmarkPolicies(b *testing.B) {
	a := recordedActivity(b)
	sets := ruleSets(b)
	sets["none"] = nil
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		b.Run(name, func(b *testing.B) {
			set, res := policy.Load(sets[name], nil)
			require.NoError(b, res.Err())
			m, view := set.NewMatcher(), record.New()
			matches := 0
			found := func(*policy.Match) { matches++ }
			b.ReportAllocs()
			b.ResetTimer()
			began := cpuTime(b)
			for range b.N {
				a.each(view, func() { m.Match(view, found) })
			}
			used := cpuTime(b) - began
			events := float64(b.N) * float64(a.n)
			b.ReportMetric(float64(set.Len()), "rules")
			b.ReportMetric(float64(used.Nanoseconds())/events, "cpu-ns/event")
			b.ReportMetric(float64(matches)/events, "matches/event")
		})
	}
}
