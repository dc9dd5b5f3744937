package aggregate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestExponentialEqualsBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	for _, size := range []int{2, 3, 4, 20, 160, 320} {
		for _, scale := range []int{8, 5, 0, -3} {
			for _, spread := range []float64{0, 0.05, 1, 6} {
				h, m := NewHistogram(NewExponential(size, scale)), &model{}
				for range 300 {
					m.record(h, randomNanos(rng, -5, spread))
				}
				m.requireEqual(t, h)
			}
		}
	}
}

func TestExponentialStaysRightAfterEveryValue(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	h, m := NewHistogram(NewExponential(40, MaxScale)), &model{}
	for i := range 400 {
		m.record(h, randomNanos(rng, -5, float64(i)/100))
		m.requireEqual(t, h)
	}
}

func TestExponentialHoldsTheWholeRange(t *testing.T) {
	h, m := NewHistogram(NewExponential(160, MaxScale)), &model{}
	for _, ns := range []uint64{1, math.MaxUint64, 0, 1, 1 << 40} {
		m.record(h, ns)
		m.requireEqual(t, h)
	}
	require.EqualValues(t, 1, h.Scale())
}

func TestMergeEqualsBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 17))
	for round := range 60 {
		shape := NewExponential([]int{4, 20, 160}[round%3], MaxScale)
		direct, viaPoints := NewHistogram(shape), NewHistogram(shape)
		all := &model{}
		for range 1 + rng.IntN(12) {
			part, m := NewHistogram(shape), &model{}
			centre, spread := -8+8*rng.Float64(), 3*rng.Float64()
			for range rng.IntN(50) {
				m.record(part, randomNanos(rng, centre, spread))
			}
			all.values = append(all.values, m.values...)
			direct.Merge(part)
			if p := asPoint(part); p.Count > 0 {
				require.True(t, p.Fits(shape))
				viaPoints.MergePoint(p, 0)
			}
		}
		all.requireEqual(t, direct)
		all.requireEqual(t, viaPoints)
	}
}

func TestMergePointCutsEmptyBuckets(t *testing.T) {
	shape := NewExponential(160, MaxScale)
	h := NewHistogram(shape)
	counts := make([]uint64, 5000)
	counts[2500] = 3
	p := &Point{Count: 3, Sum: 3, Min: 1, Max: 1, Scale: MaxScale, Counts: counts}
	require.True(t, p.Fits(shape))
	h.MergePoint(p, 0)
	require.EqualValues(t, MaxScale, h.Scale(), "empty buckets cost no precision")
	require.Equal(t, map[int32]uint64{2500: 3}, bucketMap(h))

	h.MergePoint(&Point{Count: 2, ZeroCount: 2, Scale: MaxScale, Counts: make([]uint64, 3)}, 0)
	require.EqualValues(t, 5, h.Count())
	require.EqualValues(t, 2, h.ZeroCount())
}

func TestPointFits(t *testing.T) {
	exponential, explicit := NewExponential(160, MaxScale), NewExplicit([]float64{1, 2})
	fits := Point{Count: 2, ZeroCount: 1, Max: 5, Scale: 3, Offset: -20, Counts: []uint64{1}}
	require.True(t, fits.Fits(exponential))
	require.True(t, fits.Fits(NewCounter()))
	require.False(t, fits.Fits(explicit))
	require.True(t, (&Point{Count: 2, Counts: []uint64{1, 0, 1}}).Fits(explicit))
	require.False(t, (&Point{Count: 2, Counts: []uint64{1, 1}}).Fits(explicit))
	for name, change := range map[string]func(*Point){
		"no value":          func(p *Point) { p.Count, p.ZeroCount, p.Counts = 0, 0, nil },
		"buckets disagree":  func(p *Point) { p.Count = 3 },
		"finer than ours":   func(p *Point) { p.Scale = MaxScale + 1 },
		"coarser than OTLP": func(p *Point) { p.Scale = minScale - 1 },
		"beyond doubles":    func(p *Point) { p.Offset = 1 << 30 },
		"below doubles":     func(p *Point) { p.Offset = math.MinInt32 },
		"min above max":     func(p *Point) { p.Min = 6 },
	} {
		p := fits
		change(&p)
		require.False(t, p.Fits(exponential), name)
	}
}

