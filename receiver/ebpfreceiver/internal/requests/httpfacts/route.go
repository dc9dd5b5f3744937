package httpfacts

import "bytes"

// Bounds of an inferred template.
const (
	maxRouteSegments = 8
	maxRouteBytes    = 128
)

// appendRoute appends to dst a template of path in which segments that look
// like names of things rather than of kinds of things have become {id}. It
// returns false when path is none or the template would be too long.
func appendRoute(dst, path []byte) ([]byte, bool) {
	if len(path) == 0 || path[0] != '/' {
		return dst, false
	}
	begin := len(dst)
	rest := path[1:]
	for n := 0; ; n++ {
		if n == maxRouteSegments {
			dst = append(dst, "/*"...)
			break
		}
		segment, after, more := bytes.Cut(rest, []byte("/"))
		dst = append(dst, '/')
		dst = appendSegment(dst, segment)
		if !more {
			break
		}
		rest = after
	}
	return dst, len(dst)-begin <= maxRouteBytes
}

// appendSegment appends one segment or its placeholder. The extension of a file
// is kept: it says what is served.
func appendSegment(dst, segment []byte) []byte {
	if !isID(segment) {
		return append(dst, segment...)
	}
	dst = append(dst, "{id}"...)
	dot := bytes.LastIndexByte(segment, '.')
	if dot > 0 && len(segment)-dot <= 6 && allLetters(segment[dot+1:]) && bytes.IndexByte(segment, '@') < 0 {
		dst = append(dst, segment[dot:]...)
	}
	return dst
}

// Thresholds of isID.
const (
	minHexBytes = 8  // a run of hexadecimal digits so long, with a digit in it, is a hash or an id
	minDigits   = 4  // so many digits are a number, a date or an id with a prefix
	maxWord     = 32 // nothing longer is a word
)

// isID tells whether a segment names one thing among many: numbers, UUIDs,
// hashes, tokens, addresses, encoded text. Words with a short number, such as
// v1 or oauth2, are names of kinds.
func isID(segment []byte) bool {
	if len(segment) > maxWord {
		return true
	}
	var digits, other, hexRun, hexDigits int
	for _, c := range segment {
		switch {
		case '0' <= c && c <= '9':
			digits++
			hexRun++
			hexDigits++
		case 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
			other++
			hexRun++
		case c == '@', c == '%', c == '=', c >= 0x80, c < ' ':
			return true
		default:
			other++
			hexRun, hexDigits = 0, 0
		}
		if hexRun >= minHexBytes && hexDigits > 0 {
			return true
		}
	}
	return digits >= minDigits || digits > 0 && other == 0
}

func allLetters(b []byte) bool {
	for _, c := range b {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return len(b) > 0
}
