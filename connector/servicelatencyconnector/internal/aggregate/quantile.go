package aggregate

import "math"

// Quantile estimates the value in seconds below which the fraction q of an
// Exponential histogram's values lie; 0 without values. It is off by at most
// the width of a bucket.
func (h *Histogram) Quantile(q float64) float64 {
	if h.count == 0 {
		return 0
	}
	rank := q * float64(h.count)
	seen := float64(h.zero)
	if rank <= seen {
		return h.Min()
	}
	for i := range h.Buckets() {
		n := float64(h.Bucket(i))
		if seen+n >= rank {
			at := float64(h.Offset()+int32(i)) + (rank-seen)/n
			v := math.Exp2(at * math.Ldexp(1, -int(h.Scale())))
			return min(max(v, h.Min()), h.Max())
		}
		seen += n
	}
	return h.Max()
}
