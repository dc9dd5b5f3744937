package latency

import "math"

// bucket is a number of observations in (low, high]. They lie evenly on the
// line, or evenly on its logarithm when log is set; low == high is a point.
type bucket struct {
	low, high float64
	count     uint64
	log       bool
}

// below returns how many of the observations are expected at or below x.
func (b bucket) below(x float64) float64 {
	n := float64(b.count)
	switch {
	case x >= b.high:
		return n
	case x <= b.low:
		return 0
	case b.log:
		return n * math.Log2(x/b.low) / math.Log2(b.high/b.low)
	default:
		return n * (x - b.low) / (b.high - b.low)
	}
}

// quantile returns the smallest value at or below which the share q of all
// observations lies, NaN when there are none. Buckets may overlap, as those of
// histograms with different bounds do: their distributions are added, not
// their percentiles averaged.
func quantile(buckets []bucket, q float64) float64 {
	var total uint64
	low, high := math.Inf(1), math.Inf(-1)
	for _, b := range buckets {
		total += b.count
		low, high = min(low, b.low), max(high, b.high)
	}
	if total == 0 {
		return math.NaN()
	}
	want := q * float64(total)
	if countBelow(buckets, low) >= want {
		return low
	}
	for range 100 { // halves the range until floats end; usually about 50 rounds
		middle := low + (high-low)/2
		if middle <= low || middle >= high {
			break
		}
		if countBelow(buckets, middle) >= want {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

func countBelow(buckets []bucket, x float64) float64 {
	n := 0.0
	for _, b := range buckets {
		n += b.below(x)
	}
	return n
}
