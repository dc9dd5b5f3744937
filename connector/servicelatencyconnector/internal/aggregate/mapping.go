package aggregate

import "math"

// MaxScale is the finest scale: 2^8 buckets per power of two, each 0.27 % wide.
// Every index is computed at it; coarser scales are right shifts.
const MaxScale = 8

const (
	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	exponentBias = 1023
	perOctave    = 1 << MaxScale
	// A linear bin of the mantissa spans at most two boundaries: the slope of
	// log2 over [1, 2) lies between 0.72 and 1.44.
	binShift = mantissaBits - MaxScale
)

// boundariesBelow[k] counts the boundaries below the k-th linear bin of the mantissa.
var boundariesBelow = countBoundaries()

func countBoundaries() (below [perOctave]uint8) {
	sub := 0
	for bin := range below {
		for sub+1 < perOctave && boundaries[sub+1] < uint64(bin)<<binShift {
			sub++
		}
		below[bin] = uint8(sub)
	}
	return below
}

// indexOf returns the index at MaxScale of the bucket that holds v, which must
// be positive and finite. Bucket i is (2^(i/256), 2^((i+1)/256)]: the upper
// bound belongs to it.
func indexOf(v float64) int32 {
	bits := math.Float64bits(v)
	exponent := int32(bits >> mantissaBits)
	if exponent == 0 {
		return indexOfSubnormal(v)
	}
	return indexOfNormal(exponent-exponentBias, bits&mantissaMask)
}

func indexOfNormal(exponent int32, mantissa uint64) int32 {
	if mantissa == 0 { // a power of two closes the octave below
		return exponent*perOctave - 1
	}
	sub := int32(boundariesBelow[mantissa>>binShift])
	for mantissa > boundaries[sub+1] {
		sub++
	}
	return exponent*perOctave + sub
}

// indexOfSubnormal scales v into the normal range first. No duration gets here;
// it keeps the function total.
func indexOfSubnormal(v float64) int32 {
	const shift = 64
	return indexOf(v*(1<<shift)) - shift*perOctave
}
