// Package comparison measures the connector beside span_metrics of the
// collector's contrib repository, on the same spans in the same process. It is a
// module of its own so that the product does not depend on what it is compared with.
package comparison

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector"
)

// contender is a connector with the configuration that makes it comparable: one
// exponential histogram per service, route, method and status code, by delta.
type contender struct {
	name    string
	factory connector.Factory
	config  map[string]any
}

func contenders(flush string, cumulative bool) []contender {
	ours, theirs := "delta", "AGGREGATION_TEMPORALITY_DELTA"
	if cumulative {
		ours, theirs = "cumulative", "AGGREGATION_TEMPORALITY_CUMULATIVE"
	}
	return []contender{
		{"service_latency", servicelatencyconnector.NewFactory(), map[string]any{
			"metrics_flush_interval":  flush,
			"aggregation_temporality": ours,
			"series_expiration":       "10h",
			"cardinality_limit":       map[string]any{"total": 1_000_000, "per_service": 1_000_000, "services": 10_000},
		}},
		{"span_metrics", spanmetricsconnector.NewFactory(), map[string]any{
			"metrics_flush_interval":  flush,
			"aggregation_temporality": theirs,
			"histogram":               map[string]any{"unit": "s", "exponential": map[string]any{"max_size": 160}},
			"exemplars":               map[string]any{"enabled": true, "max_per_data_point": 2},
			"dimensions": []any{
				map[string]any{"name": "http.request.method"}, map[string]any{"name": "http.route"},
				map[string]any{"name": "http.response.status_code"}, map[string]any{"name": "error.type"},
			},
			"exclude_dimensions":              []any{"span.name", "status.code"},
			"resource_metrics_key_attributes": []any{"service.name", "service.namespace"},
		}},
	}
}

// sink counts data points and throws them away.
type sink struct{ points atomic.Int64 }

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	s.points.Add(int64(md.DataPointCount()))
	return nil
}

func (c *contender) start(tb testing.TB, next consumer.Metrics) connector.Traces {
	tb.Helper()
	cfg := c.factory.CreateDefaultConfig()
	require.NoError(tb, confmap.NewFromStringMap(c.config).Unmarshal(cfg))
	require.NoError(tb, confmap.Validate(cfg))
	set := connectortest.NewNopSettings(c.factory.Type())
	set.ID = component.NewID(c.factory.Type())
	started, err := c.factory.CreateTracesToMetrics(context.Background(), set, cfg, next)
	require.NoError(tb, err)
	require.NoError(tb, started.Start(context.Background(), componenttest.NewNopHost()))
	return started
}

// fleet builds batches of 100 spans, one service each.
func fleet(services, operations int) (batches []ptrace.Traces) {
	for s := range services {
		for first := 0; first < operations; first += 100 {
			td := ptrace.NewTraces()
			rs := td.ResourceSpans().AppendEmpty()
			for k, v := range map[string]string{
				"service.name": fmt.Sprint("service-", s), "service.namespace": "shop", "k8s.namespace.name": "prod",
				"k8s.deployment.name": fmt.Sprint("service-", s), "k8s.pod.name": fmt.Sprint("service-", s, "-5d4f-x"),
				"k8s.pod.uid": fmt.Sprint("uid-", s), "container.id": fmt.Sprint("container-", s), "host.name": "node-1",
			} {
				rs.Resource().Attributes().PutStr(k, v)
			}
			spans := rs.ScopeSpans().AppendEmpty().Spans()
			for i := range 100 {
				fill(spans.AppendEmpty(), s, (first+i)%operations)
			}
			td.MarkReadOnly()
			batches = append(batches, td)
		}
	}
	return batches
}

func fill(span ptrace.Span, service, operation int) {
	route := fmt.Sprintf("/api/v1/resource-%d/{id}", operation)
	span.SetKind(ptrace.SpanKindServer)
	span.SetName("GET " + route)
	span.SetTraceID([16]byte{1, byte(service), byte(operation), byte(operation >> 8)})
	span.SetSpanID([8]byte{2, byte(service), byte(operation), byte(operation >> 8)})
	end := time.Now()
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-time.Duration(1+(operation*7919+service)%100_000) * 10 * time.Microsecond)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	a := span.Attributes()
	a.PutStr("http.request.method", "GET")
	a.PutStr("url.scheme", "https")
	a.PutStr("http.route", route)
	a.PutStr("url.path", "/api/v1/resource/17")
	a.PutInt("http.response.status_code", 200)
	a.PutStr("network.protocol.version", "1.1")
	a.PutStr("server.address", "shop.example")
	a.PutInt("server.port", 443)
	a.PutStr("client.address", "192.0.2.7")
	a.PutStr("network.peer.address", "10.1.2.3")
	a.PutInt("network.peer.port", 51234)
	a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")
}

