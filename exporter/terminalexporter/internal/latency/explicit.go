package latency

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// explicit is a histogram with given upper bounds; counts has one more entry
// than bounds, for what lies above the last.
type explicit struct {
	bounds []float64
	counts []uint64
}

// explicitOf copies a data point. A point without buckets, or with a wrong
// number of them, gives an empty histogram: its count and sum still stand.
func explicitOf(dp pmetric.HistogramDataPoint) explicit {
	e := explicit{bounds: dp.ExplicitBounds().AsRaw(), counts: dp.BucketCounts().AsRaw()}
	if len(e.counts) != len(e.bounds)+1 || !slices.IsSorted(e.bounds) {
		return explicit{}
	}
	return e
}

func (e *explicit) sameBounds(o explicit) bool { return slices.Equal(e.bounds, o.bounds) }

// add merges o, which has the same bounds.
func (e *explicit) add(o explicit) {
	for i, n := range o.counts {
		e.counts[i] += n
	}
}

// since returns e minus an earlier state of the same series, or false when the
// series has started anew.
func (e explicit) since(earlier explicit) (explicit, bool) {
	if !e.sameBounds(earlier) || len(e.counts) != len(earlier.counts) {
		return e, false
	}
	e.counts = slices.Clone(e.counts)
	for i, n := range earlier.counts {
		if e.counts[i] < n {
			return e, false
		}
		e.counts[i] -= n
	}
	return e, true
}

// buckets appends the filled buckets with their bounds. Durations start at
// zero; what lies above the last bound is counted as lying on it, because
// nothing more is known.
func (e *explicit) buckets(to []bucket) []bucket {
	low := 0.0
	for i, n := range e.counts {
		high := low
		if i < len(e.bounds) {
			high = max(e.bounds[i], low)
		}
		if n > 0 {
			to = append(to, bucket{low: low, high: high, count: n})
		}
		low = high
	}
	return to
}
