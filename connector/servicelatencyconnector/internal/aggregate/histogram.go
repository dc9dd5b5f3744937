package aggregate

// Sample is one request as a histogram needs it. Set computes everything
// that does not depend on the series, so that little is left to do under a lock.
type Sample struct {
	Exemplar Exemplar // Value is set by Set; the rest only if Keep
	Keep     bool     // offer Exemplar to the series
	Others   uint64   // how many further requests it stands for, that were not seen
	seconds  float64
	index    int32 // bucket at MaxScale; undefined for a duration of zero
}

// Set prepares the sample for a duration in nanoseconds, without exemplar.
func (s *Sample) Set(ns uint64) {
	s.Exemplar.Value = ns
	s.Keep = false
	s.Others = 0
	s.seconds = Seconds(ns)
	if ns > 0 {
		s.index = indexOf(s.seconds)
	}
}

// Histogram is what one series has counted in an interval or since its start.
// It belongs to one goroutine at a time.
type Histogram struct {
	shape     *Shape
	count     uint64
	zero      uint64 // durations of 0 ns; Exponential only
	sum       sum128
	min, max  uint64 // ns; undefined while count is 0
	buckets   window // Explicit: only its cells
	exemplars reservoir
}

// NewHistogram returns an empty histogram.
func NewHistogram(shape *Shape) *Histogram {
	h := new(Histogram)
	h.Reset(shape)
	return h
}

// Reset empties h and gives it a shape, which may be another one. It keeps the memory.
func (h *Histogram) Reset(shape *Shape) {
	h.shape = shape
	h.count, h.zero, h.sum, h.min, h.max = 0, 0, sum128{}, 0, 0
	h.buckets.reset(shape.maxScale)
	if shape.kind == Explicit {
		h.buckets.allocate(len(shape.bounds) + 1)
	}
	h.exemplars.reset()
}

// Record counts the requests that a sample stands for and offers its exemplar
// when it has one.
func (h *Histogram) Record(s *Sample, exemplars int) {
	ns, n := s.Exemplar.Value, 1+s.Others
	h.extend(n, ns, ns)
	h.sum.addTimes(ns, n)
	switch {
	case h.shape.kind == Counter:
	case h.shape.kind == Explicit:
		h.buckets.raise(h.shape.bucketOf(s.seconds), n)
	case ns == 0:
		h.zero += n
	default:
		h.buckets.addFinest(s.index, n, h.shape.maxSize)
	}
	if s.Keep {
		h.exemplars.offer(&s.Exemplar, exemplars)
	}
}

// extend raises the count and widens the extremes.
func (h *Histogram) extend(n, low, high uint64) {
	if h.count == 0 || low < h.min {
		h.min = low
	}
	if h.count == 0 || high > h.max {
		h.max = high
	}
	h.count += n
}

// Merge adds another histogram of the same shape, exactly as if its values had
// been recorded here. Exemplars are not taken over.
func (h *Histogram) Merge(o *Histogram) {
	if o.count == 0 {
		return
	}
	h.extend(o.count, o.min, o.max)
	h.zero += o.zero
	h.sum.merge(o.sum)
	if h.shape.kind == Explicit {
		for i := range o.buckets.size() {
			h.buckets.raise(i, o.buckets.get(i))
		}
		return
	}
	h.buckets.merge(&o.buckets, h.shape.maxSize)
}

// Shape returns the shape.
func (h *Histogram) Shape() *Shape { return h.shape }

// Count returns the number of values.
func (h *Histogram) Count() uint64 { return h.count }

// ZeroCount returns how many values of an Exponential histogram were 0.
func (h *Histogram) ZeroCount() uint64 { return h.zero }

// Sum returns the sum in seconds.
func (h *Histogram) Sum() float64 { return h.sum.seconds() }

// Min returns the smallest value in seconds; 0 when there is none.
func (h *Histogram) Min() float64 { return Seconds(h.min) }

// Max returns the largest value in seconds; 0 when there is none.
func (h *Histogram) Max() float64 { return Seconds(h.max) }

// Scale returns the scale of an Exponential histogram.
func (h *Histogram) Scale() int32 { return int32(h.buckets.scale) }

// Offset returns the index of the bucket that Bucket(0) returns.
func (h *Histogram) Offset() int32 {
	if h.shape.kind == Explicit || h.buckets.empty() {
		return 0
	}
	return h.buckets.first
}

// Buckets returns how many buckets Bucket can be asked for: all of an Explicit
// histogram, the populated range of an Exponential one.
func (h *Histogram) Buckets() int {
	switch {
	case h.shape.kind == Explicit:
		return h.buckets.size()
	case h.buckets.empty():
		return 0
	default:
		return int(h.buckets.last-h.buckets.first) + 1
	}
}

// Bucket returns the count of the i-th bucket.
func (h *Histogram) Bucket(i int) uint64 {
	if h.shape.kind == Explicit {
		return h.buckets.get(i)
	}
	return h.buckets.get(i + int(h.buckets.first-h.buckets.base))
}

// Exemplars returns the chosen exemplars, valid until the next Reset.
func (h *Histogram) Exemplars() []Exemplar { return h.exemplars.kept }

// Bytes returns the memory that h holds, for accounting.
func (h *Histogram) Bytes() int {
	return histogramBytes + cap(h.buckets.data) + cap(h.exemplars.kept)*exemplarBytes
}
