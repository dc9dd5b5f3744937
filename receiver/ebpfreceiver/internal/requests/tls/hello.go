package tls

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Extensions of a hello (RFC 6066, section 3, and RFC 8446, section 4.2.1).
const (
	extServerName        = 0
	extSupportedVersions = 43
)

// Sizes in hellos.
const (
	recordHead    = 5
	handshakeHead = 4
	randomBytes   = 32
	maxServerName = 255
)

// versions names what a server chooses.
var versions = map[uint16]string{0x0300: "3.0", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}

// helloIn reads the hello at the beginning of what one end has sent, which may be
// cut anywhere. It tells what it finds, and done when there is no more to find,
// whatever follows.
func helloIn(sent []byte, e *exchange.Encryption) (done bool) {
	message, whole := messageIn(sent)
	if len(message) < handshakeHead {
		return whole
	}
	size := int(message[1])<<16 | int(message[2])<<8 | int(message[3])
	body := message[handshakeHead:]
	done = whole || len(body) >= size
	r := reader{b: body[:min(size, len(body))]}
	switch message[0] {
	case clientHello:
		r.clientHello(e)
	case serverHello:
		r.serverHello(e)
	default:
		return true
	}
	return done
}

// messageIn takes handshake messages out of their records. whole tells that
// nothing that follows belongs to them.
func messageIn(sent []byte) (message []byte, whole bool) {
	for len(sent) >= recordHead {
		if sent[0] != handshake || sent[1] != major {
			return message, true
		}
		n := int(binary.BigEndian.Uint16(sent[3:]))
		sent = sent[recordHead:]
		if message == nil {
			message = sent[:min(n, len(sent)):min(n, len(sent))]
		} else {
			message = append(message, sent[:min(n, len(sent))]...)
		}
		if n > len(sent) {
			return message, false
		}
		sent = sent[n:]
	}
	return message, false
}

// reader takes a hello apart. Behind the end of what it has, it reads nothing.
type reader struct{ b []byte }

// skip passes over n bytes.
func (r *reader) skip(n int) { r.b = r.b[min(n, len(r.b)):] }

// number reads n bytes; ok is false when they are not there.
func (r *reader) number(n int) (v int, ok bool) {
	if len(r.b) < n {
		r.b = nil
		return 0, false
	}
	for _, c := range r.b[:n] {
		v = v<<8 | int(c)
	}
	r.b = r.b[n:]
	return v, true
}

// vector reads bytes that follow their length, which takes n bytes itself. What
// is cut ends early.
func (r *reader) vector(n int) reader {
	size, _ := r.number(n)
	v := reader{r.b[:min(size, len(r.b))]}
	r.skip(size)
	return v
}

// clientHello reads the server's name.
func (r *reader) clientHello(e *exchange.Encryption) {
	r.skip(2 + randomBytes)
	r.vector(1) // session
	r.vector(2) // cipher suites
	r.vector(1) // compression
	r.extensions(func(kind int, body reader) {
		if kind != extServerName {
			return
		}
		list := body.vector(2)
		if kind, ok := list.number(1); !ok || kind != 0 {
			return
		}
		if size, ok := list.number(2); ok && size <= len(list.b) {
			e.ServerName = hostName(list.b[:size])
		}
	})
}

// serverHello reads the version that was agreed upon.
func (r *reader) serverHello(e *exchange.Encryption) {
	version, ok := r.number(2)
	if !ok {
		return
	}
	r.skip(randomBytes)
	r.vector(1)                       // session
	if _, ok = r.number(2 + 1); !ok { // cipher suite, compression
		return
	}
	r.extensions(func(kind int, body reader) {
		if kind == extSupportedVersions {
			if v, ok := body.number(2); ok {
				version = v
			}
		}
	})
	e.Version = versions[uint16(version)]
}

func (r *reader) extensions(each func(kind int, body reader)) {
	all := r.vector(2)
	for len(all.b) > 0 {
		kind, ok := all.number(2)
		if !ok {
			return
		}
		each(kind, all.vector(2))
	}
}

// hostName is a name in lower case; empty when it is none.
func hostName(b []byte) string {
	if len(b) > maxServerName {
		return ""
	}
	name := make([]byte, len(b))
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			return ""
		}
		name[i] = c
	}
	return string(name)
}
