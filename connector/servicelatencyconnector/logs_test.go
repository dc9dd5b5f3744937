package servicelatencyconnector

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadatatest"
	"github.com/sightglass/sightglass/internal/alloctest"
)

// logSink takes logs, or refuses them while err is set.
type logSink struct {
	mu  sync.Mutex
	err error
	all []plog.Logs
}

func (*logSink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *logSink) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, ld)
	return s.err
}

func (s *logSink) take() []plog.Logs {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.all
	s.all = nil
	return taken
}

func newStatements(t *testing.T, next consumer.Logs, change ...func(*Config)) *tracesToLogs {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, c := range change {
		c(cfg)
	}
	c, err := newTracesToLogs(cfg, connectortest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	c.encoder.writer = writer{host: "some host.id", id: "some id"}
	return c
}

func query(text string, duration time.Duration, status ptrace.StatusCode) spanOf {
	return spanOf{ptrace.SpanKindClient, duration, status, attrs{
		"db.system.name": "postgresql", "db.namespace": "shop", "db.query.text": text, "service.peer.name": "postgres",
	}}
}

func statementTraces(tb testing.TB) ptrace.Traces {
	tb.Helper()
	td := ptrace.NewTraces()
	var spans []spanOf
	for i := range 20 {
		spans = append(spans, query(fmt.Sprintf("SELECT * FROM carts WHERE id = %d", i), time.Duration(i+1)*time.Millisecond, ptrace.StatusCodeUnset))
	}
	spans = append(spans,
		query("UPDATE carts SET paid = TRUE WHERE id IN (1, 2, 3)", 2*time.Second, ptrace.StatusCodeError),
		query("SELECT "+strings.Repeat("a, ", 1000)+"b", 5*time.Microsecond, ptrace.StatusCodeUnset),
		spanOf{ptrace.SpanKindClient, time.Millisecond, ptrace.StatusCodeUnset, attrs{"db.system.name": "redis", "db.operation.name": "GET"}},
		spanOf{ptrace.SpanKindClient, time.Millisecond, ptrace.StatusCodeUnset, attrs{"db.system.name": "mongodb"}},
		get("/not/a/statement", time.Second),
	)
	addSpans(tb, td, attrs{"service.name": "shop", "k8s.pod.name": "shop-1"}, "", spans...)
	addSpans(tb, td, attrs{"service.name": "postgres"}, "",
		spanOf{ptrace.SpanKindServer, time.Millisecond, ptrace.StatusCodeUnset, attrs{"db.system.name": "postgresql", "db.query.text": "SELECT * FROM carts WHERE id = 7"}},
		spanOf{ptrace.SpanKindServer, time.Millisecond, ptrace.StatusCodeUnset, attrs{"db.system.name": "postgresql", "db.query.text": "VACUUM"}},
	)
	td.MarkReadOnly()
	return td
}

func TestStatementsGolden(t *testing.T) {
	out := new(logSink)
	c := newStatements(t, out, func(c *Config) { c.Statements.MaxTextBytes = 256 })
	require.NoError(t, c.ConsumeTraces(t.Context(), statementTraces(t)))
	c.begin = spansEnd
	require.True(t, c.report(t.Context(), spansEnd.Add(time.Minute)))
	got := out.take()
	require.Len(t, got, 1)
	file := filepath.Join("testdata", "golden", "statements.yaml")
	if *update {
		require.NoError(t, golden.WriteLogsToFile(file, got[0]))
	}
	want, err := golden.ReadLogs(file)
	require.NoError(t, err)
	require.NoError(t, plogtest.CompareLogs(want, got[0]))
	require.NoError(t, c.Shutdown(t.Context()))
}

func TestStatementsAreBounded(t *testing.T) {
	out := new(logSink)
	c := newStatements(t, out, func(c *Config) { c.Statements.MaxTracked, c.Statements.Top = 3, 2 })
	var spans []spanOf
	for i := range 10 {
		spans = append(spans, query(fmt.Sprint("SELECT a", i), time.Second, ptrace.StatusCodeUnset))
	}
	require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "a"}, "", spans...)))
	c.report(t.Context(), time.Now())
	records := out.take()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	require.LessOrEqual(t, records.Len(), 3)
	rest := records.At(0)
	require.Contains(t, rest.Body().Str(), "all other statements: 7 times, 7s in total, ")
	require.Equal(t, true, rest.Attributes().AsRaw()["sightglass.statement.rest"])
}

