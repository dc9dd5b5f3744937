package screen

import (
	"math"
	"strconv"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

// count writes n with commas between thousands.
func count[N int | int64 | uint64](n N) text.Safe {
	digits := strconv.FormatInt(int64(n), 10)
	sign := 0
	if digits[0] == '-' {
		sign = 1
	}
	for i := len(digits) - 3; i > sign; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return text.Safe(digits)
}

// plural writes n with the noun for one or for several.
func plural[N int | int64 | uint64](n N, one, many text.Safe) text.Safe {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// rate writes a number of requests per second.
func rate(perSecond float64) text.Safe {
	if perSecond < 100 {
		return decimal(perSecond, 1)
	}
	return count(int64(math.Round(perSecond)))
}

// share writes a part of one as percent. What is there is never shown as
// nothing, and what is not all never as all.
func share(part float64) text.Safe {
	percent := part * 100
	switch {
	case part <= 0:
		return "0 %"
	case percent < 0.1:
		return "<0.1 %"
	case part >= 1:
		return "100 %"
	case percent < 10:
		return decimal(percent, 1) + " %"
	default:
		return decimal(min(percent, 99), 0) + " %"
	}
}

// duration writes seconds with three significant digits and the unit that
// suits; NaN as a dash.
func (s Style) duration(seconds float64) text.Safe {
	switch {
	case math.IsNaN(seconds):
		return "-"
	case seconds < 999.5e-6:
		return significant(seconds*1e6) + " " + s.micro()
	case seconds < 999.5e-3:
		return significant(seconds*1e3) + " ms"
	default:
		return significant(seconds) + " s"
	}
}

func significant(v float64) text.Safe {
	switch {
	case v < 9.995:
		return decimal(v, 2)
	case v < 99.95:
		return decimal(v, 1)
	case v < 1e15:
		return count(int64(math.Round(v)))
	default:
		return decimal(v, -1)
	}
}

func decimal(v float64, digits int) text.Safe {
	format := byte('f')
	if digits < 0 {
		format, digits = 'e', 1
	}
	return text.Safe(strconv.FormatFloat(v, format, digits, 64))
}
