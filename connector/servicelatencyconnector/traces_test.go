package servicelatencyconnector

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/schema"
)

// shopTraces are the requests of two replicas of a shop and of its database.
func shopTraces(tb testing.TB) ptrace.Traces {
	tb.Helper()
	td := ptrace.NewTraces()
	server, client := ptrace.SpanKindServer, ptrace.SpanKindClient
	for _, replica := range []string{"a", "b"} {
		resource := attrs{
			"service.name": "shop", "service.namespace": "retail", "k8s.namespace.name": "prod", "k8s.deployment.name": "shop",
			"k8s.pod.name": "shop-" + replica, "k8s.pod.uid": replica, "container.id": replica + replica, "host.name": "node-" + replica,
		}
		addSpans(tb, td, resource, "",
			spanOf{server, 12 * time.Millisecond, ptrace.StatusCodeUnset, attrs{
				"http.request.method": "GET", "http.route": "/cart/{id}", "url.scheme": "https", "url.path": "/cart/" + replica,
				"http.response.status_code": 200, "client.address": "192.0.2.1", "network.peer.address": "10.0.0.1",
			}},
			spanOf{server, 2 * time.Second, ptrace.StatusCodeError, attrs{
				"http.request.method": "POST", "sightglass.http.route.inferred": "/pay/*", "url.scheme": "https",
				"http.response.status_code": 504, "network.peer.address": "127.0.0.1",
			}},
			spanOf{server, time.Hour, ptrace.StatusCodeUnset, attrs{
				"http.request.method": "GET", "http.route": "/feed", "url.scheme": "https", "http.response.status_code": 101,
			}},
			spanOf{client, 3 * time.Millisecond, ptrace.StatusCodeUnset, attrs{
				"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT carts",
				"server.address": "db-0", "server.port": 5432, "service.peer.name": "postgres",
			}},
			spanOf{client, 0, ptrace.StatusCodeError, attrs{"rpc.system.name": "grpc", "rpc.method": "pay.Pay/Charge", "rpc.response.status_code": "UNAVAILABLE"}},
			spanOf{ptrace.SpanKindInternal, time.Millisecond, ptrace.StatusCodeUnset, nil},
		)
	}
	addSpans(tb, td, attrs{"service.name": "postgres"}, "", spanOf{server, 2 * time.Millisecond, ptrace.StatusCodeUnset, attrs{"db.system.name": "postgresql"}})
	return td
}

func TestGolden(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"cumulative": func(*Config) {},
		"delta":      delta,
		"explicit":   func(c *Config) { c.Histogram.Type = Explicit },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, change)
			r.consume(shopTraces(t))
			r.engine.flush(t.Context(), r.now.Add(time.Second))
			got := r.sink.takeOne(t)
			for _, rm := range got.ResourceMetrics().All() { // what differs from machine to machine and run to run
				for _, name := range []string{"host.id", "sightglass.writer.id"} {
					if v, ok := rm.Resource().Attributes().Get(name); ok {
						v.SetStr("some " + name)
					}
				}
			}
			file := filepath.Join("testdata", "golden", name+".yaml")
			if *update {
				require.NoError(t, golden.WriteMetricsToFile(file, got))
			}
			want, err := golden.ReadMetrics(file)
			require.NoError(t, err)
			require.NoError(t, pmetrictest.CompareMetrics(want, got,
				pmetrictest.IgnoreTimestamp(), pmetrictest.IgnoreStartTimestamp(),
				pmetrictest.IgnoreResourceMetricsOrder(), pmetrictest.IgnoreMetricsOrder(), pmetrictest.IgnoreMetricDataPointsOrder(),
				pmetrictest.IgnoreExemplarSlice(),
			))
		})
	}
}

