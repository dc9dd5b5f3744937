package mysql

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// A client and a server that have agreed upon compression pack what they say into
// frames:
//
//	frame = length of the body, 3 bytes | number | length of what is packed, 3 bytes | body
//
// The last is 0 where the body is not compressed. Frames and packets begin anywhere
// in each other; but a command begins a frame, of number 0.
const packedHeader = 7

// Bounds of what is unpacked.
const (
	maxUnpacked = 4 << 10  // bytes of a frame
	maxAtOnce   = 16 << 10 // of the frames of a segment
)

// packedFrames are how the frames begin.
var packedFrames = dbconn.Header{
	Size: packedHeader,
	Length: func(head []byte) (uint64, bool) {
		packed, length := length3(head), length3(head[4:])
		return packed, packed > 0 && (length == 0 || packed < length)
	},
	Keep: func([]byte) int { return maxUnpacked },
}

// length3 is a length of 3 bytes.
func length3(b []byte) uint64 { return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 }

// packing is the frames of a connection, by exchange.Side.
type packing struct {
	on     bool
	lost   bool // it is not known where frames begin
	frames [2]dbconn.Frames
	since  [2]uint64 // when the current frame began
	number [2]byte   // of the latest frame
}

func (pk *packing) reset() {
	pk.lost = false
	pk.frames[exchange.Request].Reset()
	pk.frames[exchange.Response].Reset()
}

// between tells whether the next byte of either side begins a frame.
func (pk *packing) between() bool {
	return pk.frames[exchange.Request].Between() && pk.frames[exchange.Response].Between()
}

// Segment implements exchange.Parser.
func (p *Parser) Segment(s *exchange.Segment) {
	if !p.packing.on || p.Stopped {
		p.Conn.Segment(s)
		return
	}
	pk := &p.packing
	switch begins := s.Side == exchange.Request && beginsPacked(s.Payload); {
	case begins && p.Q.Rested(s) && !pk.between(): // what was to come will not
		p.lose(s.End, exchange.Truncated)
		pk.reset()
	case begins && pk.lost:
		pk.reset()
	case pk.lost:
		p.unfollowed(s)
		return
	}
	f := &pk.frames[s.Side]
	c := dbconn.NewCursor(s)
	for room := maxAtOnce; c.Left() > 0 && !p.Stopped && !pk.lost; {
		if f.Between() {
			pk.since[s.Side] = s.Start
		}
		m, found := f.Next(&c, &packedFrames)
		switch found {
		case dbconn.More:
			return
		case dbconn.Lost:
			p.lose(s.End, exchange.Truncated)
		case dbconn.Foreign:
			p.lose(s.End, exchange.Desynchronized)
		case dbconn.Whole:
			if !p.follows(s.Side, m.Head[3]) {
				p.lose(s.End, exchange.Desynchronized)
				return
			}
			inner := *s
			inner.Start, inner.Tail, inner.Excerpts = pk.since[s.Side], nil, nil
			inner.Payload, inner.Len = p.unpacked(&m, room)
			room -= len(inner.Payload)
			p.Conn.Segment(&inner)
		}
	}
}

// follows tells whether a frame may have this number: those of a response go on
// from those of the command, or begin with 1.
func (p *Parser) follows(side exchange.Side, number byte) bool {
	pk := &p.packing
	last := pk.number[side] + 1
	pk.number[side] = number
	if side == exchange.Request || number == last {
		return true
	}
	return !p.answer.begun && p.resp.Between() && (number == 1 || number == pk.number[exchange.Request]+1)
}

// unpacked is what a frame holds, or the beginning of it, and how long it is. It is
// valid until the next call.
func (p *Parser) unpacked(m *dbconn.Message, room int) (b []byte, length uint64) {
	length = length3(m.Head[4:])
	if length == 0 {
		return m.Body, m.Len
	}
	dst := &p.proto.unpacked
	*dst = p.proto.streams.Zlib(*dst, m.Body, int(min(length, maxUnpacked, uint64(max(room, 0)))))
	return *dst, length
}

// unfollowed takes a segment in which it is not known where frames begin.
func (p *Parser) unfollowed(s *exchange.Segment) {
	if s.Side == exchange.Response {
		p.Q.Response(s)
	}
	p.Q.Seen(s)
}

// packedGap takes n bytes that were not seen at all.
func (p *Parser) packedGap(side exchange.Side, n, now uint64) {
	switch {
	case p.packing.frames[side].Survives(n):
	case side == exchange.Request:
		p.Q.Missed()
		p.lose(now, exchange.Desynchronized)
		p.database = p.database[:0] // it may have been changed
	default:
		p.lose(now, exchange.ResponseLost)
		p.statements.Clear() // numbers may have been given anew
	}
}

// beginsPacked tells whether b may begin the frame of a command.
func beginsPacked(b []byte) bool {
	if len(b) < packedHeader || b[3] != 0 {
		return false
	}
	packed, ok := packedFrames.Length(b)
	compressed := length3(b[4:]) != 0
	switch b = b[packedHeader:]; {
	case !ok || len(b) < 2:
		return ok
	case compressed: // as zlib begins (RFC 1950, section 2.2)
		return b[0]&15 == 8 && (uint(b[0])<<8|uint(b[1]))%31 == 0
	}
	return beginsRequest(b, max(packed, uint64(len(b))))
}
