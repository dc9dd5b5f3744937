package servicelatencyconnector

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// fleet builds batches of 100 spans: services, each with its operations, each
// span with the attributes of a real one.
func fleet(tb testing.TB, services, operations int) []ptrace.Traces {
	tb.Helper()
	var batches []ptrace.Traces
	for s := range services {
		for first := 0; first < operations; first += 100 {
			var spans []spanOf
			for i := range 100 {
				spans = append(spans, fleetSpan(s, (first+i)%operations))
			}
			batches = append(batches, tracesOf(tb, attrs{
				"service.name": fmt.Sprint("service-", s), "service.namespace": "shop", "k8s.namespace.name": "prod",
				"k8s.deployment.name": fmt.Sprint("service-", s), "k8s.pod.name": fmt.Sprint("service-", s, "-5d4f-x"),
				"k8s.pod.uid": fmt.Sprint("uid-", s), "container.id": fmt.Sprint("container-", s), "host.name": "node-1",
				"telemetry.sdk.language": "go", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.45.0",
			}, "library", spans...))
		}
	}
	return batches
}

func fleetSpan(service, operation int) spanOf {
	return spanOf{
		kind: ptrace.SpanKindServer, duration: time.Duration(1+(operation*7919+service)%100_000) * 10 * time.Microsecond,
		attrs: attrs{
			"http.request.method": "GET", "url.scheme": "https", "http.route": fmt.Sprintf("/api/v1/resource-%d/{id}", operation),
			"url.path": "/api/v1/resource/17", "http.response.status_code": 200, "network.protocol.version": "1.1",
			"server.address": "shop.example", "server.port": 443, "client.address": "192.0.2.7", "network.peer.address": "10.1.2.3",
			"network.peer.port": 51234, "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
		},
	}
}

func benchmarkRig(b *testing.B) *rig {
	b.Helper()
	return newRig(b, delta, func(c *Config) {
		c.CardinalityLimit = CardinalityConfig{Total: 200_000, PerService: 200_000, Services: 1000}
	})
}

// BenchmarkConsumeTraces reports the cost of one span with 40 services of ten
// operations each, and with 100,000 series.
func BenchmarkConsumeTraces(b *testing.B) {
	for _, size := range []struct{ services, operations int }{{40, 10}, {40, 2500}} {
		b.Run(fmt.Sprint(size.services*size.operations, "_series"), func(b *testing.B) {
			r := benchmarkRig(b)
			batches := fleet(b, size.services, size.operations)
			for _, td := range batches {
				r.consume(td)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_ = r.ConsumeTraces(b.Context(), batches[i%len(batches)])
				i++
			}
			perSpan := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / 100
			b.ReportMetric(perSpan, "ns/span")
			b.ReportMetric(1e9/perSpan, "spans/s")
		})
	}
}

// BenchmarkFlush reports the time of a flush of 100,000 series that all have a
// value, and the memory that they hold.
func BenchmarkFlush(b *testing.B) {
	before := heap()
	r := benchmarkRig(b)
	batches := fleet(b, 40, 2500)
	traces := heap() - before
	now := time.Now()
	for range b.N {
		b.StopTimer()
		for _, td := range batches {
			r.consume(td)
		}
		now = now.Add(time.Second)
		b.StartTimer()
		r.engine.flush(b.Context(), now)
		b.StopTimer()
		r.sink.take()
	}
	held := heap() - before - traces
	b.ReportMetric(float64(held)/float64(r.engine.store.Series()), "bytes/series")
	b.ReportMetric(float64(r.engine.bytes.Load())/float64(r.engine.store.Series()), "estimated_bytes/series")
	require.EqualValues(b, 100_000, r.engine.store.Series())
	runtime.KeepAlive(batches)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
