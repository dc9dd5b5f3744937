package aggregate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

const second = uint64(1e9)

// rig is a store with its registry, its flusher and one metric.
type rig struct {
	store    *Store
	registry *Registry
	flusher  *Flusher
	metric   *Metric
}

func newRig(limits Limits, options FlusherOptions) *rig {
	store := NewStore(limits)
	registry := NewRegistry(100, AppendNamed(nil, "service.name", StringValue("rest")))
	if options.Expire == 0 {
		options.Expire = 100 * second
	}
	options.Start = 1000 * second
	return &rig{
		store: store, registry: registry, flusher: NewFlusher(store, registry, options),
		metric: &Metric{ID: 1, Name: "m", Attributes: []string{"op"}, Shape: NewExponential(160, MaxScale)},
	}
}

var wide = Limits{Series: 1000, PerOwner: 1000, Exemplars: 2, Forget: never}

// record counts one request and reports whether it found a place.
func (r *rig) record(service, op string, ns uint64) bool {
	o := r.registry.Acquire(AppendNamed(nil, "service.name", StringValue(service)))
	defer o.Release()
	var s Sample
	s.Set(ns)
	s.Keep = true
	key := AppendValue(AppendHeader(nil, o, r.metric), StringValue(op))
	if r.store.Record(o, r.metric, key, &s) {
		return true
	}
	rest := AppendNamed(AppendValue(AppendHeader(nil, o, r.metric), Value{}), "overflow", BoolValue(true))
	r.store.RecordOverflow(o, r.metric, rest, &s)
	return false
}

type flushed struct {
	start, end, count uint64
	exemplars         int
}

// collect returns the intervals by "service op", in seconds since the start.
func (r *rig) collect(seconds uint64) map[string]flushed {
	out := map[string]flushed{}
	r.flusher.Collect((1000+seconds)*second, func(in Interval) {
		words := []string{""}
		for _, v := range in.Series.Owner().Attributes() {
			words[0] = v.Str()
		}
		for key, v := range in.Series.Attributes() {
			if key == "op" {
				key = v.Str()
			}
			words = append(words, key)
		}
		name := strings.Join(words, " ")
		out[name] = flushed{in.Start/second - 1000, in.End/second - 1000, in.Histogram.Count(), len(in.Exemplars)}
		r.flusher.Release(in)
	})
	return out
}

func TestDeltaIntervalsAreContiguous(t *testing.T) {
	r := newRig(wide, FlusherOptions{Temporality: Delta})
	r.record("a", "x", 5)
	r.record("a", "x", 6)
	require.Equal(t, map[string]flushed{"a x": {0, 10, 2, 2}}, r.collect(10))
	require.Empty(t, r.collect(20), "nothing happened")
	r.record("a", "x", 5)
	r.record("a", "y", 5)
	require.Equal(t, map[string]flushed{
		"a x": {10, 30, 1, 1}, // from its own last end on
		"a y": {20, 30, 1, 1}, // from the end of the last interval on
	}, r.collect(30))
}

func TestDeltaSurvivesAClockThatGoesBack(t *testing.T) {
	r := newRig(wide, FlusherOptions{Temporality: Delta})
	r.record("a", "x", 5)
	r.collect(10)
	r.record("a", "x", 5)
	var got Interval
	r.flusher.Collect(1, func(in Interval) { got = in })
	require.Equal(t, 1010*second, got.Start)
	require.Equal(t, 1010*second+1, got.End)
}

func TestCumulativeTotals(t *testing.T) {
	r := newRig(wide, FlusherOptions{Temporality: Cumulative, Repeat: true})
	r.record("a", "x", 5)
	require.Equal(t, map[string]flushed{"a x": {0, 10, 1, 1}}, r.collect(10))
	require.Equal(t, map[string]flushed{"a x": {0, 20, 1, 0}}, r.collect(20), "repeated, without exemplars")
	r.record("a", "x", 7)
	r.record("b", "x", 7)
	require.Equal(t, map[string]flushed{"a x": {0, 30, 2, 1}, "b x": {20, 30, 1, 1}}, r.collect(30))
}

