package latency

import (
	"math"
	"slices"
)

// Side tells from where a request was seen.
type Side string

// The two sides of a request.
const (
	Server Side = "server"
	Client Side = "client"
)

// Key names a row: one service, seen from one side, over one protocol.
type Key struct {
	Namespace string
	Service   string
	Side      Side
	Protocol  string // http, grpc, postgresql, ...
}

// Row is what all series of one Key gained in an interval. Counts are
// requests, times are seconds.
type Row struct {
	Key
	Count  uint64
	Errors uint64

	exponential exponential
	explicit    []explicit // one per set of bounds
	min, max    float64    // of all observations; only when bounded
	bounded     bool
}

func newRow(key Key) *Row {
	return &Row{Key: key, min: math.Inf(1), max: math.Inf(-1), bounded: true}
}

// add merges what one series gained.
func (r *Row) add(h histogram, failed bool) {
	r.Count += h.count
	if failed {
		r.Errors += h.count
	}
	r.bounded = r.bounded && h.bounded
	r.min, r.max = min(r.min, h.min), max(r.max, h.max)
	r.exponential.add(h.exponential)
	r.addExplicit(h.explicit)
}

func (r *Row) addExplicit(e explicit) {
	if len(e.counts) == 0 {
		return
	}
	for i := range r.explicit {
		if r.explicit[i].sameBounds(e) {
			r.explicit[i].add(e)
			return
		}
	}
	r.explicit = append(r.explicit, explicit{e.bounds, slices.Clone(e.counts)})
}

// Percentiles returns the durations in seconds below which the shares qs of
// the row's requests lie; NaN where the series came without buckets.
func (r *Row) Percentiles(qs ...float64) []float64 {
	buckets := r.exponential.buckets()
	for i := range r.explicit {
		buckets = r.explicit[i].buckets(buckets)
	}
	out := make([]float64, len(qs))
	for i, q := range qs {
		out[i] = quantile(buckets, q)
		if r.bounded {
			out[i] = min(max(out[i], r.min), r.max)
		}
	}
	return out
}
