package servicelatencyconnector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// BenchmarkMerge reports what a data point costs a gateway: 400 series of an
// agent, each with a hundred requests in the interval, interval after interval.
func BenchmarkMerge(b *testing.B) {
	const series = 400
	agent := newRig(b, delta)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		var spans []spanOf
		for i := range series {
			spans = append(spans, get(fmt.Sprint("/api/v1/resource-", i), time.Duration(math.Exp(rng.NormFloat64())*1e7)))
		}
		agent.consume(tracesOf(b, attrs{"service.name": "a", "k8s.namespace.name": "prod", "k8s.deployment.name": "a"}, "", spans...))
	}
	agent.engine.flush(b.Context(), agent.now.Add(time.Second))
	md := agent.sink.takeOne(b)
	points := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).ExponentialHistogram().DataPoints()
	buckets := 0
	for _, p := range points.All() {
		buckets += p.Positive().BucketCounts().Len()
	}
	g := newGateway(b)
	b.ReportAllocs()
	for b.Loop() {
		next(points)
		_ = g.ConsumeMetrics(b.Context(), md)
	}
	perPoint := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / series
	b.ReportMetric(perPoint, "ns/point")
	b.ReportMetric(float64(buckets)/series, "buckets/point")
	require.Zero(b, g.counts[2].Load(), "nothing was taken for a repetition")
}

// next moves the points to the writer's next interval.
func next(points pmetric.ExponentialHistogramDataPointSlice) {
	for _, p := range points.All() {
		p.SetStartTimestamp(p.Timestamp())
		p.SetTimestamp(p.Timestamp() + pcommon.Timestamp(10*time.Second))
	}
}
