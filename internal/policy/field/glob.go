package field

// Glob reports whether all of s matches a shell pattern: * any bytes, ? one
// byte, [...] a class, a backslash takes the next byte as it is and matches
// nothing at the end. Slashes and leading dots are nothing special. fold ignores
// the case of ASCII letters, but for named classes.
func Glob(pattern, s string, fold bool) bool {
	starP, starS := -1, 0
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			starP, starS = p, i
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], s[i], fold); ok {
			p += n
			i++
			continue
		}
		if starP < 0 {
			return false
		}
		starS++
		p, i = starP+1, starS
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches one byte with the first element of a pattern and reports
// that element's length.
func matchOne(pattern string, c byte, fold bool) (n int, ok bool) {
	if pattern == "" {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if n, ok, valid := matchClass(pattern, c, fold); valid {
			return n, ok
		}
	case '\\':
		if len(pattern) == 1 {
			return 0, false
		}
		return 2, same(pattern[1], c, fold)
	}
	return 1, same(pattern[0], c, fold)
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func same(a, b byte, fold bool) bool { return a == b || fold && lower(a) == lower(b) }

// matchClass matches a bracket expression. It is not valid when it has no end;
// the bracket then stands for itself.
func matchClass(pattern string, c byte, fold bool) (n int, ok, valid bool) {
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := true; ; first = false {
		if i >= len(pattern) {
			return 0, false, false
		}
		if pattern[i] == ']' && !first {
			return i + 1, ok != negated, true
		}
		if size, hit, named := matchNamed(pattern[i:], c); named {
			ok = ok || hit
			i += size
			continue
		}
		size, hit := matchRange(pattern[i:], c, fold)
		ok = ok || hit
		i += size
	}
}

// matchRange matches a byte or a range of a bracket expression.
func matchRange(pattern string, c byte, fold bool) (n int, ok bool) {
	lo, n := classByte(pattern)
	hi := lo
	if len(pattern) > n+1 && pattern[n] == '-' && pattern[n+1] != ']' {
		h, m := classByte(pattern[n+1:])
		hi = h
		n += 1 + m
	}
	if fold {
		lo, hi, c = lower(lo), lower(hi), lower(c)
	}
	return n, c >= lo && c <= hi
}

func classByte(pattern string) (byte, int) {
	if pattern[0] == '\\' && len(pattern) > 1 {
		return pattern[1], 2
	}
	return pattern[0], 1
}

// classNames are the named classes that a bracket expression may hold.
var classNames = [...]struct {
	name string
	has  func(byte) bool
}{
	{"[:alnum:]", func(c byte) bool { return isAlpha(c) || isDigit(c) }},
	{"[:alpha:]", isAlpha},
	{"[:blank:]", func(c byte) bool { return c == ' ' || c == '\t' }},
	{"[:cntrl:]", func(c byte) bool { return c < ' ' || c == 0x7f }},
	{"[:digit:]", isDigit},
	{"[:graph:]", func(c byte) bool { return c > ' ' && c < 0x7f }},
	{"[:lower:]", func(c byte) bool { return c >= 'a' && c <= 'z' }},
	{"[:print:]", func(c byte) bool { return c >= ' ' && c < 0x7f }},
	{"[:punct:]", func(c byte) bool { return c > ' ' && c < 0x7f && !isAlpha(c) && !isDigit(c) }},
	{"[:space:]", func(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }},
	{"[:upper:]", func(c byte) bool { return c >= 'A' && c <= 'Z' }},
	{"[:xdigit:]", func(c byte) bool { return isDigit(c) || lower(c) >= 'a' && lower(c) <= 'f' }},
}

func isAlpha(c byte) bool { return lower(c) >= 'a' && lower(c) <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func matchNamed(pattern string, c byte) (n int, ok, named bool) {
	for _, row := range classNames {
		if len(pattern) >= len(row.name) && pattern[:len(row.name)] == row.name {
			return len(row.name), row.has(c), true
		}
	}
	return 0, false, false
}
