package dns

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// headerBytes is the length of what every message begins with.
const headerBytes = 12

// flagResponse is the bit of the third byte that tells responses from queries.
const flagResponse = 0x80

// header of a message.
type header struct {
	id        uint16
	response  bool
	opcode    uint8
	truncated bool
	reserved  bool
	rcode     uint8
	questions uint16
	answers   uint16
}

// parseHeader reads the header that b begins with.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < headerBytes {
		return h, false
	}
	return header{
		id:        binary.BigEndian.Uint16(b),
		response:  b[2]&flagResponse != 0,
		opcode:    b[2] >> 3 & 0xf,
		truncated: b[2]&2 != 0,
		reserved:  b[3]&0x40 != 0,
		rcode:     b[3] & 0xf,
		questions: binary.BigEndian.Uint16(b[4:]),
		answers:   binary.BigEndian.Uint16(b[6:]),
	}, true
}

// isLookup tells whether a message is a standard query or a response to one.
func (h *header) isLookup() bool {
	return h.opcode == 0 && !h.reserved && h.questions == 1 && (h.response || h.answers == 0)
}

// Bounds of a name (RFC 1035, section 2.3.4).
const (
	maxName  = 255
	maxLabel = 63
	maxJumps = 32 // pointers of one name that are followed
)

// appendName appends the name at an offset of msg to dst, in lower case,
// without the final dot, and with what is not printable escaped. next is where
// the bytes behind the name begin. Pointers lead backwards, so that they come to
// an end.
func appendName(dst, msg []byte, at int) (name []byte, next int, ok bool) {
	length, floor := 0, at
	for jumps := 0; ; {
		if at >= len(msg) {
			return dst, 0, false
		}
		n := int(msg[at])
		switch {
		case n == 0:
			if next == 0 {
				next = at + 1
			}
			return dst, next, true
		case n <= maxLabel:
			length += n + 1
			if length >= maxName || at+1+n > len(msg) {
				return dst, 0, false
			}
			if length > n+1 {
				dst = append(dst, '.')
			}
			dst = appendLabel(dst, msg[at+1:at+1+n])
			at += 1 + n
		case n >= 0xc0:
			if at+1 >= len(msg) || jumps == maxJumps {
				return dst, 0, false
			}
			if next == 0 {
				next = at + 2
			}
			at = n&0x3f<<8 | int(msg[at+1])
			if at >= floor {
				return dst, 0, false
			}
			floor = at
			jumps++
		default:
			return dst, 0, false
		}
	}
}

// skipName returns where the bytes behind the name at an offset of msg begin.
func skipName(msg []byte, at int) (next int, ok bool) {
	for at < len(msg) {
		switch n := int(msg[at]); {
		case n == 0:
			return at + 1, true
		case n <= maxLabel:
			at += 1 + n
		default:
			return at + 2, n >= 0xc0
		}
	}
	return 0, false
}

func appendLabel(dst, label []byte) []byte {
	for _, c := range label {
		switch {
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c|0x20)
		case c == '.' || c == '\\':
			dst = append(dst, '\\', c)
		case c > ' ' && c < 0x7f:
			dst = append(dst, c)
		default:
			dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		}
	}
	return dst
}

// parseQuestion reads the only question of msg. next is where the answers begin.
func parseQuestion(msg, name []byte) (question []byte, qtype uint16, next int, ok bool) {
	question, next, ok = appendName(name, msg, headerBytes)
	if !ok || next+4 > len(msg) {
		return question, 0, 0, false
	}
	return question, binary.BigEndian.Uint16(msg[next:]), next + 4, true
}

// Types of records that are looked into.
const (
	typeA     = 1
	typeCNAME = 5
	typeAAAA  = 28
)

// maxAnswers is how many addresses and names of a response are kept.
const maxAnswers = 16

// parseAnswers reads the addresses and names among n records at an offset of
// msg. It tells whether all of them were there and kept.
func (f *Facts) parseAnswers(msg []byte, at, n int) bool {
	for range n {
		next, ok := skipName(msg, at)
		if !ok || next+10 > len(msg) {
			return false
		}
		rtype := binary.BigEndian.Uint16(msg[next:])
		ttl := binary.BigEndian.Uint32(msg[next+4:])
		data := next + 10
		at = data + int(binary.BigEndian.Uint16(msg[next+8:]))
		if at > len(msg) {
			return false
		}
		if !f.addAnswer(msg, rtype, ttl, data, at) {
			return false
		}
	}
	return true
}

// addAnswer takes over a record whose data is at [data, end) of msg.
func (f *Facts) addAnswer(msg []byte, rtype uint16, ttl uint32, data, end int) bool {
	a := Answer{TTL: ttl}
	switch {
	case rtype == typeA && end-data == 4:
		a.Addr = netip.AddrFrom4([4]byte(msg[data:end]))
	case rtype == typeAAAA && end-data == 16:
		a.Addr = netip.AddrFrom16([16]byte(msg[data:end]))
	case rtype == typeCNAME:
		begin := len(f.names)
		names, _, ok := appendName(f.names, msg, data)
		if !ok {
			return false
		}
		f.names = names
		a.begin, a.end = begin, len(names)
	default:
		return true
	}
	if len(f.Answers) == maxAnswers {
		return false
	}
	f.Answers = append(f.Answers, a)
	return true
}

// typeNames are the names of the types that are asked for.
var typeNames = map[uint16]string{
	typeA: "A", 2: "NS", typeCNAME: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", typeAAAA: "AAAA",
	33: "SRV", 35: "NAPTR", 39: "DNAME", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3",
	52: "TLSA", 64: "SVCB", 65: "HTTPS", 251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
}

// typeName is the name of a type; of one that has none, as RFC 3597 writes it.
func typeName(t uint16) string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// rcodeNames are the names of the response codes (RFC 6895, section 2.3).
var rcodeNames = [16]string{
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
	"NOTZONE", "DSOTYPENI", "RCODE12", "RCODE13", "RCODE14", "RCODE15",
}
