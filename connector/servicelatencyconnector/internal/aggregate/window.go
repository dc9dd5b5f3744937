package aggregate

import "math"

// firstCells is how many buckets a histogram begins with; it doubles up to the
// maximum size, so that a series with a narrow distribution stays small.
const firstCells = 16

// window is the populated part of an exponential histogram's bucket line: at
// most maxSize neighbouring buckets at one scale. When a value falls too far
// outside, the scale drops by the fewest steps that make room. Therefore the
// scale depends only on the lowest and the highest value, not on their order.
//
// Its fields are packed: a histogram fills two cache lines.
type window struct {
	data        []byte // cells, see counters.go
	base        int32  // index of the bucket in cell 0
	first, last int32  // lowest and highest populated bucket; first > last when none is
	scale       int8
	shift       uint8 // log2 of the width of a cell in bytes
}

func (w *window) reset(scale int8) {
	w.allocate(0)
	w.base, w.first, w.last = 0, math.MaxInt32, math.MinInt32
	w.scale = scale
}

func (w *window) empty() bool { return w.first > w.last }

// addFinest counts n values in the bucket that has this index at MaxScale.
func (w *window) addFinest(index int32, n uint64, maxSize int32) {
	w.add(index>>(MaxScale-w.scale), n, maxSize)
}

// add counts n values in the bucket that has this index at the current scale.
func (w *window) add(index int32, n uint64, maxSize int32) {
	if index < w.first || index > w.last {
		index = w.include(index, maxSize)
	}
	w.raise(int(index-w.base), n)
}

// include makes room for a bucket outside the populated range and returns its
// index at the scale that this leaves.
func (w *window) include(index, maxSize int32) int32 {
	by := w.stepsToFit(index, index, maxSize)
	w.downscale(by)
	index >>= by
	w.cover(min(w.first, index), max(w.last, index), maxSize)
	return index
}

// stepsToFit returns how many scales must be given up until the buckets
// [lo, hi] together with the populated ones number at most maxSize.
func (w *window) stepsToFit(lo, hi, maxSize int32) uint8 {
	lo, hi = min(lo, w.first), max(hi, w.last)
	by := uint8(0)
	for int64(hi>>by)-int64(lo>>by) >= int64(maxSize) {
		by++
	}
	return by
}

// downscale gives up by scales: 2^by neighbours become one bucket. It runs
// upwards inside the same memory; a target never lies above its source.
func (w *window) downscale(by uint8) {
	if by == 0 {
		return
	}
	w.scale -= int8(by)
	if w.empty() {
		return
	}
	low := w.first >> by
	for i := w.first; i <= w.last; i++ {
		source := int(i - w.base)
		n := w.get(source)
		if n == 0 {
			continue
		}
		w.put(source, 0)
		w.raise(int(i>>by-low), n)
	}
	w.base, w.first, w.last = low, low, w.last>>by
}

// cover makes [lo, hi], which contains the populated range, addressable and
// takes it as the populated range. New room is left on the side that grew.
func (w *window) cover(lo, hi, maxSize int32) {
	size := int32(w.size())
	if lo >= w.base && hi < w.base+size {
		w.first, w.last = min(w.first, lo), max(w.last, hi)
		return
	}
	for need := hi - lo + 1; size < need; {
		size = max(2*size, firstCells)
	}
	size = min(size, maxSize)
	w.move(w.placeFor(lo, hi, size), int(size))
	w.first, w.last = lo, hi
}

// placeFor returns the index that cell 0 gets when size cells shall hold
// [lo, hi] and, where possible, the direction of growth continues.
func (w *window) placeFor(lo, hi, size int32) int32 {
	switch {
	case w.empty():
		return lo - (size-(hi-lo+1))/2
	case lo < w.first:
		return hi - size + 1
	default:
		return lo
	}
}

func (w *window) move(base int32, size int) {
	from, n, to := 0, 0, 0
	if !w.empty() {
		from, n, to = int(w.first-w.base), int(w.last-w.first)+1, int(w.first-base)
	}
	w.relocate(from, n, to, size)
	w.base = base
}

// merge adds another window, exactly as if its values had been added one by one.
func (w *window) merge(o *window, maxSize int32) {
	if o.empty() {
		return
	}
	w.makeRoom(o.first, o.last, o.scale, maxSize)
	shift := o.scale - w.scale
	for i := o.first; i <= o.last; i++ {
		if n := o.get(int(i - o.base)); n > 0 {
			w.raise(int(i>>shift-w.base), n)
		}
	}
}

// makeRoom prepares for adding buckets [lo, hi] of the given scale: afterwards
// the window's scale is no finer than theirs and they lie inside it.
func (w *window) makeRoom(lo, hi int32, scale int8, maxSize int32) {
	if scale < w.scale {
		w.downscale(uint8(w.scale - scale))
	}
	shift := uint8(scale - w.scale)
	by := w.stepsToFit(lo>>shift, hi>>shift, maxSize)
	w.downscale(by)
	lo, hi = lo>>(shift+by), hi>>(shift+by)
	w.cover(min(lo, w.first), max(hi, w.last), maxSize)
}
