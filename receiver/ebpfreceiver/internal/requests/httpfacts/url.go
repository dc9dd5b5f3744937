package httpfacts

import (
	"bytes"
	"unsafe"

	"github.com/sightglass/sightglass/internal/redact"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpapi"
)

// redacted replaces what must not be kept.
const redacted = "REDACTED"

// maxSecretKey is the length of the longest name of a parameter that is looked
// at.
const maxSecretKey = 128

// appendQuery appends query to dst with the values of secret parameters
// replaced. statements: those that hold statements are, too.
func appendQuery(dst, query []byte, statements bool) []byte {
	for {
		pair, rest, more := bytes.Cut(query, []byte("&"))
		key, _, hasValue := bytes.Cut(pair, []byte("="))
		if hasValue && (isSecret(key) || statements && httpapi.HoldsValues(key)) {
			dst = append(dst, key...)
			dst = append(dst, '=')
			dst = append(dst, redacted...)
		} else {
			dst = append(dst, pair...)
		}
		if !more {
			return dst
		}
		dst = append(dst, '&')
		query = rest
	}
}

// isSecret reports whether a parameter's value is a credential or a signature.
// Escapes in names are undone: they mean the same to the server.
func isSecret(key []byte) bool {
	if len(key) == 0 || len(key) > maxSecretKey {
		return false
	}
	var plain [maxSecretKey]byte
	n := 0
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '%' && i+2 < len(key) {
			if high, low := hexDigit(key[i+1]), hexDigit(key[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		plain[n] = c
		n++
	}
	return redact.SecretParam(unsafe.String(&plain[0], n))
}

// hexDigit is the value of a digit, -1 when it is none.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	default:
		return -1
	}
}

// target is a request target taken apart. The slices point into it.
type target struct {
	scheme    []byte // absolute form only
	authority []byte // absolute form and CONNECT only, without user information
	secretive bool   // there was user information
	path      []byte
	query     []byte
	hasQuery  bool
}

// splitTarget takes a request target apart (RFC 9112, section 3.2). A CONNECT that
// asks for more than a tunnel has a path (RFC 8441).
func splitTarget(raw []byte, connect bool) (t target) {
	if connect && !bytes.HasPrefix(raw, []byte("/")) {
		t.authority = raw
		return t
	}
	if scheme, rest, ok := cutScheme(raw); ok {
		t.scheme = scheme
		end := bytes.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		t.authority, raw = rest[:end], rest[end:]
		if at := bytes.LastIndexByte(t.authority, '@'); at >= 0 {
			t.authority, t.secretive = t.authority[at+1:], true
		}
	}
	if hash := bytes.IndexByte(raw, '#'); hash >= 0 {
		raw = raw[:hash]
	}
	t.path, t.query, t.hasQuery = bytes.Cut(raw, []byte("?"))
	return t
}

// cutScheme takes the scheme off a target in absolute form. Nearly all have the
// origin form.
func cutScheme(raw []byte) (scheme, rest []byte, ok bool) {
	if len(raw) == 0 || raw[0] == '/' {
		return nil, raw, false
	}
	scheme, rest, ok = bytes.Cut(raw, []byte("://"))
	return scheme, rest, ok && isScheme(scheme)
}

func isScheme(b []byte) bool {
	for _, c := range b {
		if (c|0x20 < 'a' || c|0x20 > 'z') && c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(b) > 0
}

// splitAuthority takes host[:port] apart; port is 0 when there is none.
func splitAuthority(b []byte) (host []byte, port uint16) {
	host = b
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return b, 0
		}
		host, b = b[1:end], b[end+1:]
		if len(b) == 0 || b[0] != ':' {
			return host, 0
		}
		return host, parsePort(b[1:])
	}
	colon := bytes.LastIndexByte(b, ':')
	if colon < 0 || bytes.IndexByte(b, ':') != colon {
		return host, 0
	}
	return b[:colon], parsePort(b[colon+1:])
}

func parsePort(b []byte) uint16 {
	if len(b) == 0 || len(b) > 5 {
		return 0
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 0xffff {
		return 0
	}
	return uint16(n)
}
