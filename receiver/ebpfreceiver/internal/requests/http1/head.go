package http1

import (
	"bytes"
	"math"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

// framing is how the end of a message is found (RFC 9112, section 6).
type framing struct {
	length  uint64 // of the body; noLength when no header gives one
	chunked bool
	invalid bool // contradicting or unreadable lengths
	h2c     bool // the connection is to go on in HTTP/2
}

const noLength = math.MaxUint64

// endOfHead returns the number of bytes of the head that b begins with, its
// empty line included, or 0 when b does not hold all of it. The first from bytes
// are known not to hold the end.
func endOfHead(b []byte, from int) int {
	from = max(from-3, 0)
	if i := bytes.Index(b[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	if i := bytes.Index(b[from:], []byte("\n\n")); i >= 0 {
		return from + i + 2
	}
	return 0
}

// cutLine returns the first line of b without its end, and what follows it. ok
// is false when the line does not end within b.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil, false
	}
	line, rest = b[:i], b[i+1:]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, rest, true
}

// cutHeader takes a header line apart.
func cutHeader(line []byte) (name, value []byte) {
	name, value, _ = bytes.Cut(line, []byte(":"))
	for len(value) > 0 && isBlank(value[0]) {
		value = value[1:]
	}
	for len(value) > 0 && isBlank(value[len(value)-1]) {
		value = value[:len(value)-1]
	}
	return name, value
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// parseRequest reads a request head, or the part of it that b holds, into f. A
// last line that does not end in b is not a header yet; a first line that does
// not end sets TargetCut.
func parseRequest(b []byte, f *httpfacts.Facts) (fr framing, ok bool) {
	fr.length = noLength
	line, rest, whole := cutLine(b)
	method, target, hasTarget := bytes.Cut(line, []byte(" "))
	if !hasTarget || len(method) == 0 || len(method) > maxMethod {
		return fr, false
	}
	f.Method = append(f.Method[:0], method...)
	if !whole {
		f.Target, f.TargetCut, f.HeadCut = append(f.Target[:0], target...), true, true
		return fr, true
	}
	space := bytes.LastIndexByte(target, ' ')
	if space < 0 {
		return fr, false
	}
	if string(target[space+1:]) == "HTTP/1.0" {
		f.Version = httpfacts.HTTP10
	}
	f.Target = append(f.Target[:0], bytes.TrimRight(target[:space], " ")...)
	for len(rest) > 0 {
		line, rest, whole = cutLine(rest)
		if !whole || len(line) == 0 {
			break
		}
		name, value := cutHeader(line)
		f.SetHeader(name, value)
		fr.header(name, value)
	}
	return fr, true
}

// parseResponse reads a response head, or the part of it that b holds.
func parseResponse(b []byte, f *httpfacts.Facts) (fr framing, ok bool) {
	fr.length = noLength
	line, rest, whole := cutLine(b)
	const codeAt = len("HTTP/1.x ")
	if len(line) < codeAt+3 || !looksLikeResponse(line) {
		return fr, false
	}
	status := 0
	for _, c := range line[codeAt : codeAt+3] {
		if c < '0' || c > '9' {
			return fr, false
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 {
		return fr, false
	}
	f.Status = uint16(status)
	if line[len(responsePrefix)] == '0' {
		f.Version = httpfacts.HTTP10
	}
	for whole && len(rest) > 0 {
		line, rest, whole = cutLine(rest)
		if !whole || len(line) == 0 {
			break
		}
		name, value := cutHeader(line)
		if len(name) == 12 && httpfacts.Fold(name, "content-type") && httpfacts.IsEventStream(value) {
			f.EventStream = true
		}
		f.API.Header(name, value, true)
		fr.header(name, value)
	}
	return fr, true
}

// header takes in a header that has to do with framing.
func (fr *framing) header(name, value []byte) {
	switch len(name) {
	case 7:
		fr.h2c = fr.h2c || httpfacts.Fold(name, "upgrade") && httpfacts.Fold(value, "h2c")
	case 14:
		if !httpfacts.Fold(name, "content-length") {
			return
		}
		n, ok := parseLength(value)
		if !ok || fr.length != noLength && fr.length != n {
			fr.invalid = true
		}
		fr.length = n
	case 17:
		// The last coding decides, and chunked must be the last one.
		if !httpfacts.Fold(name, "transfer-encoding") {
			return
		}
		last := value
		if comma := bytes.LastIndexByte(value, ','); comma >= 0 {
			last = bytes.TrimLeft(value[comma+1:], " \t")
		}
		fr.chunked = httpfacts.Fold(last, "chunked")
	}
}

// parseLength reads a Content-Length. A list of equal numbers is one number.
func parseLength(b []byte) (uint64, bool) {
	first, rest, more := bytes.Cut(b, []byte(","))
	first = bytes.TrimSpace(first)
	if len(first) == 0 || len(first) > 18 {
		return noLength, false
	}
	var n uint64
	for _, c := range first {
		if c < '0' || c > '9' {
			return noLength, false
		}
		n = n*10 + uint64(c-'0')
	}
	if more {
		if other, ok := parseLength(rest); !ok || other != n {
			return noLength, false
		}
	}
	return n, true
}
