// Package sampling reads what consistent probability samplers write into the
// trace state of a span: how many spans it stands for, and whether a sampler
// will keep it.
//
//	tracestate: ot=th:c;rv:d29d6a7215ced0,other=value
//
// A sampler keeps a trace if its randomness, 56 bits, is not below the
// threshold: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
package sampling

import (
	"encoding/binary"
	"math"
	"strings"
)

const (
	bits   = 56
	digits = bits / 4
	whole  = uint64(1) << bits
	// MaxWeight bounds how many spans one can stand for, since anybody can
	// write a trace state.
	MaxWeight = 1_000_000
)

// Weight returns how many spans a span with this trace state stands for, at
// least one. A share of a span is rounded up or down by the span's id, so that
// the sum over many is right.
func Weight(tracestate string, id [8]byte) uint64 {
	threshold, ok := value(tracestate, "th:")
	if !ok || threshold == 0 {
		return 1
	}
	exact := float64(whole) / float64(whole-threshold)
	if exact >= MaxWeight {
		return MaxWeight
	}
	n, share := math.Modf(exact)
	if float64(binary.BigEndian.Uint64(id[:])>>11)*0x1p-53 < share {
		n++
	}
	return uint64(n)
}

// Keeper knows which traces a sampler keeps.
type Keeper struct{ threshold uint64 }

// NewKeeper returns the keeper for a share of traces in percent, 0 to 100, as the
// collector's probabilistic_sampler in its mode equalizing computes it, with its
// four digits of precision.
func NewKeeper(percent float64) Keeper {
	share := percent / 100
	if share >= 1 {
		return Keeper{}
	}
	_, kept := math.Frexp(share)
	_, dropped := math.Frexp(1 - share)
	// Leading digits 0 or f say little, and are not counted as precision.
	precision := min(digits, max(4+kept/-4, 4+dropped/-4))
	threshold := whole - uint64(math.Round(share*float64(whole)))
	if shift := 4 * (digits - precision); shift > 0 {
		threshold = (threshold + 1<<(shift-1)) >> shift << shift
	}
	return Keeper{threshold}
}

// Keeps reports whether the sampler keeps the trace of a span.
func (k Keeper) Keeps(tracestate string, trace [16]byte) bool {
	if k.threshold == 0 {
		return true
	}
	randomness, ok := value(tracestate, "rv:")
	if !ok {
		randomness = binary.BigEndian.Uint64(trace[8:]) & (whole - 1)
	}
	return randomness >= k.threshold
}

// value returns a number of the trace state's member for OpenTelemetry, whose
// digits are those after the point: c is c0000000000000.
func value(tracestate, key string) (uint64, bool) {
	for tracestate != "" {
		var member string
		member, tracestate, _ = strings.Cut(tracestate, ",")
		fields, ours := strings.CutPrefix(strings.Trim(member, " \t"), "ot=")
		for ours && fields != "" {
			var field string
			field, fields, _ = strings.Cut(fields, ";")
			if text, ok := strings.CutPrefix(field, key); ok {
				return fraction(text)
			}
		}
	}
	return 0, false
}

func fraction(text string) (n uint64, ok bool) {
	if text == "" || len(text) > digits {
		return 0, false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n << (4 * (digits - len(text))), true
}
