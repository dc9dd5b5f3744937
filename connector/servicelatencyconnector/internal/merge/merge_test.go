package merge

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestSorterOrdersAndFilters(t *testing.T) {
	var s Sorter
	attrs := pcommon.NewMap()
	attrs.PutStr("b", "1")
	attrs.PutInt("a", 2)
	attrs.PutEmpty("nothing")
	attrs.PutBool("c", true)
	want := aggregate.AppendNamed(nil, "a", aggregate.IntValue(2))
	want = aggregate.AppendNamed(want, "c", aggregate.BoolValue(true))
	require.Equal(t, want, s.AppendKey(nil, attrs, func(name string) bool { return name != "b" }))
	require.Len(t, s.AppendKey([]byte("prefix"), attrs, nil), len("prefix")+len(want)+len(aggregate.AppendNamed(nil, "b", aggregate.StringValue("1"))))
}

func deltaMetric(name string) pmetric.Metric {
	m := pmetric.NewMetric()
	m.SetName(name)
	m.SetUnit("s")
	m.SetDescription("of " + name)
	m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	return m
}

func TestMetricsHaveOneDescriptorPerKind(t *testing.T) {
	table := NewMetrics(aggregate.NewExponential(160, 8))
	var buf []byte
	a, buf := table.Lookup(deltaMetric("a"), []float64{1, 2}, buf)
	again, buf := table.Lookup(deltaMetric("a"), []float64{1, 2}, buf)
	require.Same(t, a, again)
	require.Equal(t, "of a", a.Description)
	require.Equal(t, []float64{1, 2}, a.Shape.Bounds())
	otherBounds, buf := table.Lookup(deltaMetric("a"), []float64{1, 3}, buf)
	require.NotSame(t, a, otherBounds)
	require.NotEqual(t, a.ID, otherBounds.ID)

	exponential := deltaMetric("a")
	exponential.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	e, buf := table.Lookup(exponential, nil, buf)
	require.Equal(t, aggregate.Exponential, e.Shape.Kind())

	counter := deltaMetric("a")
	counter.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	none, buf := table.Lookup(counter, nil, buf)
	require.Nil(t, none, "not monotonic")
	counter.Sum().SetIsMonotonic(true)
	c, buf := table.Lookup(counter, nil, buf)
	require.Equal(t, aggregate.Counter, c.Shape.Kind())

	require.Zero(t, alloctest.PerRun(10, func() { _, buf = table.Lookup(counter, nil, buf) }))
}

// TestMergeable: only what adds up, and in deltas.
func TestMergeable(t *testing.T) {
	for _, temporality := range []pmetric.AggregationTemporality{
		pmetric.AggregationTemporalityDelta, pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityUnspecified,
	} {
		delta := temporality == pmetric.AggregationTemporalityDelta
		m := pmetric.NewMetric()
		require.False(t, Mergeable(m), "nothing")
		m.SetEmptyHistogram().SetAggregationTemporality(temporality)
		require.Equal(t, delta, Mergeable(m), "histogram, %s", temporality)
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(temporality)
		require.Equal(t, delta, Mergeable(m), "exponential histogram, %s", temporality)
		sum := m.SetEmptySum()
		sum.SetAggregationTemporality(temporality)
		require.False(t, Mergeable(m), "sum that may fall, %s", temporality)
		sum.SetIsMonotonic(true)
		require.Equal(t, delta, Mergeable(m), "sum, %s", temporality)
		m.SetEmptyGauge()
		require.False(t, Mergeable(m), "gauge")
		m.SetEmptySummary()
		require.False(t, Mergeable(m), "summary")
	}
}

func TestMetricsAreBounded(t *testing.T) {
	table := NewMetrics(aggregate.NewExponential(160, 8))
	for i := range maxMetrics + 5 {
		m, _ := table.Lookup(deltaMetric(fmt.Sprint("m", i)), nil, nil)
		require.Equal(t, i < maxMetrics, m != nil)
	}
}

