package requests

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/sightglass/sightglass/internal/event"
)

// A load balancer may say in a preamble (the PROXY protocol, versions 1 and 2) whom
// it speaks for, before whatever the connection is about. It is read and passed over:
// what follows it begins the connection.
const (
	preambleText   = "PROXY "
	preambleBinary = "\r\n\r\n\x00\r\nQUIT\n"

	longestText = 107            // bytes of the line, as the protocol has it
	binaryHead  = 16             // bytes before the addresses
	binaryAt    = binaryHead - 2 // where their length stands
	binaryVerb  = 12             // where it stands whether there are any, and behind it
	binaryKind  = 13             // of which kind
)

// What these two say: the client's address is known, and of TCP over IPv4 or IPv6.
const (
	verbProxy = 0x21
	kindTCP4  = 0x11
	kindTCP6  = 0x21
)

// preambleBound is how much of each call the kernel side copies until it is told what
// follows: enough for most preambles and the beginning of a request.
const preambleBound = 1024

// maxPreambles bounds the sockets of which it is remembered where the preamble
// has ended.
const maxPreambles = 4096

// preamble is what is known of one that has passed.
type preamble struct {
	end    uint64         // where the connection begins
	client netip.AddrPort // for whom it spoke; invalid if it did not say
}

// preambles are by socket.
type preambles map[uint64]preamble

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

// preambleClient is whose connection b, a whole preamble, says it is; invalid if it is
// the load balancer's own, or not one of TCP.
func preambleClient(b []byte) netip.AddrPort {
	if bytes.HasPrefix(b, []byte(preambleText)) {
		return clientOfText(b)
	}
	if b[binaryVerb] != verbProxy {
		return netip.AddrPort{}
	}
	size := 4
	switch b[binaryKind] {
	case kindTCP4:
	case kindTCP6:
		size = 16
	default:
		return netip.AddrPort{}
	}
	if b = b[binaryHead:]; len(b) < 2*size+4 { // two addresses and two ports
		return netip.AddrPort{}
	}
	addr, _ := netip.AddrFromSlice(b[:size])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[2*size:]))
}

// clientOfText reads version 1: PROXY TCP4 client server port port.
func clientOfText(line []byte) netip.AddrPort {
	words := bytes.Fields(line)
	if len(words) != 6 || string(words[1]) != "TCP4" && string(words[1]) != "TCP6" {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddr(string(words[2]))
	port, wrong := strconv.ParseUint(string(words[4]), 10, 16)
	if err != nil || wrong != nil || addr.Zone() != "" {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, uint16(port))
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
	(*ps)[r.Socket] = preamble{end: uint64(n), client: preambleClient(r.Payload[:n])}
	r.Payload, r.Position, r.Bytes = r.Payload[n:], uint64(n), r.Bytes-uint64(n)
	return r.Bytes > 0
}
