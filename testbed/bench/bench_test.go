package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/testbed/internal/agent"
)

func TestPercentile(t *testing.T) {
	require.Zero(t, percentile([]int(nil), 50))
	require.Equal(t, 7, median([]int{7}))
	require.Equal(t, 2, median([]int{3, 1, 2}))
	require.InDelta(t, 2.0, median([]float64{4, 1, 3, 2}), 0)
	values := make([]int, 100)
	for i := range values {
		values[i] = 100 - i
	}
	require.Equal(t, 99, percentile(values, 99))
	require.Equal(t, 100, percentile(values, 100))
	require.Equal(t, 1, percentile(values, 0))
}

func TestParseMemory(t *testing.T) {
	u, err := parseMemory("Name:\ta\nVmRSS:\t   81920 kB\nRssAnon:\t   30720 kB\nRssFile:\t 1 kB\n")
	require.NoError(t, err)
	require.Equal(t, usage{rss: 80 << 20, rssAnon: 30 << 20}, u)

	_, err = parseMemory("VmRSS:\tmuch\n")
	require.ErrorContains(t, err, "VmRSS")
}

func TestUsageOfThisProcess(t *testing.T) {
	before, err := usageOf(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, before.cpu)
	require.Positive(t, before.rss)
	require.Positive(t, before.rssAnon)
	require.Less(t, before.rssAnon, before.rss)
	sum := 0
	for i := range 1_000_000 {
		sum += i % 7
	}
	after, err := usageOf(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after.cpu, before.cpu, "of as little as adding up to %d", sum)

	_, err = usageOf(1 << 30)
	require.Error(t, err)
}

func TestParseBenchmark(t *testing.T) {
	text := `goos: linux
BenchmarkDecode 	 5000000	 200.0 ns/op	 0 B/op	 0 allocs/op
BenchmarkDecode 	 5000000	 400.0 ns/op	 20.5 MB/s	 16 B/op	 8 allocs/op
BenchmarkBroken some text that is no result
PASS
`
	runs := parseBenchmark([]byte(text))
	require.Equal(t, benchRun{"ns/op": 200, "B/op": 0, "allocs/op": 0}, runs[0])
	r := summarize(microbenchmark{items: 8}, runs[1:2])
	require.InDelta(t, 20e6, r.perSecond, 1, "400 ns for 8 items")
	require.EqualValues(t, 2, r.bytes)
	require.EqualValues(t, 1, r.allocs)
}

func TestReplaceBetween(t *testing.T) {
	beginMark, endMark := agentMarks.begin, agentMarks.end
	out, err := agentMarks.replaceBetween("a\n"+beginMark+"\nold\n"+endMark+"\nb\n", "new\n")
	require.NoError(t, err)
	require.Equal(t, "a\n"+beginMark+"\nnew\n"+endMark+"\nb\n", out)
	for _, text := range []string{"", beginMark, endMark + beginMark} {
		_, err := agentMarks.replaceBetween(text, "x")
		require.ErrorIs(t, err, errNoMarks)
	}
}

func TestOurReadmeHasTheMarkers(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for _, m := range []marks{agentMarks, policyMarks, floodMarks, integrityMarks, connectorMarks, requestMarks} {
		_, err = m.replaceBetween(string(text), "")
		require.NoError(t, err)
	}
}

func TestWriteReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	require.ErrorIs(t, writeReport(file, agentMarks, "x"), os.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("nothing"), 0o600))
	require.ErrorIs(t, writeReport(file, agentMarks, "x"), errNoMarks)
	require.NoError(t, os.WriteFile(file, []byte(agentMarks.begin+agentMarks.end), 0o600))
	require.NoError(t, writeReport(file, agentMarks, "x\n"))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, agentMarks.begin+"\nx\n"+agentMarks.end, string(text))
}

func TestMarkdown(t *testing.T) {
	r := results{
		machine:  "a machine",
		overhead: []callCost{{what: "getpid", off: 150, floor: 180, on: 200, added: 50, ratio: 1.333, floorRatio: 1.667, agentPerCall: 1500}},
		micro:    []microResult{{microbenchmark{what: "decode", aim: 500_000}, 1_234_567, 16, 2}},
		latency:  []lateness{{what: "command", records: 9, arriveP50: 50 * time.Millisecond, arriveP99: 99500 * time.Microsecond}},
		footprint: &footprint{
			binaryBytes: 60e6, startup: 300 * time.Millisecond, cpu: 0.0042, rss: 70e6, rssAnon: 20e6,
		},
	}
	text := r.markdown()
	for _, line := range []string{
		"a machine.\n",
		"| getpid | 150 ns | 180 ns | 200 ns | **50 ns** | 1.33 | **1.67** |\n",
		"spent 1.50 µs of CPU time",
		"| decode | **1,234,567** | 500,000 | 16 | 2 |\n",
		"| command | 9 |  |  | 50.0 ms | **99.5 ms** |\n",
		"| CPU | **0.42 %** of a core |\n",
		"| RSS / RssAnon | **70.0 MB** / 20.0 MB |\n",
	} {
		require.Contains(t, text, line)
	}
	require.Equal(t, "m.\n", (&results{machine: "m"}).markdown(), "what was not measured has no table")
}

