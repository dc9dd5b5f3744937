package aggregate

import (
	"math"
	"math/bits"
)

const nanosPerSecond = 1e9

// sum128 adds nanoseconds without ever rounding or wrapping.
type sum128 struct{ hi, lo uint64 }

func (s *sum128) add(ns uint64) { s.merge(sum128{lo: ns}) }

// addTimes adds ns n times.
func (s *sum128) addTimes(ns, n uint64) {
	hi, lo := bits.Mul64(ns, n)
	s.merge(sum128{hi, lo})
}

func (s *sum128) merge(o sum128) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, o.lo, 0)
	s.hi, _ = bits.Add64(s.hi, o.hi, carry)
}

// seconds converts to the unit of the metrics. Below 2^53 ns (104 days of
// summed time) the result is the double nearest to the true sum.
func (s sum128) seconds() float64 {
	if s.hi == 0 {
		return float64(s.lo) / nanosPerSecond
	}
	return (math.Ldexp(float64(s.hi), 64) + float64(s.lo)) / nanosPerSecond
}

// Seconds converts a duration to the unit of the metrics.
func Seconds(ns uint64) float64 { return float64(ns) / nanosPerSecond }

// Nanos is the inverse of Seconds; it is exact for every value that Seconds
// made from less than 2^51 ns. Negative, huge and undefined values are clamped.
func Nanos(seconds float64) uint64 {
	ns := math.Round(seconds * nanosPerSecond)
	switch {
	case !(ns > 0):
		return 0
	case ns >= math.MaxUint64:
		return math.MaxUint64
	default:
		return uint64(ns)
	}
}
