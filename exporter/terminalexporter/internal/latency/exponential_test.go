package latency

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestDownscaleIsExact(t *testing.T) {
	e := exponential{scale: 2, offset: -3, counts: []uint64{1, 2, 3, 4, 5}} // indices -3..1
	e.downscale(1)
	require.Equal(t, exponential{scale: 1, offset: -2, counts: []uint64{1, 5, 9}}, e) // {-3}, {-2,-1}, {0,1}
	e.downscale(0)
	require.Equal(t, int32(1), e.scale)
	e.downscale(40)
	require.Equal(t, exponential{scale: -39, offset: -1, counts: []uint64{6, 9}}, e)
}

func TestAddAtDifferentScales(t *testing.T) {
	e := exponential{scale: 1, zero: 1, offset: 0, counts: []uint64{1, 1, 1, 1}}
	e.add(exponential{scale: 0, zero: 2, offset: -1, counts: []uint64{7, 7}})
	require.Equal(t, exponential{scale: 0, zero: 3, offset: -1, counts: []uint64{7, 9, 2}}, e)

	fine := exponential{scale: 1, offset: 2, counts: []uint64{5}}
	e.add(fine)
	require.Equal(t, []uint64{7, 9, 7}, e.counts)
	require.Equal(t, exponential{scale: 1, offset: 2, counts: []uint64{5}}, fine, "the source is not changed")

	var empty exponential
	empty.add(fine)
	empty.add(exponential{scale: -3, zero: 4})
	require.Equal(t, exponential{scale: 1, zero: 4, offset: 2, counts: []uint64{5}}, empty)
	empty.counts[0]++
	require.Equal(t, uint64(5), fine.counts[0], "no memory is shared")
}

func TestAddStaysBounded(t *testing.T) {
	e := exponential{scale: 20, offset: math.MinInt32, counts: []uint64{1}}
	e.add(exponential{scale: 20, offset: math.MaxInt32, counts: []uint64{1}})
	require.LessOrEqual(t, len(e.counts), maxBuckets)
	require.Equal(t, uint64(2), sum(e))
}

func TestSince(t *testing.T) {
	early := exponential{scale: 2, zero: 1, offset: 0, counts: []uint64{1, 0, 2}}
	late := exponential{scale: 1, zero: 3, offset: -1, counts: []uint64{1, 4, 3}} // scale went down meanwhile
	got, ok := late.since(early)
	require.True(t, ok)
	require.Equal(t, exponential{scale: 1, zero: 2, offset: -1, counts: []uint64{1, 3, 1}}, got)
	require.Equal(t, []uint64{1, 4, 3}, late.counts, "the source is not changed")

	for name, restarted := range map[string]exponential{
		"fewer zeros":     {scale: 2, offset: 0, counts: []uint64{1, 0, 2}},
		"fewer in bucket": {scale: 2, zero: 1, offset: 0, counts: []uint64{1, 5, 1}},
		"bucket is gone":  {scale: 2, zero: 1, offset: 1, counts: []uint64{9, 9}},
		"last is gone":    {scale: 2, zero: 1, offset: 0, counts: []uint64{9, 9}},
		"no buckets":      {scale: 2, zero: 1},
	} {
		_, ok := restarted.since(early)
		require.False(t, ok, name)
	}
	got, ok = early.since(exponential{})
	require.True(t, ok)
	require.Equal(t, early, got)
}

func TestBucketBounds(t *testing.T) {
	e := exponential{scale: 0, zero: 2, offset: -1, counts: []uint64{1, 0, 3}}
	require.Equal(t, []bucket{
		{count: 2},
		{low: 0.5, high: 1, count: 1, log: true},
		{low: 2, high: 4, count: 3, log: true},
	}, e.buckets())
	e = exponential{scale: -maxScale, offset: -1, counts: []uint64{1, 1}}
	for _, b := range e.buckets() {
		require.False(t, math.IsInf(b.high, 0) || b.low == 0)
	}
}

func TestExponentialOf(t *testing.T) {
	dp := pmetric.NewExponentialHistogramDataPoint()
	dp.SetScale(40)
	dp.SetZeroCount(1)
	dp.Negative().BucketCounts().FromRaw([]uint64{2, 3})
	dp.Positive().SetOffset(-256)
	dp.Positive().BucketCounts().FromRaw([]uint64{4, 5})
	require.Equal(t, exponential{scale: maxScale, zero: 6, offset: -1, counts: []uint64{9}}, exponentialOf(dp))

	dp.SetScale(math.MinInt32)
	require.Equal(t, int32(-maxScale), exponentialOf(dp).scale)
}

func sum(e exponential) uint64 {
	n := e.zero
	for _, c := range e.counts {
		n += c
	}
	return n
}

// Whatever a sender makes up, a merge keeps every observation, stays bounded,
// and a difference is the inverse of an addition.
func FuzzExponential(f *testing.F) {
	f.Add(int32(3), int32(-10), []byte{1, 2, 3}, int32(5), int32(100), []byte{9})
	f.Add(int32(20), int32(math.MinInt32), []byte{1}, int32(-10), int32(math.MaxInt32), []byte{1, 1})
	f.Fuzz(func(t *testing.T, scale1, offset1 int32, counts1 []byte, scale2, offset2 int32, counts2 []byte) {
		a := exponentialOf(dataPoint(scale1, offset1, counts1))
		b := exponentialOf(dataPoint(scale2, offset2, counts2))
		both := exponential{}
		both.add(a)
		both.add(b)
		require.Equal(t, sum(a)+sum(b), sum(both))
		require.LessOrEqual(t, len(both.counts), maxBuckets)
		back, ok := both.since(a)
		require.True(t, ok)
		require.Equal(t, sum(b), sum(back))
		if q := quantile(both.buckets(), 0.95); sum(both) > 0 {
			require.False(t, math.IsNaN(q) || math.IsInf(q, 0) || q < 0)
		}
	})
}

func dataPoint(scale, offset int32, counts []byte) pmetric.ExponentialHistogramDataPoint {
	dp := pmetric.NewExponentialHistogramDataPoint()
	dp.SetScale(scale)
	dp.Positive().SetOffset(offset)
	for _, n := range counts {
		dp.Positive().BucketCounts().Append(uint64(n))
	}
	return dp
}
