package servicelatencyconnector

import (
	"fmt"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadatatest"
	"github.com/sightglass/sightglass/internal/alloctest"
)

// gateway is a metrics -> metrics connector that the test flushes itself.
type gateway struct {
	*metricsToMetrics
	tb   testing.TB
	sink *sink
	now  time.Time
}

func newGateway(tb testing.TB, change ...func(*Config)) *gateway {
	tb.Helper()
	cfg := createDefaultConfig().(*Config)
	for _, c := range change {
		c(cfg)
	}
	out := new(sink)
	c, err := newMetricsToMetrics(cfg, connectortest.NewNopSettings(metadata.Type), out)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Shutdown(tb.Context())) })
	return &gateway{metricsToMetrics: c, tb: tb, sink: out, now: time.Now()}
}

func (g *gateway) consume(md pmetric.Metrics) {
	g.tb.Helper()
	require.NoError(g.tb, g.ConsumeMetrics(g.tb.Context(), md))
}

// flush lets ten seconds pass and returns what is sent.
func (g *gateway) flush() []row {
	g.now = g.now.Add(10 * time.Second)
	g.engine.flush(g.tb.Context(), g.now)
	return rows(g.sink.take()...)
}

// written returns what a new agent writes about these spans in one interval.
func writtenBy(tb testing.TB, host string, spans ...spanOf) pmetric.Metrics {
	tb.Helper()
	agent := newRig(tb, delta)
	agent.consume(tracesOf(tb, attrs{"service.name": "a", "k8s.namespace.name": "prod"}, "", spans...))
	agent.engine.flush(tb.Context(), agent.now.Add(time.Second))
	md := agent.sink.takeOne(tb)
	for _, rm := range md.ResourceMetrics().All() { // as further processors of the agent would add
		rm.Resource().Attributes().PutStr("host.name", host)
		rm.Resource().Attributes().PutStr("k8s.pod.uid", "pod on "+host)
		rm.Resource().Attributes().PutStr("container.id", "container on "+host)
		rm.Resource().Attributes().PutStr("service.instance.id", host)
	}
	md.MarkReadOnly()
	return md
}

func TestGatewayMergesWriters(t *testing.T) {
	for _, histogram := range []HistogramType{Exponential, Explicit} {
		for _, temporality := range []Temporality{Cumulative, Delta} {
			g := newGateway(t, func(c *Config) { c.Temporality = temporality; c.Histogram.Type = histogram })
			for i := range 5 {
				g.consume(writtenBy(t, fmt.Sprint("node-", i), get("/x", time.Second), get("/x", time.Duration(i)*time.Second)))
			}
			got := g.flush()
			require.Len(t, got, 1)
			require.Equal(t, attrs{"service.name": "a", "k8s.namespace.name": "prod"}, got[0].resource)
			require.Equal(t, attrs{"http.request.method": "GET", "http.route": "/x"}, got[0].attrs)
			require.EqualValues(t, 10, got[0].count)
			require.InDelta(t, 15, got[0].sum, 1e-9)
			require.Zero(t, got[0].min)
			require.InDelta(t, 4, got[0].max, 0)
			require.Equal(t, 2, got[0].exemplars)
			require.Equal(t, temporality == Delta, got[0].temporality == pmetric.AggregationTemporalityDelta)
			require.Empty(t, g.flush(), "an idle series is not repeated: another gateway may have taken it over")

			g.consume(writtenBy(t, "node-9", get("/x", time.Second)))
			again := g.flush()
			require.EqualValues(t, map[Temporality]int{Cumulative: 11, Delta: 1}[temporality], again[0].count)
			if temporality == Cumulative {
				require.Equal(t, got[0].start, again[0].start)
			} else {
				require.Equal(t, got[0].end, again[0].start)
			}
		}
	}
}

func TestGatewayDropsRepetitions(t *testing.T) {
	g := newGateway(t)
	md := writtenBy(t, "n", get("/x", time.Second), get("/y", time.Second))
	for range 3 {
		g.consume(md)
	}
	require.Len(t, g.flush(), 2)
	g.consume(md)
	require.Empty(t, g.flush())
	require.EqualValues(t, 2, g.counts[0].Load())
	require.EqualValues(t, 6, g.counts[2].Load())
}