func TestReplicasShareTheirSeries(t *testing.T) {
	r := newRig(t)
	for replica := range 5 {
		r.consume(tracesOf(t, attrs{"service.name": "a", "k8s.pod.name": strconv.Itoa(replica), "service.instance.id": replica}, "",
			get("/x", time.Second), get("/x", 3*time.Second)))
	}
	got := r.flush()
	require.Len(t, got, 1)
	require.Equal(t, "a", got[0].resource["service.name"])
	require.NotContains(t, got[0].resource, "k8s.pod.name")
	require.EqualValues(t, 10, got[0].count)
	require.InDelta(t, 20, got[0].sum, 1e-9)
	require.InDelta(t, 1, got[0].min, 0)
	require.InDelta(t, 3, got[0].max, 0)
	require.Equal(t, "http.server.request.duration", got[0].metric)
}

func TestTemporalities(t *testing.T) {
	traces := func() ptrace.Traces { return tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second)) }

	r := newRig(t)
	r.consume(traces())
	first := r.flush()[0]
	r.consume(traces())
	second := r.flush()[0]
	idle := r.flush()[0]
	require.Equal(t, pmetric.AggregationTemporalityCumulative, first.temporality)
	require.Equal(t, []uint64{1, 2, 2}, []uint64{first.count, second.count, idle.count})
	require.Equal(t, first.start, idle.start)
	require.NotEmpty(t, first.resource["host.id"])
	require.NotContains(t, first.resource, "sightglass.writer.id", "a restart goes on with the same series")

	r = newRig(t, delta)
	r.consume(traces())
	first = r.flush()[0]
	require.Empty(t, r.flush())
	r.consume(traces())
	second = r.flush()[0]
	require.Equal(t, pmetric.AggregationTemporalityDelta, first.temporality)
	require.Equal(t, []uint64{1, 1}, []uint64{first.count, second.count})
	require.Equal(t, first.end, second.start, "intervals are contiguous")
	require.NotEmpty(t, first.resource["sightglass.writer.id"])
	require.Equal(t, first.resource, second.resource)
	require.NotEqual(t, first.resource["sightglass.writer.id"], newWriter().id, "every start has another id")
}

func TestOverflowKeepsTotals(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.CardinalityLimit = CardinalityConfig{Total: 100, PerService: 5, Services: 3}
	})
	total := 0
	for i := range 40 {
		service := fmt.Sprint("s", i%4)
		r.consume(tracesOf(t, attrs{"service.name": service}, "",
			get(fmt.Sprint("/", i), time.Second), get("/", time.Second),
			spanOf{kind: ptrace.SpanKindServer, status: ptrace.StatusCodeError, attrs: attrs{"http.request.method": "GET", "http.route": fmt.Sprint("/bad", i)}}))
		total += 3
	}
	counts, series, failed := map[any]int{}, map[any]int{}, 0
	overflow := uint64(0)
	for _, row := range r.flush() {
		service := row.resource["service.name"]
		counts[service] += int(row.count)
		if row.attrs["otel.metric.overflow"] == true {
			overflow += row.count
		} else {
			series[service]++
		}
		if row.attrs["error.type"] != nil {
			failed += int(row.count)
		}
	}
	require.Equal(t, map[any]int{"s0": 30, "s1": 30, "s2": 30, "sightglass.overflow": 30}, counts)
	require.Equal(t, map[any]int{"s0": 5, "s1": 5, "s2": 5}, series)
	require.Equal(t, 40, failed, "failures stay failures")
	require.EqualValues(t, r.counts[outcomeOverflow].Load(), overflow)
	require.EqualValues(t, total, r.counts[outcomeOverflow].Load()+r.counts[0].Load())
}

