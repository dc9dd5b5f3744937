package latency

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
)

var start = time.Unix(1_700_000_000, 0)

// one describes a batch with one data point.
type one struct {
	metric     string
	service    string
	namespace  string
	attributes map[string]any
	cumulative bool
	start      time.Time
	counts     []uint64 // exponential buckets from 1 s on, scale 0
	bounds     []float64
}

func (o one) metrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr(schema.ServiceName, o.service)
	if o.namespace != "" {
		rm.Resource().Attributes().PutStr(schema.ServiceNamespace, o.namespace)
	}
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(o.metric)
	m.SetUnit("s")
	temporality := pmetric.AggregationTemporalityDelta
	if o.cumulative {
		temporality = pmetric.AggregationTemporalityCumulative
	}
	var total uint64
	for _, n := range o.counts {
		total += n
	}
	if o.bounds != nil {
		m.SetEmptyHistogram().SetAggregationTemporality(temporality)
		dp := m.Histogram().DataPoints().AppendEmpty()
		dp.SetCount(total)
		dp.SetStartTimestamp(pcommon.NewTimestampFromTime(o.start))
		dp.BucketCounts().FromRaw(o.counts)
		dp.ExplicitBounds().FromRaw(o.bounds)
		_ = dp.Attributes().FromRaw(o.attributes)
		return md
	}
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(temporality)
	dp := m.ExponentialHistogram().DataPoints().AppendEmpty()
	dp.SetCount(total)
	dp.SetStartTimestamp(pcommon.NewTimestampFromTime(o.start))
	dp.Positive().BucketCounts().FromRaw(o.counts)
	_ = dp.Attributes().FromRaw(o.attributes)
	return md
}

func TestKinds(t *testing.T) {
	for name, want := range map[string]kind{
		schema.MetricHTTPServerDuration:       {"http", Server},
		schema.MetricHTTPClientDuration:       {"http", Client},
		schema.MetricRPCServerDuration:        {"rpc", Server},
		schema.MetricRPCClientDuration:        {"rpc", Client},
		schema.MetricDBClientDuration:         {"db", Client},
		schema.MetricDBServerDuration:         {"db", Server},
		"messaging.client.operation.duration": {"messaging", Client},
	} {
		m := pmetric.NewMetric()
		m.SetName(name)
		m.SetUnit("s")
		got, ok := kindOf(m)
		require.True(t, ok, name)
		require.Equal(t, want, got)
	}
	for _, name := range []string{"", "duration", ".duration", "jvm.gc.duration", "http.server.active_requests", "server.duration"} {
		m := pmetric.NewMetric()
		m.SetName(name)
		m.SetUnit("s")
		_, ok := kindOf(m)
		require.False(t, ok, name)
	}
}

func TestSeriesOfOneServiceMerge(t *testing.T) {
	s := NewStore(start)
	s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", attributes: map[string]any{"http.route": "/a"}, counts: []uint64{8}}.metrics(), start)
	s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", attributes: map[string]any{schema.ErrorType: "500"}, counts: []uint64{0, 2}}.metrics(), start)
	s.Add(one{metric: schema.MetricHTTPClientDuration, service: "shop", counts: []uint64{1}}.metrics(), start)
	s.Add(one{metric: schema.MetricDBClientDuration, service: "shop", attributes: map[string]any{"db.system.name": "postgresql"}, counts: []uint64{1}}.metrics(), start)
	s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", namespace: "test", counts: []uint64{1}}.metrics(), start)

	rows := s.Take(start)
	require.Len(t, rows, 4)
	require.Equal(t, Key{"", "shop", Server, "http"}, rows[0].Key)
	require.Equal(t, uint64(10), rows[0].Count)
	require.Equal(t, uint64(2), rows[0].Errors)
	p := rows[0].Percentiles(0.4, 0.9)
	require.InDelta(t, math.Sqrt2, p[0], 1e-9)
	require.InDelta(t, math.Sqrt2*2, p[1], 1e-9)
	require.Equal(t, Key{"", "shop", Client, "http"}, rows[1].Key)
	require.Equal(t, Key{"", "shop", Client, "postgresql"}, rows[2].Key)
	require.Equal(t, Key{"test", "shop", Server, "http"}, rows[3].Key)
	require.Equal(t, uint64(13), s.Total())
	require.Empty(t, s.Take(start))
}

func TestCumulativeSeriesCountTheirGains(t *testing.T) {
	for name, bounds := range map[string][]float64{"exponential": nil, "explicit": {1, 2}} {
		t.Run(name, func(t *testing.T) {
			s := NewStore(start)
			send := func(began time.Time, counts ...uint64) uint64 {
				s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", cumulative: true, start: began, counts: counts, bounds: bounds}.metrics(), start)
				rows := s.Take(start)
				if len(rows) == 0 {
					return 0
				}
				return rows[0].Count
			}
			require.Equal(t, uint64(3), send(start, 1, 1, 1), "began while we looked")
			require.Zero(t, send(start, 1, 1, 1))
			require.Equal(t, uint64(4), send(start, 1, 4, 2))
			require.Equal(t, uint64(1), send(start.Add(time.Second), 1, 0, 0), "restarted, and says so")
			require.Equal(t, uint64(2), send(start.Add(time.Second), 0, 2, 0), "restarted, and does not say so")
		})
	}
}

