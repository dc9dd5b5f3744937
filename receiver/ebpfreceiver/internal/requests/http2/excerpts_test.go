package http2

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// bodyKept is how many bytes of bodies are copied.
const bodyKept = 23

// newWalker follows one direction as the kernel side does.
func newWalker() dbtest.Walker {
	return dbtest.Walker{Header: frameHeader, Enter: func(b []byte) (left, keep int) {
		h, _ := parseHeader(b)
		if h.kind == data {
			return int(h.length), bodyKept
		}
		return int(h.length), int(h.length)
	}}
}

// long feeds a segment of which the beginnings of frames are copied.
func (s *script) long(side exchange.Side, data string, room int) *script {
	s.now++
	seg := exchange.Segment{Side: side, Start: s.now, End: s.now, Who: exchange.Who{TID: uint32(s.now)}}
	dbtest.Feed(s.p, seg, s.walkers[side].Long(data, room))
	return s
}
