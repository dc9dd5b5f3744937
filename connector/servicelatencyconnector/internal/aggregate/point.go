package aggregate

import (
	"slices"
	"unsafe"
)

const (
	histogramBytes = int(unsafe.Sizeof(Histogram{}))
	exemplarBytes  = int(unsafe.Sizeof(Exemplar{}))
)

// Point is a data point of somebody else's histogram: what a writer counted in
// an interval. Slices belong to the caller.
type Point struct {
	Start, End uint64 // ns since 1970
	Count      uint64
	ZeroCount  uint64
	Sum        uint64 // ns
	Min, Max   uint64 // ns
	Scale      int32
	Offset     int32 // index of Counts[0] at Scale
	Counts     []uint64
	Exemplars  []Exemplar
}

// Fits reports whether h can take the point exactly: bucket counts that add up
// to the count, the same boundaries, a scale that h can shift from.
func (p *Point) Fits(shape *Shape) bool {
	if p.Count == 0 || p.Min > p.Max {
		return false
	}
	total := p.ZeroCount
	for _, n := range p.Counts {
		total += n
	}
	switch shape.kind {
	case Counter:
		return true
	case Explicit:
		return len(p.Counts) == len(shape.bounds)+1 && p.ZeroCount == 0 && total == p.Count
	default:
		return total == p.Count && p.Scale <= MaxScale && p.Scale >= minScale && p.inRange()
	}
}

// minScale is the coarsest scale OTLP producers use: one bucket spans 2^1024.
const minScale = -10

// inRange reports whether every index has a meaning for a double.
func (p *Point) inRange() bool {
	const octaves = 1075 // 2^-1074 is the smallest double
	low, high := int64(p.Offset), int64(p.Offset)+int64(len(p.Counts))
	shift := MaxScale - p.Scale
	return low<<shift >= -octaves*perOctave-1<<shift && high<<shift <= octaves*perOctave+1<<shift
}

// MergePoint adds a point that Fits, exactly as if its values had been recorded
// here, and offers its exemplars.
func (h *Histogram) MergePoint(p *Point, exemplars int) {
	h.extend(p.Count, p.Min, p.Max)
	h.zero += p.ZeroCount
	h.sum.add(p.Sum)
	switch h.shape.kind {
	case Counter:
	case Explicit:
		for i, n := range p.Counts {
			h.buckets.raise(i, n)
		}
	default:
		h.buckets.mergeCounts(p.Counts, p.Offset, int8(p.Scale), h.shape.maxSize)
	}
	for i := range p.Exemplars {
		h.exemplars.offer(&p.Exemplars[i], exemplars)
	}
}

// mergeCounts adds bucket counts whose first has index offset at the given
// scale. Empty buckets at the ends must not cost precision, so they are cut.
func (w *window) mergeCounts(counts []uint64, offset int32, scale int8, maxSize int32) {
	low := slices.IndexFunc(counts, func(n uint64) bool { return n > 0 })
	if low < 0 {
		return
	}
	high := len(counts) - 1
	for counts[high] == 0 {
		high--
	}
	w.makeRoom(offset+int32(low), offset+int32(high), scale, maxSize)
	shift := scale - w.scale
	for i := low; i <= high; i++ {
		if counts[i] > 0 {
			w.raise(int((offset+int32(i))>>shift-w.base), counts[i])
		}
	}
}