func TestEmptyPrograms(t *testing.T) {
	detach, err := emptyPrograms()
	if errors.Is(err, unix.EPERM) {
		t.Skip("needs root to load eBPF programs")
	}
	require.NoError(t, err)
	detach()
}

func TestMachineIsNeverEmpty(t *testing.T) {
	require.Contains(t, machine(t.Context()), " cores, ")
	require.Empty(t, procField("/proc/none", "x"))
	require.Empty(t, procField("/proc/meminfo", "x"))
}

func TestDelays(t *testing.T) {
	var d delays
	arrived := time.Unix(100, 0)
	kernel := pcommon.NewTimestampFromTime(arrived.Add(-time.Second))
	read := pcommon.NewTimestampFromTime(arrived.Add(-999 * time.Millisecond))
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	rec := records.AppendEmpty()
	rec.SetEventName("x")
	rec.SetTimestamp(kernel)
	rec.SetObservedTimestamp(read)
	records.AppendEmpty() // without a time
	d.logs(ld, arrived)

	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetEndTimestamp(kernel)
	d.traces(td, arrived)

	require.Equal(t, map[string]*delay{
		"x":    {read: []time.Duration{time.Millisecond}, arrival: []time.Duration{time.Second}},
		"span": {arrival: []time.Duration{time.Second}},
	}, d.take())
	require.Empty(t, d.take())
}

func TestConfigIsComplete(t *testing.T) {
	conf, err := confmaptest.LoadConf("config.yaml")
	require.NoError(t, err)
	exporters, err := conf.Sub("exporters")
	require.NoError(t, err)
	require.Equal(t, "${env:"+agent.EndpointEnv+"}", exporters.Get("otlp_grpc"+confmap.KeyDelimiter+"endpoint"))
}

func TestConnectorTable(t *testing.T) {
	ours := &contestant{
		Name: "ours", Few: spanCost{400, 250, 0}, Many: spanCost{100_000, 500, 0}, DeltaBytes: 500, CumulativeBytes: 700,
		FlushSeconds: 0.1, WaitMedian: 0.0001, WaitRare: 0.001, WaitLongest: 0.01,
	}
	theirs := &contestant{
		Name: "theirs", Few: spanCost{400, 1000, 9}, Many: spanCost{100_000, 1500, 9}, DeltaBytes: 2000, CumulativeBytes: 2100,
		FlushSeconds: 0.3, WaitMedian: 0.0002, WaitRare: 0.1, WaitLongest: 1,
	}
	table := connectorTable(ours, theirs)
	require.Contains(t, table, "| spans per second and core, 400 series | **4,000,000** | 1,000,000 | 4.0 | 3 |\n")
	require.Contains(t, table, "| allocations per span, 400 series | **0.00** | 9.00 |  |  |\n")
	require.Contains(t, table, "| heap per series, delta, at most | **500 B** | 2,000 B | 4.0 | 3 |\n")
	require.Contains(t, table, "| the same, longest | **10.00 ms** | 1000.00 ms | 100.0 |  |\n")
}

func TestPolicyTable(t *testing.T) {
	costs := map[string]*policyCost{}
	for _, ns := range []string{"100", "140", "110"} {
		addPolicyCosts(costs, []byte("goos: linux\nBenchmarkPolicies/none \t 10 \t 5 ns/op\t 0 rules\t "+ns+" cpu-ns/event\nPASS\n"))
		addPolicyCosts(costs, []byte("BenchmarkPolicies/stable \t 10 \t 5 ns/op\t 25.00 rules\t 1"+ns+" cpu-ns/event\n"))
	}
	require.Equal(t, []float64{1100, 1140, 1110}, costs["stable"].nanoseconds)
	table := policyTable(costs)
	require.Contains(t, table, "| none: the reading of a record | 0 | 110 ns | | |\n")
	require.Contains(t, table, "| Falco's stable rules | 25 | 1,110 ns | **1,000 ns** | < 400 ns |\n")
	require.NotContains(t, table, "embedded", "what was not measured is left out")
}

func TestGatewayTable(t *testing.T) {
	table := gatewayTable(&merging{Agents: 200, Series: 400, Nanoseconds: 2000, WireBytes: 300, BytesPerStream: 100, BucketsPerPoint: 116})
	require.Contains(t, table, "per second and core | **500,000** |\n")
	require.Contains(t, table, "| on paper, 1,000 agents every 10 s: points per second | 40,000 |\n")
	require.Contains(t, table, "| on paper: cores, heap, network | 0.08, 40.0 MB, 12.0 MB/s |\n")
}