func TestInstrumentedProcessesAreCountedOnce(t *testing.T) {
	ebpf := func(container string) ptrace.Traces {
		return tracesOf(t, attrs{"service.name": "a", "container.id": container}, schema.ScopeName,
			get("/x", time.Second), spanOf{kind: ptrace.SpanKindClient, attrs: attrs{"http.request.method": "GET"}})
	}
	sdk := func(container string) ptrace.Traces {
		return tracesOf(t, attrs{"service.name": "a", "container.id": container}, "io.opentelemetry.tomcat", get("/x", time.Second))
	}
	counts := func(r *rig) map[string]uint64 {
		out := map[string]uint64{}
		for _, row := range r.flush() {
			out[row.metric] += row.count
		}
		return out
	}
	r := newRig(t)
	r.consume(sdk("1"))
	r.consume(ebpf("1"))
	r.consume(ebpf("2"))
	require.Equal(t, map[string]uint64{
		"http.server.request.duration": 2, // one by the SDK, one of the other container
		"http.client.request.duration": 2, // which the SDK does not report
	}, counts(r))
	require.EqualValues(t, 1, r.counts[outcomeInstrumented].Load())

	r = newRig(t, func(c *Config) { c.PreferInstrumented = false })
	r.consume(sdk("1"))
	r.consume(ebpf("1"))
	require.EqualValues(t, 2, counts(r)["http.server.request.duration"])
}

func TestExemplars(t *testing.T) {
	traces := func(flags uint32) ptrace.Traces {
		td := ptrace.NewTraces()
		addSpans(t, td, attrs{"service.name": "a"}, "", get("/x", time.Second), get("/x", 9*time.Second))
		for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			span.SetFlags(flags)
		}
		return td
	}
	for name, tc := range map[string]struct {
		flags     uint32
		exemplars ExemplarsConfig
		want      int
	}{
		"sampled":           {0x101, ExemplarsConfig{4, SampledSpans, 100}, 2},
		"not sampled":       {0x100, ExemplarsConfig{4, SampledSpans, 100}, 0},
		"not known":         {0, ExemplarsConfig{4, SampledSpans, 100}, 2},
		"all":               {0x100, ExemplarsConfig{4, AllSpans, 100}, 2},
		"the slowest alone": {0x101, ExemplarsConfig{1, SampledSpans, 100}, 1},
		"off":               {0x101, ExemplarsConfig{0, SampledSpans, 100}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Exemplars = tc.exemplars })
			r.consume(traces(tc.flags))
			r.engine.flush(t.Context(), r.now.Add(time.Second))
			p := r.sink.takeOne(t).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).ExponentialHistogram().DataPoints().At(0)
			require.Equal(t, tc.want, p.Exemplars().Len())
			if tc.want > 0 {
				e := p.Exemplars().At(0)
				require.InDelta(t, 9, e.DoubleValue(), 0)
				require.Equal(t, "0000000000000002", e.SpanID().String())
				require.Equal(t, "00000000000000000000000000000002", e.TraceID().String())
				require.Equal(t, spansEnd, e.Timestamp().AsTime())
			}
		})
	}
	r := newRig(t)
	td := traces(1)
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetTraceID([16]byte{})
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).SetSpanID([8]byte{})
	r.consume(td)
	require.Zero(t, r.flush()[0].exemplars, "a span without ids cannot be found")
}

func TestSeriesExpire(t *testing.T) {
	r := newRig(t, func(c *Config) { c.SeriesExpiration = 25 * time.Second })
	r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second)))
	before := r.flush()[0]
	require.Len(t, r.flush(), 1)
	require.Len(t, r.flush(), 1)
	require.Len(t, r.flush(), 1)
	require.Empty(t, r.flush())
	require.EqualValues(t, 1, r.engine.expired.Load())
	require.Zero(t, r.engine.bytes.Load())
	r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second)))
	after := r.flush()[0]
	require.EqualValues(t, 1, after.count)
	require.True(t, after.start.After(before.end))
}

func TestLargeFlushesAreSplit(t *testing.T) {
	r := newRig(t, func(c *Config) { c.CardinalityLimit.PerService = 10_000 })
	var spans []spanOf
	for i := range 2*batchPoints + 10 {
		spans = append(spans, get(fmt.Sprint("/", i), time.Second))
	}
	r.consume(tracesOf(t, attrs{"service.name": "a"}, "", spans...))
	r.engine.flush(t.Context(), r.now.Add(time.Second))
	var sizes []int
	for _, md := range r.sink.take() {
		sizes = append(sizes, md.DataPointCount())
	}
	require.Equal(t, []int{batchPoints, batchPoints, 10}, sizes)
}

