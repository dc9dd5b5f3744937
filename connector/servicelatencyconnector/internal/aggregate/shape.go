package aggregate

import "slices"

// Kind says how a series' durations are kept.
type Kind uint8

// The kinds of series.
const (
	Exponential Kind = iota // exponential histogram
	Explicit                // histogram with fixed boundaries
	Counter                 // only how many
)

// Shape describes the histograms of a metric. It is immutable and shared.
type Shape struct {
	kind     Kind
	bounds   []float64 // Explicit: upper bounds in seconds, ascending, inclusive
	maxSize  int32     // Exponential: most buckets
	maxScale int8      // Exponential: scale to start with
}

// NewExponential describes exponential histograms with at most maxSize buckets
// (2 or more) that start at maxScale (MaxScale or less).
func NewExponential(maxSize, maxScale int) *Shape {
	return &Shape{kind: Exponential, maxSize: int32(max(maxSize, 2)), maxScale: int8(min(maxScale, MaxScale))}
}

// NewExplicit describes histograms with these upper bounds, in seconds and ascending.
func NewExplicit(bounds []float64) *Shape {
	return &Shape{kind: Explicit, bounds: slices.Clone(bounds)}
}

// NewCounter describes series of which only the count is of interest.
func NewCounter() *Shape { return &Shape{kind: Counter} }

// Kind returns how durations of this shape are kept.
func (s *Shape) Kind() Kind { return s.kind }

// Bounds returns the upper bounds of an Explicit shape. It must not be changed.
func (s *Shape) Bounds() []float64 { return s.bounds }

// bucketOf returns the first bucket whose upper bound is not below v. The lists
// are short and most requests fast, so that walking beats halving.
func (s *Shape) bucketOf(v float64) int {
	for i, bound := range s.bounds {
		if v <= bound {
			return i
		}
	}
	return len(s.bounds)
}