func TestReaderTurnsSecondsIntoNanoseconds(t *testing.T) {
	p := pmetric.NewExponentialHistogramDataPoint()
	p.SetStartTimestamp(5)
	p.SetTimestamp(7)
	p.SetCount(3)
	p.SetZeroCount(1)
	p.SetSum(0.3)
	p.SetMin(0)
	p.SetMax(0.2)
	p.SetScale(3)
	p.Positive().SetOffset(-9)
	p.Positive().BucketCounts().FromRaw([]uint64{1, 1})
	e := p.Exemplars().AppendEmpty()
	e.SetTraceID([16]byte{1})
	e.SetSpanID([8]byte{2})
	e.SetTimestamp(6)
	e.SetDoubleValue(0.2)
	var r Reader
	require.Equal(t, &aggregate.Point{
		Start: 5, End: 7, Count: 3, ZeroCount: 1, Sum: 300_000_000, Max: 200_000_000, Scale: 3, Offset: -9, Counts: []uint64{1, 1},
		Exemplars: []aggregate.Exemplar{{TraceID: [16]byte{1}, SpanID: [8]byte{2}, Time: 6, Value: 200_000_000}},
	}, r.Exponential(p))

	n := pmetric.NewNumberDataPoint()
	n.SetStartTimestamp(1)
	n.SetTimestamp(2)
	n.SetIntValue(4)
	got := r.Number(n)
	require.EqualValues(t, 4, got.Count)
	require.Empty(t, got.Counts)
	require.Empty(t, got.Exemplars)
	n.SetIntValue(-1)
	require.Nil(t, r.Number(n))
}

// TestReaderLeavesWhatItWouldChange: points that hold less or more than series do.
func TestReaderLeavesWhatItWouldChange(t *testing.T) {
	var r Reader
	for name, change := range map[string]func(pmetric.ExponentialHistogramDataPoint){
		"negative values": func(p pmetric.ExponentialHistogramDataPoint) { p.Negative().BucketCounts().Append(1) },
		"a threshold":     func(p pmetric.ExponentialHistogramDataPoint) { p.SetZeroThreshold(1e-9) },
		"no sum":          func(p pmetric.ExponentialHistogramDataPoint) { p.RemoveSum() },
		"no minimum":      func(p pmetric.ExponentialHistogramDataPoint) { p.RemoveMin() },
		"no maximum":      func(p pmetric.ExponentialHistogramDataPoint) { p.RemoveMax() },
		"no beginning":    func(p pmetric.ExponentialHistogramDataPoint) { p.SetStartTimestamp(0) },
		"no interval":     func(p pmetric.ExponentialHistogramDataPoint) { p.SetStartTimestamp(p.Timestamp()) },
		"no value was there": func(p pmetric.ExponentialHistogramDataPoint) {
			p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		},
	} {
		p := pmetric.NewExponentialHistogramDataPoint()
		p.SetStartTimestamp(5)
		p.SetTimestamp(7)
		p.SetSum(1)
		p.SetMin(1)
		p.SetMax(1)
		require.NotNil(t, r.Exponential(p))
		change(p)
		require.Nil(t, r.Exponential(p), name)
	}
	for name, change := range map[string]func(pmetric.HistogramDataPoint){
		"no sum":       func(p pmetric.HistogramDataPoint) { p.RemoveSum() },
		"no minimum":   func(p pmetric.HistogramDataPoint) { p.RemoveMin() },
		"no maximum":   func(p pmetric.HistogramDataPoint) { p.RemoveMax() },
		"no beginning": func(p pmetric.HistogramDataPoint) { p.SetStartTimestamp(0) },
	} {
		p := pmetric.NewHistogramDataPoint()
		p.SetStartTimestamp(5)
		p.SetTimestamp(7)
		p.SetSum(1)
		p.SetMin(1)
		p.SetMax(1)
		require.NotNil(t, r.Explicit(p))
		change(p)
		require.Nil(t, r.Explicit(p), name)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(uint64(3), 0.5, 0.1, 0.2, int32(4), int32(-20), []byte{1, 1, 1})
	f.Add(uint64(1), -1.0, 1e300, 0.0, int32(-11), int32(1<<30), []byte{255})
	f.Fuzz(func(t *testing.T, count uint64, sum, low, high float64, scale, offset int32, counts []byte) {
		p := pmetric.NewExponentialHistogramDataPoint()
		p.SetStartTimestamp(1)
		p.SetTimestamp(2)
		p.SetCount(count)
		p.SetSum(sum)
		p.SetMin(low)
		p.SetMax(high)
		p.SetScale(scale)
		p.Positive().SetOffset(offset)
		for _, n := range counts {
			p.Positive().BucketCounts().Append(uint64(n))
		}
		var r Reader
		shape := aggregate.NewExponential(20, 8)
		point := r.Exponential(p)
		require.NotNil(t, point)
		if point.Fits(shape) {
			h := aggregate.NewHistogram(shape)
			h.MergePoint(point, 1)
			require.Equal(t, count, h.Count())
			require.LessOrEqual(t, h.Buckets(), 20)
		}
	})
}
