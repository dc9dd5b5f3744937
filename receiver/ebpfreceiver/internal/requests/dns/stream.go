package dns

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// lengthBytes is the length of what comes before each message over TCP.
const lengthBytes = 2

// stream is one side of a TCP connection: messages with their lengths.
type stream struct {
	inSync bool
	prefix int    // bytes of the length that were read
	left   uint64 // bytes of the message to come
	length uint64 // of the message
	buf    []byte // its bytes so far, as far as they are of use
	cut    bool   // buf does not go on
	first  exchange.Segment
}

// maxMessage is how much of a message is kept.
const maxMessage = streamBytes

func (st *stream) reset(inSync bool) { *st = stream{inSync: inSync, buf: st.buf[:0]} }

// follow takes the next bytes of the side.
func (st *stream) follow(p *Parser, s *exchange.Segment) {
	data, unseen := s.Payload, s.Len-uint64(len(s.Payload))
	if !st.inSync {
		if !begins(s) {
			return
		}
		st.reset(true)
	}
	for len(data) > 0 {
		if st.prefix < lengthBytes {
			if st.prefix == 0 {
				st.first = exchange.Segment{Side: s.Side, Start: s.Start, Who: s.Who}
			}
			st.length = st.length<<8 | uint64(data[0])
			st.prefix++
			data = data[1:]
			if st.prefix < lengthBytes {
				continue
			}
			if st.left = st.length; st.left < headerBytes {
				st.reset(false)
				return
			}
			continue
		}
		n := min(st.left, uint64(len(data)))
		st.keep(data[:n])
		data = data[n:]
		if st.left -= n; st.left == 0 {
			st.end(p, s)
		}
	}
	if unseen > 0 {
		st.skip(p, s, unseen)
	}
}

// keep adds bytes of the message to what is kept.
func (st *stream) keep(b []byte) {
	if st.cut {
		return
	}
	n := min(len(b), maxMessage-len(st.buf))
	st.buf, st.cut = append(st.buf, b[:n]...), n < len(b)
}

// skip walks over bytes that are not at hand.
func (st *stream) skip(p *Parser, s *exchange.Segment, n uint64) {
	if st.prefix < lengthBytes || n > st.left {
		st.reset(false)
		return
	}
	st.cut = true
	if st.left -= n; st.left == 0 {
		st.end(p, s)
	}
}

// end takes a message that is complete.
func (st *stream) end(p *Parser, s *exchange.Segment) {
	whole := exchange.Segment{Side: s.Side, Start: st.first.Start, End: s.End, Len: st.length, Who: st.first.Who}
	p.message(&whole, st.buf, st.length+lengthBytes)
	st.reset(true)
}

// gap says that n bytes were lost.
func (st *stream) gap(n uint64) {
	if st.inSync && st.prefix == lengthBytes && n < st.left {
		st.left -= n
		st.cut = true
		return
	}
	st.reset(false)
}

// begins tells whether a segment begins with the length of a message, and the
// message.
func begins(s *exchange.Segment) bool {
	if len(s.Payload) < lengthBytes+headerBytes {
		return false
	}
	length := uint64(s.Payload[0])<<8 | uint64(s.Payload[1])
	h, ok := parseHeader(s.Payload[lengthBytes:])
	return ok && h.isLookup() && h.response == (s.Side == exchange.Response) && length+lengthBytes == s.Len
}
