package aggregate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// model is the brute force: it keeps every value and derives the histogram from
// all of them at once.
type model struct{ values []uint64 }

func (m *model) record(h *Histogram, ns uint64) {
	m.values = append(m.values, ns)
	var s Sample
	s.Set(ns)
	h.Record(&s, 0)
}

func (m *model) requireEqual(t *testing.T, h *Histogram) {
	t.Helper()
	require.EqualValues(t, len(m.values), h.Count())
	if len(m.values) == 0 {
		return
	}
	low, high, sum := uint64(math.MaxUint64), uint64(0), new(big.Int)
	for _, v := range m.values {
		low, high = min(low, v), max(high, v)
		sum.Add(sum, new(big.Int).SetUint64(v))
	}
	require.InDelta(t, Seconds(low), h.Min(), 0)
	require.InDelta(t, Seconds(high), h.Max(), 0)
	exact, _ := new(big.Float).Quo(new(big.Float).SetPrec(200).SetInt(sum), big.NewFloat(1e9)).Float64()
	require.InEpsilon(t, exact+1, h.Sum()+1, 1e-15)
	if h.Shape().Kind() == Exponential {
		m.requireBuckets(t, h)
	}
}

// requireBuckets checks scale, zero count and every bucket.
func (m *model) requireBuckets(t *testing.T, h *Histogram) {
	t.Helper()
	var zero uint64
	var finest []int32
	for _, v := range m.values {
		if v == 0 {
			zero++
			continue
		}
		finest = append(finest, indexOf(Seconds(v)))
	}
	require.Equal(t, zero, h.ZeroCount())
	scale, want := bruteForce(finest, int(h.shape.maxScale), int(h.shape.maxSize))
	require.Equal(t, want, bucketMap(h))
	if len(finest) > 0 {
		require.Equal(t, scale, h.Scale())
		require.LessOrEqual(t, h.Buckets(), int(h.shape.maxSize))
		require.NotZero(t, h.Bucket(0), "the range begins with a populated bucket")
		require.NotZero(t, h.Bucket(h.Buckets()-1), "the range ends with a populated bucket")
	}
}

// bruteForce finds the finest scale at which all indices fit and counts them.
func bruteForce(finest []int32, maxScale, maxSize int) (int32, map[int32]uint64) {
	for scale := maxScale; ; scale-- {
		counts := map[int32]uint64{}
		low, high := int32(math.MaxInt32), int32(math.MinInt32)
		for _, i := range finest {
			i >>= MaxScale - scale
			low, high = min(low, i), max(high, i)
			counts[i]++
		}
		if len(finest) == 0 || int(high)-int(low) < maxSize {
			return int32(scale), counts
		}
	}
}

func bucketMap(h *Histogram) map[int32]uint64 {
	counts := map[int32]uint64{}
	for i := range h.Buckets() {
		if n := h.Bucket(i); n > 0 {
			counts[h.Offset()+int32(i)] = n
		}
	}
	return counts
}

// asPoint is what a writer puts on the wire.
func asPoint(h *Histogram) *Point {
	p := &Point{
		Count: h.Count(), ZeroCount: h.ZeroCount(),
		Sum: Nanos(h.Sum()), Min: Nanos(h.Min()), Max: Nanos(h.Max()),
		Scale: h.Scale(), Offset: h.Offset(),
	}
	for i := range h.Buckets() {
		p.Counts = append(p.Counts, h.Bucket(i))
	}
	return p
}

// randomNanos draws durations over ten orders of magnitude, around a centre, so
// that both narrow and wide histograms come up.
func randomNanos(rng *rand.Rand, centre, spread float64) uint64 {
	if rng.IntN(200) == 0 {
		return 0
	}
	return Nanos(math.Exp(centre + spread*rng.NormFloat64()))
}
