package httpfacts

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"

// Parent gives the span the parent that the request names, if it names one. Of
// several formats the W3C's counts first.
func (f *Facts) Parent(w *spans.Writer) {
	if p, ok := parseTraceParent(f.TraceParent); ok {
		w.Parent(p.trace, p.span, p.flags, string(f.TraceState))
	} else if p, ok := f.b3.parent(); ok {
		w.Parent(p.trace, p.span, p.flags, "")
	}
}

// parent is the context of a span elsewhere.
type parent struct {
	trace [16]byte
	span  [8]byte
	flags byte
}

// parseTraceParent reads a traceparent header (W3C Trace Context, level 2).
// Versions above 00 may be longer; their first fields are the same.
func parseTraceParent(b []byte) (p parent, ok bool) {
	const size = 55 // 00-<32>-<16>-<2>
	if len(b) < size || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return p, false
	}
	var version [1]byte
	var flags [1]byte
	if !unhex(version[:], b[:2]) || version[0] == 0xff || version[0] == 0 && len(b) != size ||
		len(b) > size && b[size] != '-' {
		return p, false
	}
	if !unhex(p.trace[:], b[3:35]) || !unhex(p.span[:], b[36:52]) || !unhex(flags[:], b[53:55]) {
		return p, false
	}
	p.flags = flags[0]
	return p, p.trace != [16]byte{} && p.span != [8]byte{}
}

// unhex decodes lower-case hexadecimal digits; upper-case ones are not allowed
// in a traceparent.
func unhex(dst, src []byte) bool {
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
