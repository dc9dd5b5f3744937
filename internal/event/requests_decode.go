package event

import "encoding/binary"

// Wire of a record of the requests ring behind the header; bpf/requests.h has
// the same as struct requests_record. All numbers are little-endian, as both
// supported machines are.
const (
	requestFixed    = 120 // bytes before the payload, without the header
	requestTailSize = 8
)

// decodeRequest fills r from body, the bytes behind the header of a TypeData or
// TypeSocketClose record. Payload and Tail point into body.
func decodeRequest(body []byte, r *Request) error {
	if len(body) < requestFixed {
		return ErrShort
	}
	b := body[:requestFixed]
	le := binary.LittleEndian
	*r = Request{
		Socket:          le.Uint64(b[0:]),
		CgroupID:        le.Uint64(b[8:]),
		Enter:           le.Uint64(b[16:]),
		Position:        le.Uint64(b[24:]),
		Bytes:           le.Uint64(b[32:]),
		CgroupHierarchy: le.Uint32(b[40:]),
		NetNS:           le.Uint32(b[44:]),
		LocalAddr:       [16]byte(b[48:64]),
		PeerAddr:        [16]byte(b[64:80]),
		LocalPort:       le.Uint16(b[80:]),
		PeerPort:        le.Uint16(b[82:]),
		Family:          le.Uint16(b[84:]),
		Class:           b[86],
		Role:            Role(b[87]),
		Direction:       Direction(b[88] & 1),
		Flags:           RequestFlags(b[89]),
		Error:           int32(le.Uint32(b[92:])),
		Skipped:         b[97] != 0,
		Opposite:        le.Uint32(b[100:]),
		Fiber:           le.Uint64(b[112:]),
	}
	captured, tail, listed := int(le.Uint16(b[90:])), int(b[96]), b[98] != 0
	if captured > len(body)-requestFixed || tail > max(requestTailSize, captured) {
		return ErrShort
	}
	if listed {
		return r.decodeExcerpts(body[requestFixed : requestFixed+captured : requestFixed+captured])
	}
	r.Payload = body[requestFixed : requestFixed+captured : requestFixed+captured]
	if tail > requestTailSize { // the payload ends with it
		r.Payload, r.Tail = r.Payload[:captured-tail:captured-tail], r.Payload[captured-tail:]
		return nil
	}
	r.Tail = b[104 : 104+tail : 104+requestTailSize]
	return nil
}

// decodeExcerpts fills in the bytes of a long segment. What it begins with is the
// payload.
func (r *Request) decodeExcerpts(list []byte) error {
	r.Excerpts = Excerpts(list)
	at, first, ok := r.Excerpts.Peek()
	if len(list) > 0 && !ok {
		return ErrShort
	}
	if ok && at == 0 {
		r.Payload = first
		r.Excerpts.Next()
	}
	return nil
}

// decodeSocketClose turns the fields that TypeSocketClose uses otherwise.
func (r *Request) decodeSocketClose() {
	r.Received, r.Sent = r.Position, r.Bytes
	r.Position, r.Bytes, r.Enter, r.Fiber, r.Payload, r.Tail, r.Excerpts = 0, 0, 0, 0, nil, nil, nil
}
