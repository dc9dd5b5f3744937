package terminalexporter

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/latency"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/metadata"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/metadatatest"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/internal/schema"
)

// screenOf is a terminal in memory with a clock that the test moves.
type screenOf struct {
	*terminal
	mu   sync.Mutex
	text strings.Builder
	time time.Time
}

func (s *screenOf) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// take returns what was written since the last take.
func (s *screenOf) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

func newScreen(t *testing.T, change func(*Config)) *screenOf {
	t.Helper()
	cfg := newDefaultConfig()
	if change != nil {
		change(cfg)
	}
	s := &screenOf{time: noon}
	var err error
	s.terminal, err = newTerminal(cfg, componenttest.NewNopTelemetrySettings(), component.BuildInfo{Command: "sightglass", Version: "0.1.0"})
	require.NoError(t, err)
	s.out.Writer = s
	s.out.style = func() screen.Style { return screen.Style{} }
	s.now = func() time.Time { return s.time }
	s.latency = latency.NewStore(noon)
	return s
}

func execs(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		recordOf(schema.EventProcessExec, "", nil, map[string]any{schema.ProcessCommandArgs: []any{"ls"}}).MoveTo(records.AppendEmpty())
	}
	ld.MarkReadOnly()
	return ld
}

func detections(n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		recordOf(schema.EventPolicyMatch, "text", nil, map[string]any{schema.RuleName: "rule"}).MoveTo(records.AppendEmpty())
	}
	return ld
}

func TestFloodsAreLimitedAndCounted(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.LinesPerSecond = 3 })
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeLogs(t.Context(), execs(1237)))
	require.NoError(t, s.consumeLogs(t.Context(), detections(4)))
	p.lines(<-s.queue)
	require.Equal(t, 3, strings.Count(s.text.String(), "  ls"))
	require.Equal(t, 3, strings.Count(s.take(), "rule: text"))
	p.second()
	require.Contains(t, s.take(), "… 1 more detection, 1,234 more commands\n")
	p.second()
	require.NotContains(t, s.take(), "more")

	s.time = s.time.Add(time.Second)
	require.NoError(t, s.consumeLogs(t.Context(), execs(1)))
	require.Len(t, s.queue, 1)
}

// A build that runs a thousand commands a second must not hide the one command
// in a container.
func TestABusyServiceHidesNoOther(t *testing.T) {
	g := gate{perSecond: 3}
	admitted := func(service string, n int) int {
		count := 0
		for range n {
			if g.admit(1, service, noon) {
				count++
			}
		}
		return count
	}
	require.Equal(t, 3, admitted("build", 1000))
	require.Equal(t, reserve, admitted("web", 10))
	require.Equal(t, 1, admitted("db", 10), "all together double the limit")
	require.Zero(t, admitted("cache", 10))
	require.Equal(t, uint64(997+8+9+10), g.take()[1])
	require.True(t, g.admit(2, "build", noon), "kinds have limits of their own")
	require.True(t, g.admit(1, "build", noon.Add(time.Second)))
}

func TestListeningAgainIsNoNews(t *testing.T) {
	s := newScreen(t, nil)
	for _, port := range []int{80, 80, 81, 80} {
		ld := plog.NewLogs()
		recordOf(schema.EventNetworkListen, "", nil, map[string]any{schema.NetworkLocalAddress: "::", schema.NetworkLocalPort: port}).
			MoveTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
		require.NoError(t, s.consumeLogs(t.Context(), ld))
	}
	require.Len(t, s.queue, 3)
}

func TestDefaultLimits(t *testing.T) {
	out := openOutput(newDefaultConfig())
	require.Equal(t, linesForProgram, out.linesPerSecond, "tests have no terminal")
	require.Zero(t, out.style().Width)
	out = openOutput(&Config{Output: OutputStderr, LinesPerSecond: 7, Width: 90})
	require.Equal(t, 7, out.linesPerSecond)
	require.Equal(t, 90, out.style().Width)
}

func TestFullQueueDropsAndSaysSo(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.LinesPerSecond = 1 << 30 })
	require.NoError(t, s.consumeLogs(t.Context(), execs(queueSize+7)))
	require.Len(t, s.queue, queueSize)
	newPrinter(s.terminal).second()
	require.Contains(t, s.take(), "7 lines were dropped: the terminal is too slow")
}

func TestOnlyWhatIsSelectedIsShown(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.Show = []string{"detections"} })
	require.NoError(t, s.consumeLogs(t.Context(), execs(5)))
	require.NoError(t, s.consumeLogs(t.Context(), detections(1)))
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("GET")
	require.NoError(t, s.consumeTraces(t.Context(), td))
	require.Len(t, s.queue, 1)

	s = newScreen(t, func(c *Config) { c.Show = []string{"requests"} })
	require.NoError(t, s.consumeTraces(t.Context(), td))
	require.Equal(t, "GET", string((<-s.queue).Text))
}