func TestExplicit(t *testing.T) {
	shape := NewExplicit([]float64{0.1, 1, 10})
	a, b := NewHistogram(shape), NewHistogram(shape)
	all := &model{}
	for i, ns := range []uint64{0, 1e8, 1e8 + 1, 1e9, 9e9, 10e9, 11e9} {
		all.record([]*Histogram{a, b}[i%2], ns)
	}
	point := asPoint(b)
	a.Merge(b)
	all.requireEqual(t, a)
	require.Equal(t, 4, a.Buckets())
	require.Zero(t, a.Offset())
	for i, want := range []uint64{2, 2, 2, 1} {
		require.Equal(t, want, a.Bucket(i), "bucket %d", i)
	}
	c := NewHistogram(shape)
	c.MergePoint(point, 0)
	for i := range 4 {
		require.Equal(t, b.Bucket(i), c.Bucket(i))
	}
}

func TestCounterKeepsOnlyTheCount(t *testing.T) {
	h := NewHistogram(NewCounter())
	all := &model{}
	for _, ns := range []uint64{0, 5, 1e9} {
		all.record(h, ns)
	}
	h.MergePoint(&Point{Count: 4}, 0)
	require.EqualValues(t, 7, h.Count())
	require.Zero(t, h.Buckets())
}

func TestResetKeepsMemoryAndForgetsValues(t *testing.T) {
	exponential, explicit := NewExponential(160, MaxScale), NewExplicit([]float64{1, 2, 3})
	h := NewHistogram(exponential)
	rng := rand.New(rand.NewPCG(1, 9))
	for _, shape := range []*Shape{exponential, explicit, exponential, NewCounter(), explicit} {
		h.Reset(shape)
		require.Zero(t, h.Count())
		all := &model{}
		for range 1000 {
			all.record(h, randomNanos(rng, -4, 3))
		}
		all.requireEqual(t, h)
	}
	require.GreaterOrEqual(t, h.Bytes(), histogramBytes+160)
	empty := alloctest.PerRun(100, func() { h.Reset(exponential) })
	require.Zero(t, empty)
}

func TestSumNeverWraps(t *testing.T) {
	h := NewHistogram(NewExponential(160, MaxScale))
	all := &model{}
	for range 5 {
		all.record(h, math.MaxUint64)
	}
	all.requireEqual(t, h)
}

func TestNanosInvertsSeconds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		ns := rng.Uint64() >> (13 + rng.IntN(50))
		require.Equal(t, ns, Nanos(Seconds(ns)))
	}
	require.Zero(t, Nanos(-1))
	require.Zero(t, Nanos(math.NaN()))
	require.Equal(t, uint64(math.MaxUint64), Nanos(math.Inf(1)))
}

func TestExemplarsKeepTheSlowestAndASample(t *testing.T) {
	h := NewHistogram(NewExponential(160, MaxScale))
	var s Sample
	for i := range uint64(10_000) {
		s.Set(1 + (i*7919)%10_000)
		s.Keep = true
		s.Exemplar.Time = i
		h.Record(&s, 4)
	}
	kept := h.Exemplars()
	require.Len(t, kept, 4)
	require.EqualValues(t, 10_000, kept[0].Value)
	for _, e := range kept[1:] {
		require.Equal(t, 1+(e.Time*7919)%10_000, e.Value, "an exemplar keeps its own value and time")
	}
}

func TestExemplarsAreAUniformSample(t *testing.T) {
	const offers, rounds = 20, 4000
	var hits [offers]int
	for range rounds {
		var r reservoir
		r.offer(&Exemplar{Value: 1e6}, 3)
		for i := range uint64(offers) {
			r.offer(&Exemplar{Value: i}, 3)
		}
		for _, e := range r.kept[1:] {
			hits[e.Value]++
		}
	}
	for i, n := range hits { // expected 2/20 of the rounds; 6 sigma is about 114
		require.InDelta(t, rounds*2/offers, n, 120, "value %d", i)
	}
}