func TestCumulativeWithoutRepetition(t *testing.T) {
	r := newRig(wide, FlusherOptions{Temporality: Cumulative})
	r.record("a", "x", 5)
	require.Len(t, r.collect(10), 1)
	require.Empty(t, r.collect(20))
	r.record("a", "x", 5)
	require.Equal(t, map[string]flushed{"a x": {0, 30, 2, 1}}, r.collect(30))
}

func TestExpiredSeriesComesBackWithANewStart(t *testing.T) {
	for _, temporality := range []Temporality{Delta, Cumulative} {
		r := newRig(wide, FlusherOptions{Temporality: temporality, Expire: 25 * second})
		r.record("a", "x", 5)
		r.collect(10)
		r.collect(20)
		require.EqualValues(t, 1, r.store.Series())
		r.collect(40)
		require.Equal(t, 1, r.flusher.Expired())
		require.Zero(t, r.store.Series())
		require.Zero(t, r.registry.Len(), "the owner goes with its last series")
		r.record("a", "x", 5)
		require.Equal(t, map[string]flushed{"a x": {40, 50, 1, 1}}, r.collect(50))
	}
}

func TestSeriesWithAValueDoesNotExpire(t *testing.T) {
	r := newRig(wide, FlusherOptions{Temporality: Cumulative, Expire: 25 * second})
	r.record("a", "x", 5)
	r.collect(10)
	// A value that comes during Collect, after the swap, belongs to the next
	// interval; the series must outlive the decision to expire it.
	for _, s := range r.flusher.owners[1][0].metrics[0].series {
		r.record("a", "x", 5)
		require.False(t, r.store.remove(s))
	}
	require.EqualValues(t, 2, r.collect(90)["a x"].count)
}

func TestLimitsKeepTotalsExact(t *testing.T) {
	r := newRig(Limits{Series: 7, PerOwner: 3}, FlusherOptions{Temporality: Delta, Expire: 15 * second})
	placed := map[string]int{}
	for i := range 10 {
		for _, service := range []string{"a", "b", "c"} {
			if r.record(service, "op"+strconv.Itoa(i), 5) {
				placed[service]++
			}
			r.record(service, "op0", 5)
		}
	}
	require.Equal(t, map[string]int{"a": 3, "b": 2, "c": 2}, placed)
	got := r.collect(10)
	require.EqualValues(t, 7, got["a overflow"].count)
	require.EqualValues(t, 8, got["c overflow"].count)
	var total uint64
	for _, f := range got {
		total += f.count
	}
	require.EqualValues(t, 60, total)
	require.EqualValues(t, 10, r.store.Series(), "seven and three for the overflow")

	for _, o := range slices.Concat(r.flusher.owners[:]...) {
		metric, attribute, values := r.flusher.Widest(o)
		require.Equal(t, "m op", metric+" "+attribute)
		require.EqualValues(t, o.series.Load(), values)
	}

	r.record("c", "op0", 5)
	r.collect(30) // all but c's op0 expire and free their places
	for i := range 10 {
		require.Equal(t, i < 3, r.record("b", "op"+strconv.Itoa(i), 5))
	}
}

func TestRegistryLimit(t *testing.T) {
	registry := NewRegistry(2, AppendNamed(nil, "service.name", StringValue("rest")))
	for i := range 5 {
		key := AppendNamed(nil, "service.name", IntValue(int64(i)))
		o := registry.Acquire(key)
		require.Equal(t, i < 2, o != registry.Rest())
		if i >= 2 {
			for _, v := range o.Attributes() {
				require.Equal(t, "rest", v.Str())
			}
		}
		o2 := registry.Acquire(key)
		require.Same(t, o, o2)
		o.Release()
		o2.Release()
	}
	registry.Sweep()
	require.Zero(t, registry.Len())
	require.True(t, registry.rest.WarnOnce())
	require.False(t, registry.rest.WarnOnce())
}

func TestRegistryKeepsOwnersInUse(t *testing.T) {
	registry := NewRegistry(10, nil)
	o := registry.Acquire([]byte{})
	registry.Sweep()
	again := registry.Acquire([]byte{})
	require.Same(t, o, again)
	o.Release()
	again.Release()
	registry.Sweep()
	fresh := registry.Acquire([]byte{})
	require.NotSame(t, o, fresh)
}