var sizes = []struct{ services, operations int }{{40, 10}, {40, 2500}}

// TestSpansPerCore reports the CPU time per span of known series, garbage
// collection included: medians of alternating rounds, because wall time means
// nothing on a shared machine.
func TestSpansPerCore(t *testing.T) {
	const rounds, spansPerRound = 5, 1_000_000
	for _, size := range sizes {
		batches := fleet(size.services, size.operations)
		list := contenders("1h", false)
		started := make([]connector.Traces, len(list))
		cpu, allocs := make([][]float64, len(list)), make([][]float64, len(list))
		for i := range list {
			started[i] = list[i].start(t, new(sink))
			for range 3 { // the first flush comes within a second; afterwards nothing disturbs
				consume(t, started[i], batches, len(batches))
				time.Sleep(1200 * time.Millisecond)
			}
		}
		for range rounds {
			for i := range list {
				runtime.GC()
				c0, m0 := cpuTime(), mallocs()
				consume(t, started[i], batches, spansPerRound/100)
				cpu[i] = append(cpu[i], float64(cpuTime()-c0)/spansPerRound)
				allocs[i] = append(allocs[i], float64(mallocs()-m0)/spansPerRound)
			}
		}
		for i := range list {
			ns := median(cpu[i])
			t.Logf("%6d series  %-16s %6.0f ns CPU/span  %9.0f spans/s and core  %6.3f allocations/span",
				size.services*size.operations, list[i].name, ns, 1e9/ns, median(allocs[i]))
			_ = started[i].Shutdown(context.Background())
		}
	}
}

func consume(tb testing.TB, c connector.Traces, batches []ptrace.Traces, n int) {
	tb.Helper()
	for i := range n {
		if err := c.ConsumeTraces(context.Background(), batches[i%len(batches)]); err != nil {
			tb.Fatal(err)
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// TestMemory reports the heap that 100,000 series hold while they are used, with
// a flush every two seconds: the median of samples taken at any time.
func TestMemory(t *testing.T) {
	batches := fleet(40, 2500)
	for _, cumulative := range []bool{false, true} {
		for _, c := range contenders("2s", cumulative) {
			before := heap()
			started := c.start(t, new(sink))
			var held []float64
			for i := range 24 {
				consume(t, started, batches, len(batches))
				if i >= 8 {
					held = append(held, float64(heap()-before))
				}
			}
			t.Logf("cumulative=%-5v %-16s %4.0f bytes/series (at most %4.0f)",
				cumulative, c.name, median(held)/100_000, slices.Max(held)/100_000)
			_ = started.Shutdown(context.Background())
		}
	}
	runtime.KeepAlive(batches)
}

// TestPauses reports how long consumers wait while flushes of 100,000 series go
// on beside them.
func TestPauses(t *testing.T) {
	batches := fleet(40, 2500)
	for _, c := range contenders("2s", false) {
		next := new(sink)
		started := c.start(t, next)
		for _, td := range batches {
			require.NoError(t, started.ConsumeTraces(t.Context(), td))
		}
		var mu sync.Mutex
		var waits []time.Duration
		end := time.Now().Add(11 * time.Second)
		for i := 0; time.Now().Before(end); i++ {
			begin := time.Now()
			_ = started.ConsumeTraces(context.Background(), batches[i%len(batches)])
			mu.Lock()
			waits = append(waits, time.Since(begin))
			mu.Unlock()
			time.Sleep(200 * time.Microsecond)
		}
		slices.Sort(waits)
		at := func(q float64) time.Duration { return waits[int(q*float64(len(waits)-1))] }
		t.Logf("%-16s batch of 100 spans: p50 %v p99 %v p99.9 %v max %v; %d points sent",
			c.name, at(0.5), at(0.99), at(0.999), at(1), next.points.Load())
		_ = started.Shutdown(context.Background())
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