func TestExemplarsOff(t *testing.T) {
	h := NewHistogram(NewExponential(160, MaxScale))
	var s Sample
	s.Set(5)
	s.Keep = true
	h.Record(&s, 0)
	require.Empty(t, h.Exemplars())
	s.Keep = false
	h.Record(&s, 4)
	require.Empty(t, h.Exemplars())
}

func TestRecordDoesNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []*Shape{NewExponential(160, MaxScale), NewExplicit([]float64{0.1, 1}), NewCounter()} {
		h := NewHistogram(shape)
		for range 2 { // after the first round all memory is there
			allocs := alloctest.PerRun(5000, func() {
				var s Sample
				s.Set(randomNanos(rng, -5, 2))
				s.Keep = true
				h.Record(&s, 4)
			})
			require.Zero(t, allocs)
			h.Reset(shape)
		}
	}
}

func FuzzMerge(f *testing.F) {
	f.Add(uint16(160), int8(8), uint64(1), []byte{1, 2, 3, 250, 9, 9, 0, 0})
	f.Add(uint16(2), int8(0), uint64(1<<60), []byte{255, 255, 0, 1})
	f.Fuzz(func(t *testing.T, size uint16, scale int8, seed uint64, data []byte) {
		shape := NewExponential(int(size%400), int(max(scale, minScale)))
		parts := [3]*Histogram{NewHistogram(shape), NewHistogram(shape), NewHistogram(shape)}
		all := &model{}
		rng := rand.New(rand.NewPCG(seed, 0))
		for _, b := range data {
			// The low bits choose the part, the others how many bits the value has.
			all.record(parts[int(b&3)%3], rng.Uint64()>>(b>>2))
		}
		parts[1].Merge(parts[2])
		if p := asPoint(parts[1]); p.Count > 0 {
			// Single values beyond 2^51 ns lose their last bits on the wire, so
			// the sum is compared through Merge only.
			require.True(t, p.Fits(shape))
		}
		parts[0].Merge(parts[1])
		all.requireEqual(t, parts[0])
	})
}

func FuzzMergePoint(f *testing.F) {
	f.Add(int32(8), int32(-2000), []byte{1, 0, 3})
	f.Add(int32(-10), int32(0), []byte{0, 0, 0, 7})
	f.Add(int32(20), int32(math.MaxInt32), []byte{1})
	f.Fuzz(func(t *testing.T, scale, offset int32, counts []byte) {
		p := &Point{Scale: scale, Offset: offset, Min: 1, Max: 2}
		for _, n := range counts {
			p.Counts = append(p.Counts, uint64(n))
			p.Count += uint64(n)
		}
		h := NewHistogram(NewExponential(160, MaxScale))
		for i := range 2 {
			if !p.Fits(h.Shape()) {
				return
			}
			h.MergePoint(p, 0)
			require.Equal(t, p.Count*uint64(i+1), h.Count())
			var total uint64
			for _, n := range bucketMap(h) {
				total += n
			}
			require.Equal(t, h.Count(), total)
		}
	})
}

func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	h := NewHistogram(NewExponential(160, MaxScale))
	require.Zero(t, h.Quantile(0.5))
	all := &model{}
	for range 10_000 {
		all.record(h, randomNanos(rng, -5, 1))
	}
	slices.Sort(all.values)
	width := math.Exp2(math.Ldexp(1, -int(h.Scale())))
	for _, q := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
		exact := Seconds(all.values[max(int(q*float64(len(all.values)))-1, 0)])
		require.InEpsilon(t, exact, h.Quantile(q), width-1, "quantile %g", q)
	}
	require.InDelta(t, h.Max(), h.Quantile(1), 0)
	require.InDelta(t, h.Max(), h.Quantile(2), 0)

	h.Reset(h.Shape())
	for _, ns := range []uint64{0, 0, 0, 1e9} {
		all.record(h, ns)
	}
	require.Zero(t, h.Quantile(0.5))
	require.InEpsilon(t, 1, h.Quantile(0.9), 0.003)
}

// TestHistogramFillsTwoCacheLines: with very many series the time goes into
// reading them from memory.
func TestHistogramFillsTwoCacheLines(t *testing.T) {
	require.Equal(t, 128, histogramBytes)
}