// A series that was silent for a while goes on where it was; one that was silent for
// long is new.
func TestSilentSeriesAreForgotten(t *testing.T) {
	s, now := NewStore(start), start
	send := func(after time.Duration, count uint64) (gained uint64) {
		now = now.Add(after)
		s.Take(now)
		s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", cumulative: true, start: start, counts: []uint64{count}}.metrics(), now)
		for _, row := range s.Take(now) {
			gained += row.Count
		}
		return gained
	}
	require.EqualValues(t, 3, send(0, 3))
	require.EqualValues(t, 4, send(forgetAfter, 7))
	require.EqualValues(t, 8, send(forgetAfter+1, 8), "all of it: it began while we looked")
	require.Greater(t, forgetAfter, time.Minute, "metrics come that seldom")
}

func TestCumulativeSeriesFromBeforeWeLooked(t *testing.T) {
	s := NewStore(start)
	old := one{metric: schema.MetricHTTPServerDuration, service: "shop", cumulative: true, start: start.Add(-time.Hour), counts: []uint64{1000}}
	s.Add(old.metrics(), start)
	require.Empty(t, s.Take(start))
	old.counts = []uint64{1001}
	s.Add(old.metrics(), start)
	require.Equal(t, uint64(1), s.Take(start)[0].Count)
}

// A row must not change the last point of the series that it was made of.
func TestRowsShareNoMemoryWithSeries(t *testing.T) {
	s := NewStore(start)
	for _, route := range []string{"/a", "/b"} {
		s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", cumulative: true, start: start, attributes: map[string]any{"http.route": route}, counts: []uint64{5, 5}, bounds: []float64{1}}.metrics(), start)
	}
	require.Equal(t, uint64(20), s.Take(start)[0].Count)
	for _, route := range []string{"/a", "/b"} {
		s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", cumulative: true, start: start, attributes: map[string]any{"http.route": route}, counts: []uint64{6, 5}, bounds: []float64{1}}.metrics(), start)
	}
	rows := s.Take(start)
	require.Equal(t, uint64(2), rows[0].Count)
	require.Equal(t, []uint64{2, 0}, rows[0].explicit[0].counts)
}

func TestExplicitBounds(t *testing.T) {
	s := NewStore(start)
	s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", counts: []uint64{10, 0, 0}, bounds: []float64{1, 2}}.metrics(), start)
	s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", counts: []uint64{10, 0, 0}, bounds: []float64{1, 2}}.metrics(), start)
	s.Add(one{metric: schema.MetricHTTPServerDuration, service: "shop", counts: []uint64{0, 20}, bounds: []float64{4}}.metrics(), start)
	row := s.Take(start)[0]
	require.Len(t, row.explicit, 2)
	p := row.Percentiles(0.25, 0.99)
	require.InDelta(t, 0.5, p[0], 1e-9)
	require.InDelta(t, 4, p[1], 1e-9, "above the last bound nothing more is known")

	broken := one{metric: schema.MetricHTTPServerDuration, service: "shop", counts: []uint64{1, 2}, bounds: []float64{4, 3, 2}}
	s.Add(broken.metrics(), start)
	row = s.Take(start)[0]
	require.Equal(t, uint64(3), row.Count)
	require.True(t, math.IsNaN(row.Percentiles(0.5)[0]))
}

func TestPercentilesStayInsideMinAndMax(t *testing.T) {
	md := one{metric: schema.MetricHTTPServerDuration, service: "shop", counts: []uint64{1}}.metrics()
	dp := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).ExponentialHistogram().DataPoints().At(0)
	dp.SetMin(1.9)
	dp.SetMax(1.9)
	s := NewStore(start)
	s.Add(md, start)
	require.Equal(t, []float64{1.9, 1.9}, s.Take(start)[0].Percentiles(0.5, 0.99))
}

func TestStoreIsBounded(t *testing.T) {
	s := NewStore(start)
	for i := range maxSeries + 10 {
		s.Add(one{metric: schema.MetricHTTPServerDuration, service: strconv.Itoa(i), cumulative: true, start: start, counts: []uint64{1}}.metrics(), start)
	}
	require.Len(t, s.series, maxSeries)
	require.Len(t, s.Take(start), maxRows)
	require.Equal(t, uint64(maxSeries-maxRows+10), s.Ignored())
	s.Take(start.Add(forgetAfter + time.Second))
	require.Empty(t, s.series)
}

func TestOtherMetricsAreSkipped(t *testing.T) {
	md := one{metric: "http.server.active_requests", service: "shop", counts: []uint64{1}}.metrics()
	gauge := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
	gauge.SetName(schema.MetricHTTPServerDuration)
	gauge.SetUnit("s")
	gauge.SetEmptyGauge().DataPoints().AppendEmpty()
	md.MarkReadOnly()
	s := NewStore(start)
	s.Add(md, start)
	require.Empty(t, s.Take(start))
}

func BenchmarkAdd(b *testing.B) {
	md := one{metric: schema.MetricHTTPServerDuration, service: "shop", cumulative: true, start: start, counts: make([]uint64, 160)}.metrics()
	s := NewStore(start)
	b.ReportAllocs()
	for b.Loop() {
		s.Add(md, start)
	}
}
