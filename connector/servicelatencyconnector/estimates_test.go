package servicelatencyconnector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// sampledTraces are two spans of which a sampler kept one in four, and one that
// nobody sampled.
func sampledTraces(tb testing.TB) ptrace.Traces {
	tb.Helper()
	td := ptrace.NewTraces()
	addSpans(tb, td, attrs{"service.name": "a"}, "", get("/x", time.Second), get("/x", 3*time.Second), get("/x", 2*time.Second))
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	spans.At(0).TraceState().FromRaw("other=1,ot=th:c")
	spans.At(1).TraceState().FromRaw("ot=th:c;rv:ffffffffffffff")
	spans.At(2).TraceState().FromRaw("ot=th:0")
	return td
}

// byEstimate sums what was flushed of a metric: what was seen, and what is estimated.
func byEstimate(results []row, metric string) (seen, estimated uint64) {
	for _, r := range results {
		switch {
		case r.metric != metric:
		case r.attrs["sightglass.request.estimated"] == true:
			estimated += r.count
		default:
			seen += r.count
		}
	}
	return seen, estimated
}

// TestSampledSpansAreEstimates: a span with a sampler's threshold counts as many
// times as it stands for, in series of its own.
func TestSampledSpansAreEstimates(t *testing.T) {
	r := newRig(t, delta, func(c *Config) {
		c.Objectives = []ObjectiveConfig{{Name: "o", Threshold: 2 * time.Second}}
		c.ServiceMap.Enabled, c.ServiceMap.Wait = true, 0
	})
	r.consume(sampledTraces(t))
	results := r.flush()
	for metric, want := range map[string][2]uint64{
		"http.server.request.duration": {1, 8}, "sightglass.service_map.request.duration": {1, 8},
		"sightglass.objective.request.total": {1, 8}, "sightglass.objective.request.good": {1, 4},
	} {
		seen, estimated := byEstimate(results, metric)
		require.Equal(t, want, [2]uint64{seen, estimated}, metric)
	}
}

// TestEstimatesBeyondTheLimit: overflow keeps them apart, and totals exact.
func TestEstimatesBeyondTheLimit(t *testing.T) {
	r := newRig(t, func(c *Config) { c.CardinalityLimit.PerService = 1 })
	r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get("/first", time.Second)))
	r.consume(sampledTraces(t))
	seen, estimated := byEstimate(r.flush(), "http.server.request.duration")
	require.Equal(t, [2]uint64{2, 8}, [2]uint64{seen, estimated})
}

// TestExemplarsOfWhatTheSamplerKeeps: the sampler behind the connector keeps
// traces by the last 56 bits of their id.
func TestExemplarsOfWhatTheSamplerKeeps(t *testing.T) {
	for last, want := range map[byte]int{0x00: 0, 0xff: 2} {
		r := newRig(t, func(c *Config) { c.Exemplars.SamplingPercentage = 10 })
		td := ptrace.NewTraces()
		addSpans(t, td, attrs{"service.name": "a"}, "", get("/x", time.Second), get("/x", 2*time.Second))
		for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			span.SetTraceID([16]byte{0: 1, 9: last, 15: 1})
		}
		r.consume(td)
		require.Equal(t, want, r.flush()[0].exemplars)
	}
}