func TestABatchIsShownInTheOrderOfItsTimes(t *testing.T) {
	s := newScreen(t, nil)
	ld := plog.NewLogs()
	for i, second := range []int{3, 1, 2, 0} {
		r := recordOf(schema.EventProcessExec, "", nil, map[string]any{schema.ProcessCommandArgs: []any{strconv.Itoa(second)}})
		r.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(second) * time.Second)))
		if second == 2 {
			r.SetObservedTimestamp(r.Timestamp())
			r.SetTimestamp(0)
		}
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutInt("n", int64(i))
		r.MoveTo(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	}
	require.NoError(t, s.consumeLogs(t.Context(), ld))
	for i := range 4 {
		require.Equal(t, strconv.Itoa(i), string((<-s.queue).Text))
	}
}

// A terminal that takes nothing must not hold up the pipeline or the end.
func TestStuckTerminalBlocksNobody(t *testing.T) {
	s := newScreen(t, func(c *Config) { c.LinesPerSecond = 1 << 30 })
	unblock := make(chan struct{})
	s.out.Writer = writerFunc(func(p []byte) (int, error) { <-unblock; return len(p), nil })
	u := &user{terminal: s.terminal}
	require.NoError(t, u.start(t.Context(), componenttest.NewNopHost()))
	for range 3 {
		require.NoError(t, s.consumeLogs(t.Context(), execs(queueSize)))
	}
	require.Positive(t, s.dropped.Load())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, u.shutdown(ended))
	close(unblock)
	<-s.done
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestTelemetryCountsLines(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	s := newScreen(t, func(c *Config) { c.LinesPerSecond = 2 })
	var err error
	s.telemetry, err = metadata.NewTelemetryBuilder(tel.NewTelemetrySettings())
	require.NoError(t, err)
	p := newPrinter(s.terminal)
	require.NoError(t, s.consumeLogs(t.Context(), execs(5)))
	p.lines(<-s.queue)
	p.second()
	s.out.Writer = writerFunc(func([]byte) (int, error) { return 0, errors.New("gone") })
	p.lines(screen.Line{})
	p.lines(screen.Line{})
	point := func(n int64, outcome string) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String("outcome", outcome))}
	}
	metadatatest.AssertEqualExporterTerminalLines(t, tel,
		[]metricdata.DataPoint[int64]{point(2, "shown"), point(3, "hidden"), point(2, "dropped")}, metricdatatest.IgnoreTimestamp())
}

// One configuration means one terminal: the first line stands there once, and
// the last Shutdown ends it, in whatever order and number they come.
func TestSignalsShareATerminal(t *testing.T) {
	f := &factory{terminals: map[*Config]*terminal{}}
	cfg := newDefaultConfig()
	set := exportertest.NewNopSettings(metadata.Type)
	logs, err := f.createLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	metrics, err := f.createMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	traces, err := f.createTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	require.Len(t, f.terminals, 1)
	s := &screenOf{}
	shared := f.terminals[cfg]
	shared.out.Writer = s

	require.NoError(t, traces.Shutdown(t.Context()), "never started")
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, metrics.Start(t.Context(), componenttest.NewNopHost()))
	require.False(t, logs.Capabilities().MutatesData)
	require.NoError(t, logs.ConsumeLogs(t.Context(), execs(1)))
	require.NoError(t, metrics.ConsumeMetrics(t.Context(), pmetric.NewMetrics()))
	require.NoError(t, logs.Shutdown(t.Context()))
	require.NoError(t, logs.Shutdown(t.Context()))
	require.NoError(t, metrics.Shutdown(t.Context()))
	require.NoError(t, metrics.Shutdown(t.Context()))
	require.Empty(t, f.terminals)
	out := s.take()
	require.Equal(t, 1, strings.Count(out, "to watch this host"))
	require.Contains(t, out, "ls")
}

// number is one data point of a receiver's metric.
type number struct {
	metric     string
	value      int64
	attributes map[string]any
}

func numbers(list ...number) pmetric.Metrics {
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	byName := map[string]pmetric.NumberDataPointSlice{}
	for _, n := range list {
		points, ok := byName[n.metric]
		if !ok {
			m := metrics.AppendEmpty()
			m.SetName(n.metric)
			points = m.SetEmptyGauge().DataPoints()
			byName[n.metric] = points
		}
		dp := points.AppendEmpty()
		dp.SetIntValue(n.value)
		_ = dp.Attributes().FromRaw(n.attributes)
	}
	return md
}

// requests is a histogram of n requests of one service, all between 1 and 2 s.
func requests(service string, n uint64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr(schema.ServiceName, service)
	rm.Resource().Attributes().PutStr(schema.ServiceNamespace, "shop")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(schema.MetricHTTPServerDuration)
	m.SetUnit("s")
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	dp := m.ExponentialHistogram().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(noon))
	dp.SetCount(n)
	dp.Positive().BucketCounts().FromRaw([]uint64{n})
	return md
}
