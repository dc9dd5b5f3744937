package requests

import (
	"bytes"
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
)

// A load balancer may say in a preamble (the PROXY protocol, versions 1 and 2) whom
// it speaks for, before whatever the connection is about. It is passed over: what
// follows it begins the connection.
const (
	preambleText   = "PROXY "
	preambleBinary = "\r\n\r\n\x00\r\nQUIT\n"

	longestText = 107            // bytes of the line, as the protocol has it
	binaryHead  = 16             // bytes before the addresses
	binaryAt    = binaryHead - 2 // where their length stands
)

// preambleBound is how much of each call the kernel side copies until it is told what
// follows: enough for most preambles and the beginning of a request.
const preambleBound = 1024

// maxPreambles bounds the sockets of which it is remembered where the preamble
// has ended.
const maxPreambles = 4096

// preambles tells where the connection of a socket begins behind a preamble.
type preambles map[uint64]uint64

// preambleSignatures describe preambles to the kernel side, by a class that is no
// protocol's: it is told by the first record what the socket is instead.
func preambleSignatures(class uint8) (list []event.Signature) {
	for _, begin := range []string{preambleText, preambleBinary} {
		s := event.Signature{Class: class, Bound: preambleBound, Every: true}
		for i := range copy(s.Value[:], begin) {
			s.Mask[i] = 0xff
		}
		list = append(list, s)
	}
	return list
}

// preambleSize is the length of the preamble that b begins with, 0 when it is not
// there, or not to its end.
func preambleSize(b []byte) int {
	switch {
	case bytes.HasPrefix(b, []byte(preambleText)):
		line := b[:min(len(b), longestText)]
		if end := bytes.Index(line, []byte("\r\n")); end > 0 {
			return end + 2
		}
	case bytes.HasPrefix(b, []byte(preambleBinary)) && len(b) >= binaryHead:
		if n := binaryHead + int(binary.BigEndian.Uint16(b[binaryAt:])); n <= len(b) {
			return n
		}
	}
	return 0
}

// pass takes a preamble off the first record of a socket. It returns false when
// that has nothing else.
func (ps *preambles) pass(r *event.Request) bool {
	n := 0
	if r.Position == 0 && r.Flags&(event.RequestDatagram|event.RequestTLS) == 0 {
		n = preambleSize(r.Payload)
	}
	if n == 0 {
		return true
	}
	if *ps == nil || len(*ps) >= maxPreambles {
		*ps = preambles{} // whoever follows is joined in the midst
	}
	(*ps)[r.Socket] = uint64(n)
	r.Payload, r.Position, r.Bytes = r.Payload[n:], uint64(n), r.Bytes-uint64(n)
	return r.Bytes > 0
}