func TestGatewayPassesOnWhatIsNotItsOwn(t *testing.T) {
	foreign := func(change func(pmetric.ResourceMetrics)) pmetric.Metrics {
		md := pmetric.NewMetrics()
		writtenBy(t, "n", get("/x", time.Second)).CopyTo(md)
		change(md.ResourceMetrics().At(0))
		md.MarkReadOnly()
		return md
	}
	metricOf := func(rm pmetric.ResourceMetrics) pmetric.Metric { return rm.ScopeMetrics().At(0).Metrics().At(0) }
	pointOf := func(rm pmetric.ResourceMetrics) pmetric.ExponentialHistogramDataPoint {
		return metricOf(rm).ExponentialHistogram().DataPoints().At(0)
	}
	for name, change := range map[string]func(pmetric.ResourceMetrics){
		"another scope": func(rm pmetric.ResourceMetrics) { rm.ScopeMetrics().At(0).Scope().SetName("other") },
		"no writer":     func(rm pmetric.ResourceMetrics) { rm.Resource().Attributes().Remove(writerID) },
		"cumulative":    func(rm pmetric.ResourceMetrics) { metricOf(rm).ExponentialHistogram().SetAggregationTemporality(2) },
		"gauge": func(rm pmetric.ResourceMetrics) {
			metricOf(rm).SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
		},
		"no interval":    func(rm pmetric.ResourceMetrics) { pointOf(rm).SetStartTimestamp(0) },
		"empty interval": func(rm pmetric.ResourceMetrics) { pointOf(rm).SetStartTimestamp(pointOf(rm).Timestamp()) },
		"negative":       func(rm pmetric.ResourceMetrics) { pointOf(rm).Negative().BucketCounts().Append(1) },
		"threshold":      func(rm pmetric.ResourceMetrics) { pointOf(rm).SetZeroThreshold(0.1) },
		"no extremes":    func(rm pmetric.ResourceMetrics) { pointOf(rm).RemoveMin() },
		"wrong buckets":  func(rm pmetric.ResourceMetrics) { pointOf(rm).SetCount(99) },
		"finer scale":    func(rm pmetric.ResourceMetrics) { pointOf(rm).SetScale(20) },
		"no value": func(rm pmetric.ResourceMetrics) {
			pointOf(rm).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		},
		"fractional counter": func(rm pmetric.ResourceMetrics) {
			sum := metricOf(rm).SetEmptySum()
			sum.SetAggregationTemporality(1)
			sum.SetIsMonotonic(true)
			sum.DataPoints().AppendEmpty().SetDoubleValue(1.5)
		},
		"histogram without extremes": func(rm pmetric.ResourceMetrics) {
			h := metricOf(rm).SetEmptyHistogram()
			h.SetAggregationTemporality(1)
			h.DataPoints().AppendEmpty().SetCount(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			md := foreign(change)
			g.consume(md)
			require.NoError(t, pmetrictest.CompareMetrics(md, g.sink.takeOne(t)))
			require.EqualValues(t, 1, g.counts[outcomeForwarded].Load())
			require.Empty(t, g.flush())
		})
	}
}

func TestGatewaySplitsMixedMetrics(t *testing.T) {
	md := pmetric.NewMetrics()
	writtenBy(t, "n", get("/x", time.Second), get("/bad", time.Second)).CopyTo(md)
	rm := md.ResourceMetrics().At(0)
	points := rm.ScopeMetrics().At(0).Metrics().At(0).ExponentialHistogram().DataPoints()
	for _, p := range points.All() {
		if v, _ := p.Attributes().Get("http.route"); v.Str() == "/bad" {
			p.SetCount(7)
		}
	}
	gauge := rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	gauge.SetName("gauge")
	gauge.SetEmptyGauge().DataPoints().AppendEmpty()
	other := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	other.SetName("other")
	other.SetEmptySum().DataPoints().AppendEmpty().SetIntValue(1)
	md.MarkReadOnly()

	g := newGateway(t)
	g.sink.refuse(errBusy)
	require.ErrorIs(t, g.ConsumeMetrics(t.Context(), md), errBusy)
	g.sink.take()
	g.sink.refuse(nil)
	g.consume(md) // the sender tries again: nothing is merged twice
	passed := g.sink.takeOne(t)
	require.Equal(t, 3, passed.DataPointCount())
	require.Equal(t, 2, passed.ResourceMetrics().Len())
	got := rows(passed)
	require.Equal(t, "/bad", got[0].attrs["http.route"])
	require.NotEmpty(t, got[0].resource[writerID], "what passes is unchanged")

	merged := g.flush()
	require.Len(t, merged, 1)
	require.Equal(t, "/x", merged[0].attrs["http.route"])
	require.EqualValues(t, 1, merged[0].count)
}