func TestFirstFlushDoesNotWaitForTheInterval(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.FlushInterval = time.Hour
	cfg.SeriesExpiration = 2 * time.Hour
	out := new(sink)
	c, err := newTracesToMetrics(cfg, connectortest.NewNopSettings(metadata.Type), out)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), nil))
	require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second))))
	require.Eventually(t, func() bool { return len(rows(out.take()...)) == 1 }, time.Minute, 10*time.Millisecond)

	require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second))))
	require.NoError(t, c.Shutdown(t.Context()))
	require.EqualValues(t, 2, rows(out.take()...)[0].count, "shutdown flushes what is left")
	require.NoError(t, c.Shutdown(t.Context()))
}

// Consumers never wait for the next component, however long a flush takes.
func TestFlushNeverBlocksConsumption(t *testing.T) {
	blocked, entered := make(chan struct{}), make(chan struct{})
	cfg := createDefaultConfig().(*Config)
	cfg.Temporality = Delta
	next := &blockingSink{sink: new(sink), entered: entered, blocked: blocked}
	c, err := newTracesToMetrics(cfg, connectortest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	traces := tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second))
	require.NoError(t, c.ConsumeTraces(t.Context(), traces))
	var wg sync.WaitGroup
	wg.Go(func() { c.engine.flush(t.Context(), time.Now()) })
	<-entered
	for range 1000 {
		require.NoError(t, c.ConsumeTraces(t.Context(), traces))
	}
	close(blocked)
	wg.Wait()
	c.engine.flush(t.Context(), time.Now())
	got := rows(next.take()...)
	require.EqualValues(t, 1, got[0].count)
	require.EqualValues(t, 1000, got[1].count)
}

type blockingSink struct {
	*sink
	once             sync.Once
	entered, blocked chan struct{}
}

func (s *blockingSink) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	s.once.Do(func() { close(s.entered); <-s.blocked })
	return s.sink.ConsumeMetrics(ctx, md)
}

func TestShutdownRespectsItsDeadline(t *testing.T) {
	blocked, entered := make(chan struct{}), make(chan struct{})
	cfg := createDefaultConfig().(*Config)
	next := &blockingSink{sink: new(sink), entered: entered, blocked: blocked}
	c, err := newTracesToMetrics(cfg, connectortest.NewNopSettings(metadata.Type), next)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context(), nil))
	require.NoError(t, c.ConsumeTraces(t.Context(), tracesOf(t, attrs{"service.name": "a"}, "", get("/x", time.Second))))
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, c.Shutdown(ctx), "did not end in time")
	close(blocked)
	<-c.stopped
}

func TestConcurrentConsumptionLosesNothing(t *testing.T) {
	const workers, batches = 4, 200
	r := newRig(t, delta)
	var wg sync.WaitGroup
	for w := range workers {
		traces := tracesOf(t, attrs{"service.name": fmt.Sprint("s", w%2)}, "", get("/x", time.Second), get(fmt.Sprint("/", w), time.Second))
		wg.Go(func() {
			for range batches {
				_ = r.ConsumeTraces(t.Context(), traces)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var total uint64
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for _, row := range r.flush() {
			total += row.count
		}
	}
	require.EqualValues(t, workers*batches*2, total)
}

func TestConsumingKnownSeriesDoesNotAllocate(t *testing.T) {
	alloctest.NotRaced(t)
	for _, temporality := range []Temporality{Delta, Cumulative} {
		r := newRig(t, func(c *Config) {
			c.Temporality = temporality
			c.Dimensions = []DimensionConfig{{Name: "tenant"}, {Name: "app.*"}}
		})
		traces := shopTraces(t)
		traces.MarkReadOnly()
		for range 3 {
			r.consume(traces)
			r.flush()
		}
		require.Zero(t, alloctest.PerRun(50, func() { _ = r.ConsumeTraces(t.Context(), traces) }))
	}
}
