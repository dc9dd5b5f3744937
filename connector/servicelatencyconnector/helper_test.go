package servicelatencyconnector

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
)

type attrs = map[string]any

// spanOf describes one span for a test.
type spanOf struct {
	kind     ptrace.SpanKind
	duration time.Duration
	status   ptrace.StatusCode
	attrs    attrs
}

// spansEnd is when the spans of the tests end.
var spansEnd = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// tracesOf builds read-only traces of one resource; scope may be empty.
func tracesOf(tb testing.TB, resource attrs, scope string, spans ...spanOf) ptrace.Traces {
	tb.Helper()
	td := ptrace.NewTraces()
	addSpans(tb, td, resource, scope, spans...)
	td.MarkReadOnly()
	return td
}

func addSpans(tb testing.TB, td ptrace.Traces, resource attrs, scope string, spans ...spanOf) {
	tb.Helper()
	rs := td.ResourceSpans().AppendEmpty()
	require.NoError(tb, rs.Resource().Attributes().FromRaw(resource))
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(scope)
	for i, s := range spans {
		span := ss.Spans().AppendEmpty()
		span.SetKind(s.kind)
		span.SetName("span")
		var trace [16]byte
		var id [8]byte
		binary.BigEndian.PutUint64(trace[8:], uint64(len(spans)))
		binary.BigEndian.PutUint64(id[:], uint64(i+1))
		span.SetTraceID(trace)
		span.SetSpanID(id)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(spansEnd.Add(-s.duration)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(spansEnd))
		span.Status().SetCode(s.status)
		require.NoError(tb, span.Attributes().FromRaw(s.attrs))
	}
}

// get is the shortest HTTP server span.
func get(route string, duration time.Duration) spanOf {
	return spanOf{kind: ptrace.SpanKindServer, duration: duration, attrs: attrs{"http.request.method": "GET", "http.route": route}}
}

// sink takes metrics, or refuses them while err is set.
type sink struct {
	mu  sync.Mutex
	err error
	all []pmetric.Metrics
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, md)
	return s.err
}

func (s *sink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

var errBusy = errors.New("busy")

// take returns what has come since the last call.
func (s *sink) take() []pmetric.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.all
	s.all = nil
	return taken
}

// takeOne expects exactly one batch.
func (s *sink) takeOne(tb testing.TB) pmetric.Metrics {
	tb.Helper()
	taken := s.take()
	require.Len(tb, taken, 1)
	return taken[0]
}

// row is a data point with everything that it belongs to.
type row struct {
	resource, attrs attrs
	metric          string
	temporality     pmetric.AggregationTemporality
	start, end      time.Time
	count           uint64
	sum, min, max   float64
	exemplars       int
}

// rows flattens metrics.
func rows(list ...pmetric.Metrics) (out []row) {
	for _, md := range list {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					out = append(out, metricRows(rm.Resource(), m)...)
				}
			}
		}
	}
	return out
}

func metricRows(resource pcommon.Resource, m pmetric.Metric) (out []row) {
	base := row{resource: resource.Attributes().AsRaw(), metric: m.Name()}
	switch m.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		base.temporality = m.ExponentialHistogram().AggregationTemporality()
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			r := base
			r.attrs, r.start, r.end = p.Attributes().AsRaw(), p.StartTimestamp().AsTime(), p.Timestamp().AsTime()
			r.count, r.sum, r.min, r.max, r.exemplars = p.Count(), p.Sum(), p.Min(), p.Max(), p.Exemplars().Len()
			out = append(out, r)
		}
	case pmetric.MetricTypeHistogram:
		base.temporality = m.Histogram().AggregationTemporality()
		for _, p := range m.Histogram().DataPoints().All() {
			r := base
			r.attrs, r.start, r.end = p.Attributes().AsRaw(), p.StartTimestamp().AsTime(), p.Timestamp().AsTime()
			r.count, r.sum, r.min, r.max, r.exemplars = p.Count(), p.Sum(), p.Min(), p.Max(), p.Exemplars().Len()
			out = append(out, r)
		}
	case pmetric.MetricTypeSum:
		base.temporality = m.Sum().AggregationTemporality()
		for _, p := range m.Sum().DataPoints().All() {
			r := base
			r.attrs, r.start, r.end, r.count = p.Attributes().AsRaw(), p.StartTimestamp().AsTime(), p.Timestamp().AsTime(), uint64(p.IntValue())
			out = append(out, r)
		}
	default:
	}
	return out
}

// rig is a traces -> metrics connector that the test flushes itself.
type rig struct {
	*tracesToMetrics
	tb   testing.TB
	sink *sink
	now  time.Time
}

func newRig(tb testing.TB, change ...func(*Config)) *rig {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, c := range change {
		c(cfg)
	}
	out := new(sink)
	c, err := newTracesToMetrics(cfg, connectortest.NewNopSettings(metadata.Type), out)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Shutdown(tb.Context())) })
	return &rig{tracesToMetrics: c, tb: tb, sink: out, now: time.Now()}
}

func (r *rig) consume(td ptrace.Traces) {
	r.tb.Helper()
	require.NoError(r.tb, r.ConsumeTraces(r.tb.Context(), td))
}

// flush lets ten seconds pass and returns what is sent.
func (r *rig) flush() []row {
	r.now = r.now.Add(10 * time.Second)
	r.engine.flush(r.tb.Context(), r.now)
	return rows(r.sink.take()...)
}

func delta(c *Config) { c.Temporality = Delta }
