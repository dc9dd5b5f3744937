package latency

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuantileOfOneBucket(t *testing.T) {
	linear := []bucket{{low: 1, high: 3, count: 10}}
	require.InDelta(t, 2, quantile(linear, 0.5), 1e-9)
	require.InDelta(t, 3, quantile(linear, 1), 1e-9)
	require.InDelta(t, 1, quantile(linear, 0), 1e-9)

	logarithmic := []bucket{{low: 1, high: 4, count: 10, log: true}}
	require.InDelta(t, 2, quantile(logarithmic, 0.5), 1e-9)

	point := []bucket{{low: 5, high: 5, count: 3}}
	require.InDelta(t, 5, quantile(point, 0.5), 1e-9)
}

func TestQuantileOfNothing(t *testing.T) {
	require.True(t, math.IsNaN(quantile(nil, 0.5)))
}

func TestQuantileAcrossAGap(t *testing.T) {
	buckets := []bucket{{low: 0, high: 1, count: 50}, {low: 100, high: 200, count: 50, log: true}}
	require.InDelta(t, 1, quantile(buckets, 0.5), 1e-9)
	require.InDelta(t, 100*math.Sqrt2, quantile(buckets, 0.75), 1e-6)
}

// Distributions are added, not their percentiles averaged: 99 fast requests
// and one slow one leave the median fast.
func TestQuantileOfOverlappingBuckets(t *testing.T) {
	buckets := []bucket{{low: 0, high: 10, count: 10}, {low: 0, high: 20, count: 10}}
	// Below 10 lie all of the first and half of the second.
	require.InDelta(t, 10, quantile(buckets, 0.75), 1e-9)
	require.InDelta(t, 18, quantile(buckets, 0.95), 1e-9)
}

// The percentiles of a fine histogram agree with those of the values within
// the width of a bucket.
func TestPercentilesAgreeWithValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const scale = 4
	width := math.Exp2(math.Exp2(-scale))
	values := make([]float64, 10_000)
	e := exponential{scale: scale}
	for i := range values {
		values[i] = math.Exp(random.NormFloat64()*1.5 - 5)
		index := int32(math.Ceil(math.Log2(values[i])*math.Exp2(scale))) - 1
		e.add(exponential{scale: scale, offset: index, counts: []uint64{1}})
	}
	slices.Sort(values)
	row := newRow(Key{})
	row.add(histogram{count: uint64(len(values)), exponential: e}, false)
	for i, got := range row.Percentiles(0.5, 0.95, 0.99) {
		want := values[int([]float64{0.5, 0.95, 0.99}[i]*float64(len(values)))-1]
		require.InEpsilon(t, want, got, width-1)
	}
}
