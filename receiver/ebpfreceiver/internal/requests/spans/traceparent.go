package spans

// Parent is the context of a span elsewhere.
type Parent struct {
	Trace [16]byte
	Span  [8]byte
	Flags byte
}

// ParseTraceParent reads a traceparent header (W3C Trace Context, level 2).
// Versions above 00 may be longer; their first fields are the same.
func ParseTraceParent(b []byte) (p Parent, ok bool) {
	const size = 55 // 00-<32>-<16>-<2>
	if len(b) < size || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return p, false
	}
	var version [1]byte
	var flags [1]byte
	if !Unhex(version[:], b[:2]) || version[0] == 0xff || version[0] == 0 && len(b) != size ||
		len(b) > size && b[size] != '-' {
		return p, false
	}
	if !Unhex(p.Trace[:], b[3:35]) || !Unhex(p.Span[:], b[36:52]) || !Unhex(flags[:], b[53:55]) {
		return p, false
	}
	p.Flags = flags[0]
	return p, p.Trace != [16]byte{} && p.Span != [8]byte{}
}

// Unhex decodes lower-case hexadecimal digits; upper-case ones are not allowed
// in a traceparent.
func Unhex(dst, src []byte) bool {
	for i := range dst {
		hi, ok1 := nibble(src[2*i])
		lo, ok2 := nibble(src[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func nibble(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}