func TestMergePoint(t *testing.T) {
	r := newRig(Limits{Series: 2, PerOwner: 2, Forget: never}, FlusherOptions{Temporality: Delta})
	o := r.registry.Acquire(nil)
	send := func(op string, writer Writer, overflow bool, original, start, end uint64) Verdict {
		key := AppendValue(AppendHeader(nil, o, r.metric), StringValue(op))
		to := &Stream{Owner: o, Metric: r.metric, Key: key, Writer: writer, Overflow: overflow, Original: original}
		v, _ := r.store.MergePoint(to, &Point{Start: start, End: end, Count: 1, Sum: 7, Min: 7, Max: 7, Scale: 8, Counts: []uint64{1}})
		return v
	}
	require.Equal(t, Merged, send("x", 1, false, 0, 1, 2))
	require.Equal(t, Duplicate, send("x", 1, false, 0, 1, 2))
	require.Equal(t, Merged, send("x", 2, false, 0, 1, 2), "another writer")
	require.Equal(t, Merged, send("y", 1, false, 0, 1, 2), "another series")
	require.Equal(t, Full, send("z", 1, false, 0, 1, 2))
	require.Equal(t, Merged, send("rest", 1, true, 77, 1, 2))
	require.Equal(t, Duplicate, send("rest", 1, true, 77, 1, 2))
	require.Equal(t, Merged, send("rest", 1, true, 78, 1, 2), "another stream behind the overflow")
	got := r.collect(10)
	require.EqualValues(t, 2, got[" x"].count)
	require.EqualValues(t, 2, got[" rest"].count)
	require.EqualValues(t, 5, r.store.parts.Load())
	require.Greater(t, r.flusher.Bytes(), 3*seriesBytes+5*partBytes)

	o.Release()
	r.collect(500)
	require.Zero(t, r.store.parts.Load())
	r.collect(510)
	require.Zero(t, r.flusher.Bytes())
}

// Goroutines record while another collects: every value must come out exactly
// once, under both temporalities.
func TestNothingIsLostBetweenRecordingAndCollecting(t *testing.T) {
	const workers, each = 4, 20_000
	r := newRig(wide, FlusherOptions{Temporality: Delta})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				r.record("s"+strconv.Itoa(i%3), fmt.Sprint("op", (w+i)%17), uint64(i))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var total uint64
	at := uint64(0)
	sum := func() {
		at++
		for _, f := range r.collect(at) {
			total += f.count
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			sum()
		}
	}
	sum()
	require.EqualValues(t, workers*each, total)
}

func TestRecordingKnownSeriesDoesNotAllocate(t *testing.T) {
	for _, options := range []FlusherOptions{{Temporality: Delta}, {Temporality: Cumulative, Repeat: true}} {
		r := newRig(wide, options)
		o := r.registry.Acquire(nil)
		var keys [][]byte
		for i := range 50 {
			keys = append(keys, AppendValue(AppendHeader(nil, o, r.metric), IntValue(int64(i))))
		}
		var s Sample
		for round := range uint64(6) {
			record := func() {
				for i, key := range keys {
					s.Set(uint64(i) * 1_000_000)
					s.Keep = true
					r.store.Record(o, r.metric, key, &s)
				}
			}
			if round < 3 { // after two intervals, histograms and lists circulate
				record()
			} else {
				require.Zero(t, alloctest.PerRun(1, record), "round %d", round)
			}
			r.collect(round)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, series := range []int{1, 400, 100_000} {
		b.Run(strconv.Itoa(series), func(b *testing.B) {
			r := newRig(Limits{Series: 1 << 20, PerOwner: 1 << 20, Exemplars: 4}, FlusherOptions{})
			o := r.registry.Acquire(nil)
			keys := make([][]byte, series)
			for i := range keys {
				keys[i] = AppendValue(AppendHeader(nil, o, r.metric), StringValue("/api/v1/resource/"+strconv.Itoa(i)))
			}
			var s Sample
			i := 0
			for b.Loop() {
				s.Set(uint64(1_000_000 + i%7919*1000))
				r.store.Record(o, r.metric, keys[i%series], &s)
				i++
			}
		})
	}
}
