package latency

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// maxBuckets bounds the buckets of one merged histogram. A merge that would
// need more of them halves the resolution until they fit; SDKs keep at most
// 160, so this happens only to made-up input.
const maxBuckets = 1024

// maxScale bounds the resolution on both sides. SDKs use -10 to 20; at -32 one
// bucket holds everything above a second and another everything below.
const maxScale = 32

// exponential is the positive half of an exponential histogram. Bucket i of
// counts covers (base^(offset+i), base^(offset+i+1)] with base = 2^(2^-scale).
type exponential struct {
	scale  int32
	zero   uint64 // observations at or below the zero threshold
	offset int32
	counts []uint64
}

// exponentialOf copies a data point. Negative durations do not exist; should a
// point have such buckets, they count as zero.
func exponentialOf(dp pmetric.ExponentialHistogramDataPoint) exponential {
	e := exponential{scale: max(dp.Scale(), -maxScale), zero: dp.ZeroCount()}
	for _, n := range dp.Negative().BucketCounts().All() {
		e.zero += n
	}
	p := dp.Positive()
	if p.BucketCounts().Len() > 0 {
		e.offset = p.Offset()
		e.counts = p.BucketCounts().AsRaw()
	}
	e.fit(e.offset, e.end())
	e.downscale(e.scale - maxScale)
	return e
}

// end is the index after the last bucket. It is wider than the indices, which
// the sender chooses.
func (e *exponential) end() int64 { return int64(e.offset) + int64(len(e.counts)) }

// downscale lowers the resolution by the factor 2^by. The result is what a
// histogram recorded at that scale would hold.
func (e *exponential) downscale(by int32) {
	if by <= 0 {
		return
	}
	e.scale -= by
	if len(e.counts) == 0 {
		e.offset = 0
		return
	}
	shift := min(by, 62)
	first, last := int64(e.offset)>>shift, (e.end()-1)>>shift
	merged := make([]uint64, last-first+1)
	for i, n := range e.counts {
		merged[(int64(e.offset)+int64(i))>>shift-first] += n
	}
	e.offset, e.counts = int32(first), merged
}

// fit lowers the resolution until the buckets from first up to end, which are
// e's own or wider, are few enough.
func (e *exponential) fit(first int32, end int64) {
	var by int32
	for (end-1)>>by-int64(first)>>by >= maxBuckets {
		by++
	}
	e.downscale(by)
}

// add merges o into e at the lower of both resolutions.
func (e *exponential) add(o exponential) {
	e.zero += o.zero
	if len(o.counts) == 0 {
		return
	}
	if len(e.counts) == 0 {
		e.scale, e.offset = o.scale, o.offset
		e.counts = append(e.counts[:0], o.counts...)
		return
	}
	e.align(&o)
	e.fit(min(e.offset, o.offset), max(e.end(), o.end()))
	e.align(&o)
	e.grow(min(e.offset, o.offset), max(e.end(), o.end()))
	for i, n := range o.counts {
		e.counts[int(o.offset-e.offset)+i] += n
	}
}

// align brings both to the lower of their scales. It does not change the
// memory that o shares with its source.
func (e *exponential) align(o *exponential) {
	e.downscale(e.scale - o.scale)
	o.downscale(o.scale - e.scale)
}

func (e *exponential) grow(first int32, end int64) {
	if first == e.offset && end == e.end() {
		return
	}
	counts := make([]uint64, end-int64(first))
	copy(counts[e.offset-first:], e.counts)
	e.offset, e.counts = first, counts
}

// since returns e minus an earlier state of the same series, or false when
// that is impossible because the series has started anew.
func (e exponential) since(earlier exponential) (exponential, bool) {
	e.counts = append([]uint64(nil), e.counts...)
	if e.zero < earlier.zero {
		return e, false
	}
	e.zero -= earlier.zero
	if len(earlier.counts) == 0 {
		return e, true
	}
	if len(e.counts) == 0 {
		return e, false
	}
	e.align(&earlier)
	for i, n := range earlier.counts {
		at := int64(earlier.offset) + int64(i) - int64(e.offset)
		switch {
		case n == 0:
		case at < 0 || at >= int64(len(e.counts)) || e.counts[at] < n:
			return e, false
		default:
			e.counts[at] -= n
		}
	}
	return e, true
}

// buckets returns the filled buckets with their bounds.
func (e *exponential) buckets() []bucket {
	var to []bucket
	if e.zero > 0 {
		to = append(to, bucket{count: e.zero})
	}
	for i, n := range e.counts {
		if n > 0 {
			at := float64(e.offset) + float64(i)
			to = append(to, bucket{low: e.bound(at), high: e.bound(at + 1), count: n, log: true})
		}
	}
	return to
}

// bound is base^index, held inside the range of a float64.
func (e *exponential) bound(index float64) float64 {
	exponent := math.Ldexp(index, int(-e.scale))
	return math.Exp2(min(max(exponent, -1022), 1023))
}
