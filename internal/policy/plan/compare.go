package plan

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// ordered decides <, <=, >, >= by a three-way comparison.
func ordered(op operator.ID, c int) bool {
	switch op {
	case operator.Lt:
		return c < 0
	case operator.Le:
		return c <= 0
	case operator.Gt:
		return c > 0
	case operator.Ge:
		return c >= 0
	default:
		return false
	}
}

func compareNumbers(kind field.Kind, a, b uint64) int {
	switch kind {
	case field.Int:
		return cmp.Compare(int64(a), int64(b))
	case field.Double:
		return cmp.Compare(math.Float64frombits(a), math.Float64frombits(b))
	default:
		return cmp.Compare(a, b)
	}
}

// compareValues holds two present values of one kind against each other.
func compareValues(op operator.ID, l, r *field.Value) bool {
	switch l.Kind {
	case field.Text, field.Bytes:
		return compareTexts(op, l.Text, r.Text)
	case field.IP, field.Net:
		return (l.Net == r.Net) != (op == operator.Ne)
	default:
		switch op {
		case operator.Eq, operator.In, operator.Intersects:
			return l.Num == r.Num
		case operator.Ne:
			return l.Num != r.Num
		default:
			return ordered(op, compareNumbers(l.Kind, l.Num, r.Num))
		}
	}
}

func compareTexts(op operator.ID, l, r string) bool {
	switch op {
	case operator.Eq, operator.In, operator.Intersects:
		return l == r
	case operator.Ne:
		return l != r
	case operator.Contains, operator.BContains:
		return strings.Contains(l, r)
	case operator.IContains:
		return containsFold(l, r)
	case operator.StartsWith, operator.BStartsWith:
		return strings.HasPrefix(l, r)
	case operator.EndsWith:
		return strings.HasSuffix(l, r)
	case operator.Glob, operator.IGlob:
		return field.Glob(r, l, op == operator.IGlob)
	default:
		return ordered(op, strings.Compare(l, r))
	}
}

// compareLists is "in" (every element of l is in r) or "intersects" (any is).
func compareLists(op operator.ID, l, r *field.Value) bool {
	anyOf := op == operator.Intersects
	for _, it := range l.List {
		if slices.Contains(r.List, it) == anyOf {
			return anyOf
		}
	}
	return !anyOf
}

// containsFold finds sub in s without regard to the case of ASCII letters.
func containsFold(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if equalFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}

func equalFold(a, b string) bool {
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
