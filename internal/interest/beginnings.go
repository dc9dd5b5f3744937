package interest

import (
	"bytes"
	"slices"
	"strings"
)

// Beginnings is a set of beginnings of texts: sorted, and none begins with
// another. One that ends with Whole stands for that text only.
type Beginnings []string

// Whole behind a text says that nothing may follow.
const Whole = "\x00"

// BeginningsOf makes the set of some beginnings.
func BeginningsOf(list ...string) Beginnings {
	sorted := slices.Sorted(slices.Values(list))
	var out Beginnings
	for _, p := range sorted {
		if len(out) == 0 || !strings.HasPrefix(p, out[len(out)-1]) {
			out = append(out, p)
		}
	}
	return out
}

func (p Beginnings) union(o Beginnings) Beginnings {
	switch {
	case len(p) == 0:
		return o
	case len(o) == 0:
		return p
	}
	return BeginningsOf(slices.Concat(p, o)...)
}

// Match reports whether a text begins as one of the set does. The text is
// followed by a NUL byte, which is not part of it.
func (p Beginnings) Match(text []byte) bool {
	// Only the greatest that is not greater than the text can be its
	// beginning: whatever lies between the two begins as the former.
	low, high := 0, len(p)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if compare(p[mid], text) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low > 0 && len(p[low-1]) <= len(text) && string(text[:len(p[low-1])]) == p[low-1]
}

func compare(s string, b []byte) int {
	n := min(len(s), len(b))
	for i := range n {
		if s[i] != b[i] {
			return int(s[i]) - int(b[i])
		}
	}
	return len(s) - len(b)
}

// IsPlain reports whether a path means lexically what it says: absolute and
// without empty, "." and ".." components. It also refuses components that end
// with a dot, so that a plain path contains neither "./" nor "//".
func IsPlain(path []byte) bool {
	return len(path) > 0 && path[0] == '/' && isPlainTail(path)
}

// IsPlainTail is the same for a name that is relative to a directory.
func IsPlainTail(name []byte) bool {
	return len(name) > 0 && name[0] != '/' && !dots(name) && isPlainTail(name)
}

func isPlainTail(path []byte) bool {
	for rest := path; ; {
		i := bytes.IndexByte(rest, '/')
		if i < 0 {
			return true
		}
		if i > 0 && rest[i-1] == '.' {
			return false // "./"
		}
		rest = rest[i+1:]
		if len(rest) > 0 && rest[0] == '/' || dots(rest) {
			return false
		}
	}
}

// dots reports whether the rest of a path is "." or "..", the end of it.
func dots(rest []byte) bool {
	return string(rest) == "." || string(rest) == ".."
}
