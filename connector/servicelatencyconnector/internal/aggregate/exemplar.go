package aggregate

import "math/rand/v2"

// Exemplar names one request that a histogram counted.
type Exemplar struct {
	TraceID [16]byte
	SpanID  [8]byte
	Time    uint64 // end of the request, ns since 1970
	Value   uint64 // duration, ns
}

// reservoir keeps a bounded choice of exemplars: the slowest, and a uniform
// sample of all others.
type reservoir struct {
	kept    []Exemplar // the slowest first
	offered uint64
}

func (r *reservoir) reset() {
	r.kept = r.kept[:0]
	r.offered = 0
}

// offer considers an exemplar; at most limit are kept.
func (r *reservoir) offer(e *Exemplar, limit int) {
	if limit <= 0 {
		return
	}
	r.offered++
	if len(r.kept) == 0 {
		if cap(r.kept) < limit {
			r.kept = make([]Exemplar, 0, limit)
		}
		r.kept = append(r.kept, *e)
		return
	}
	rest := *e
	if e.Value > r.kept[0].Value {
		rest, r.kept[0] = r.kept[0], *e
	}
	if len(r.kept) < limit {
		r.kept = append(r.kept, rest)
		return
	}
	// The n-th of all but the slowest stays with probability (limit-1)/n.
	if at := rand.Uint64N(r.offered - 1); at < uint64(limit-1) {
		r.kept[1+at] = rest
	}
}