func TestGatewayMergesCounters(t *testing.T) {
	counter := func(writer string, n int64, start, end uint64) pmetric.Metrics {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "a")
		rm.Resource().Attributes().PutStr(writerID, writer)
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(metadata.ScopeName)
		m := sm.Metrics().AppendEmpty()
		m.SetName("c")
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		p := sum.DataPoints().AppendEmpty()
		p.SetIntValue(n)
		p.SetStartTimestamp(pcommon.Timestamp(start))
		p.SetTimestamp(pcommon.Timestamp(end))
		return md
	}
	g := newGateway(t)
	g.consume(counter("1", 5, 10, 20))
	g.consume(counter("2", 7, 10, 20))
	g.consume(counter("1", 5, 10, 20))
	got := g.flush()
	require.Len(t, got, 1)
	require.EqualValues(t, 12, got[0].count)
	require.Equal(t, pmetric.AggregationTemporalityCumulative, got[0].temporality)
}

func TestGatewayLimitsKeepTotals(t *testing.T) {
	g := newGateway(t, func(c *Config) { c.CardinalityLimit = CardinalityConfig{Total: 100, PerService: 4, Services: 1} })
	var all []pmetric.Metrics
	for w := range 3 {
		var spans []spanOf
		for i := range 20 {
			spans = append(spans, get(fmt.Sprint("/", i), time.Second))
		}
		all = append(all, writtenBy(t, fmt.Sprint("n", w), spans...))
	}
	for range 2 { // the second time everything is a repetition
		for _, md := range all {
			g.consume(md)
		}
	}
	other := pmetric.NewMetrics()
	writtenBy(t, "n", get("/x", time.Second)).CopyTo(other)
	other.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.name", "another service")
	g.consume(other)
	counts := map[any]uint64{}
	for _, row := range g.flush() {
		counts[fmt.Sprint(row.resource["service.name"], " ", row.attrs["otel.metric.overflow"])] += row.count
	}
	require.Equal(t, map[any]uint64{"a <nil>": 12, "a true": 48, "sightglass.overflow true": 1}, counts)
}

func TestGatewayKeepsOverflowOfWriters(t *testing.T) {
	agent := newRig(t, delta, func(c *Config) { c.CardinalityLimit.PerService = 1 })
	agent.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second), get("/y", time.Second)))
	agent.engine.flush(t.Context(), agent.now.Add(time.Second))
	g := newGateway(t, func(c *Config) { c.CardinalityLimit.PerService = 1 })
	g.consume(agent.sink.takeOne(t))
	got := g.flush()
	require.Len(t, got, 2)
	require.Equal(t, 1, g.engine.registry.Len())
}

func TestTelemetryOfMerging(t *testing.T) {
	tt := componenttest.NewTelemetry()
	c, err := newMetricsToMetrics(createDefaultConfig().(*Config), metadatatest.NewSettings(tt), new(sink))
	require.NoError(t, err)
	agent := newRig(t, delta)
	var sent []pmetric.Metrics
	for range 4 {
		agent.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second)))
		agent.now = agent.now.Add(10 * time.Second)
		agent.engine.flush(t.Context(), agent.now)
		sent = append(sent, agent.sink.takeOne(t))
	}
	foreign := pmetric.NewMetrics()
	foreign.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	overlap := pmetric.NewMetrics()
	sent[3].CopyTo(overlap)
	p := overlap.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).ExponentialHistogram().DataPoints().At(0)
	p.SetTimestamp(p.Timestamp() + 1)
	for _, md := range []pmetric.Metrics{sent[0], sent[3], sent[1], sent[0], foreign, overlap} {
		require.NoError(t, c.ConsumeMetrics(t.Context(), md))
	}
	mode, ignore := modeMetricsToMetrics, metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualConnectorServiceLatencyPointsMerged(t, tt, []metricdata.DataPoint[int64]{
		point(mode, 2, "merged"), point(mode, 1, "late"), point(mode, 1, "duplicate"), point(mode, 1, "overlap"), point(mode, 1, "forwarded"),
	}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencyGaps(t, tt, []metricdata.DataPoint[int64]{point(mode, 1)}, ignore)
	require.NoError(t, c.Shutdown(t.Context()))
	require.NoError(t, tt.Shutdown(t.Context()))
}

func TestMergingKnownSeriesDoesNotAllocate(t *testing.T) {
	alloctest.NotRaced(t)
	g := newGateway(t, delta)
	md := writtenBy(t, "n", get("/x", time.Second), get("/y", time.Hour))
	g.consume(md)
	// A repetition takes the whole way but for the addition of the buckets,
	// which internal/aggregate asserts for itself.
	once := func() { _ = g.ConsumeMetrics(t.Context(), md) }
	once()
	require.LessOrEqual(t, alloctest.PerRun(50, once), 4.0, "only the container for what is passed on")
}