func TestRefusedReportsAreSentAgain(t *testing.T) {
	out := &logSink{err: errBusy}
	c := newStatements(t, out)
	for range maxReports + 2 {
		require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "a"}, "", query("SELECT 1", time.Second, ptrace.StatusCodeUnset))))
		c.report(t.Context(), time.Now())
	}
	require.Len(t, c.reports, maxReports)
	require.EqualValues(t, 2, c.lost.Load())
	out.err, out.all = nil, nil
	c.report(t.Context(), time.Now())
	require.Len(t, out.take(), maxReports)
	require.EqualValues(t, maxReports, c.sent.Load())

	out.err = consumererror.NewPermanent(errBusy)
	require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "a"}, "", query("SELECT 1", time.Second, ptrace.StatusCodeUnset))))
	c.report(t.Context(), time.Now())
	require.EqualValues(t, 3, c.lost.Load())
	require.Empty(t, c.reports)
}

func TestStatementsAreSentAtShutdown(t *testing.T) {
	out := new(logSink)
	c := newStatements(t, out, func(c *Config) { c.Statements.Interval = time.Hour })
	require.NoError(t, c.Start(t.Context(), nil))
	require.NoError(t, c.ConsumeTraces(t.Context(), statementTraces(t)))
	require.NoError(t, c.Shutdown(t.Context()))
	require.NotEmpty(t, out.take())

	out = &logSink{err: errBusy}
	c = newStatements(t, out)
	require.NoError(t, c.ConsumeTraces(t.Context(), statementTraces(t)))
	c.finish(t.Context())
	require.EqualValues(t, 6, c.lost.Load())
}

func TestTelemetryOfStatements(t *testing.T) {
	tt := componenttest.NewTelemetry()
	c, err := newTracesToLogs(createDefaultConfig().(*Config), metadatatest.NewSettings(tt), new(logSink))
	require.NoError(t, err)
	require.NoError(t, c.ConsumeTraces(t.Context(), statementTraces(t)))
	c.report(t.Context(), time.Now())
	mode, ignore := modeTracesToLogs, metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualConnectorServiceLatencySpans(t, tt, []metricdata.DataPoint[int64]{
		point(mode, 26, "counted"), point(mode, 1, "ignored"), point(mode, 0, "invalid"),
		point(mode, 0, "incomplete"), point(mode, 0, "overflow"), point(mode, 0, "instrumented"),
	}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencyPointsSent(t, tt, []metricdata.DataPoint[int64]{
		point(mode, 6, "sent"), point(mode, 0, "refused"), point(mode, 0, "lost"),
	}, ignore)
	require.NoError(t, c.Shutdown(t.Context()))
	require.NoError(t, tt.Shutdown(t.Context()))
}

func TestCountingKnownStatementsDoesNotAllocate(t *testing.T) {
	alloctest.NotRaced(t)
	c := newStatements(t, new(logSink))
	traces := tracesOf(t, attrs{"service.name": "a"}, "",
		query("SELECT a FROM b WHERE c = 17", time.Second, ptrace.StatusCodeUnset), get("/x", time.Second))
	require.NoError(t, c.ConsumeTraces(t.Context(), traces))
	require.Zero(t, alloctest.PerRun(50, func() { _ = c.ConsumeTraces(t.Context(), traces) }))
}

func TestReadable(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 0.0000123: "12µs", 0.0123456: "12.35ms", 3.14159: "3.14s", 4000: "1h6m40s"} {
		require.Equal(t, want, readable(seconds))
	}
}
