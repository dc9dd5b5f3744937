package servicelatencyconnector

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadatatest"
)

// point is an expected number of the connector's own telemetry.
func point(mode string, value int64, outcome ...string) metricdata.DataPoint[int64] {
	set := []attribute.KeyValue{attribute.String("connector", "service_latency"), attribute.String("mode", mode)}
	for _, o := range outcome {
		set = append(set, attribute.String("outcome", o))
	}
	return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(set...)}
}

func TestTelemetryOfTraces(t *testing.T) {
	tt := componenttest.NewTelemetry()
	set := metadatatest.NewSettings(tt)
	core, logs := observer.New(zap.InfoLevel)
	set.Logger = zap.New(core)
	cfg := createDefaultConfig().(*Config)
	cfg.Temporality = Delta
	cfg.CardinalityLimit = CardinalityConfig{Total: 50, PerService: 3, Services: 2}
	out := new(sink)
	c, err := newTracesToMetrics(cfg, set, out)
	require.NoError(t, err)
	spans := []spanOf{
		get("/a", 1), get("/b", 1), get("/c", 1), get("/d", 1), get("/e", 1),
		{kind: ptrace.SpanKindInternal},
		{kind: ptrace.SpanKindServer, attrs: attrs{"http.request.method": "GET", "sightglass.request.incomplete": "response_lost"}},
	}
	for service := range 3 {
		require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": fmt.Sprint("s", service)}, "", spans...)))
	}
	c.engine.flush(t.Context(), time.Now())
	out.refuse(errBusy)
	require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "s0"}, "", get("/a", 1))))
	c.engine.flush(t.Context(), time.Now())

	mode, ignore := modeTracesToMetrics, metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualConnectorServiceLatencySpans(t, tt, []metricdata.DataPoint[int64]{
		point(mode, 7, "counted"), point(mode, 3, "ignored"), point(mode, 0, "invalid"),
		point(mode, 3, "incomplete"), point(mode, 9, "overflow"), point(mode, 0, "instrumented"),
	}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencySeries(t, tt, []metricdata.DataPoint[int64]{point(mode, 9)}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencySeriesLimit(t, tt, []metricdata.DataPoint[int64]{point(mode, 50)}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencySeriesExpired(t, tt, []metricdata.DataPoint[int64]{point(mode, 0)}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencyServices(t, tt, []metricdata.DataPoint[int64]{point(mode, 2)}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencyPointsSent(t, tt, []metricdata.DataPoint[int64]{
		point(mode, 9, "sent"), point(mode, 1, "refused"), point(mode, 0, "lost"),
	}, ignore)
	memory, err := tt.GetMetric("otelcol_connector_service_latency_memory")
	require.NoError(t, err)
	require.Positive(t, memory.Data.(metricdata.Gauge[int64]).DataPoints[0].Value)
	duration, err := tt.GetMetric("otelcol_connector_service_latency_flush_duration")
	require.NoError(t, err)
	require.EqualValues(t, 2, duration.Data.(metricdata.Histogram[float64]).DataPoints[0].Count)

	services, messages := []any{}, map[string]int{}
	for _, entry := range logs.All() {
		messages[entry.Message[:20]]++
		if name, ok := entry.ContextMap()["service"]; ok {
			services = append(services, name)
			require.Equal(t, "http.route", entry.ContextMap()["widest_attribute"])
			require.EqualValues(t, 3, entry.ContextMap()["values"])
		}
	}
	require.ElementsMatch(t, []any{"s0", "s1"}, services, "each service is named once")
	require.Equal(t, map[string]int{"A service has reache": 2, "There are more servi": 1, "The next component r": 1}, messages)

	require.NoError(t, c.Shutdown(t.Context()))
	require.NoError(t, tt.Shutdown(t.Context()))
}
