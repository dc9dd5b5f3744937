package main

import (
	"cmp"
	"slices"
)

// median of values, which is sorted in place; zero when there are none.
func median[T cmp.Ordered](values []T) T { return percentile(values, 50) }

// percentile is the nearest-rank percentile p (0 to 100) of values, which is
// sorted in place; zero when there are none.
func percentile[T cmp.Ordered](values []T, p int) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	slices.Sort(values)
	rank := (len(values)*p + 99) / 100
	return values[max(rank, 1)-1]
}
