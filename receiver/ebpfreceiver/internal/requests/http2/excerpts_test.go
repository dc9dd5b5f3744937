package http2

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// walker finds the beginnings of frames as the kernel side does (bpf/requests_frames.h).
type walker struct {
	left, keep int
	header     []byte
	list       []byte // excerpts
	open, next int    // where the last excerpt is in list, and in the segment where it ends
	now        int
	room       int
}

// bodyKept is how many bytes of bodies are copied.
const bodyKept = 23

// note copies bytes of the segment, as far as there is room.
func (w *walker) note(b string, least int) int {
	if len(w.list) == 0 || w.next != w.now {
		if len(w.list)+8+least > w.room {
			return 0
		}
		w.open, w.next = len(w.list), w.now
		w.list = binary.LittleEndian.AppendUint32(w.list, uint32(w.now))
		w.list = append(w.list, 0, 0, 0, 0)
	}
	n := min(len(b), w.room-len(w.list))
	if n < least {
		return 0
	}
	w.list = append(w.list, b[:n]...)
	w.next += n
	binary.LittleEndian.PutUint32(w.list[w.open+4:], uint32(w.next)-binary.LittleEndian.Uint32(w.list[w.open:]))
	return n
}

// walk goes over the next segment and returns excerpts of it; none without room,
// as when all is copied.
func (w *walker) walk(text string, room int) event.Excerpts {
	w.list, w.now, w.room = nil, 0, room
	for w.now < len(text) {
		if w.left > 0 {
			n := min(w.left, len(text)-w.now)
			k := min(w.keep, n)
			if k > 0 && room > 0 {
				k = w.note(text[w.now:w.now+k], 1)
			}
			if w.keep -= k; k < n {
				w.keep = 0
			}
			w.left, w.now = w.left-n, w.now+n
			continue
		}
		n := min(frameHeader-len(w.header), len(text)-w.now)
		w.header = append(w.header, text[w.now:w.now+n]...)
		w.note(text[w.now:w.now+n], n)
		if w.now += n; len(w.header) < frameHeader {
			break
		}
		h, _ := parseHeader(w.header)
		w.header, w.left, w.keep = nil, int(h.length), int(h.length)
		if h.kind == data {
			w.keep = bodyKept
		}
	}
	return w.list
}

// long feeds a segment of which the beginnings of frames are copied.
func (s *script) long(side exchange.Side, data string, room int) *script {
	s.now++
	seg := exchange.Segment{Side: side, Start: s.now, End: s.now, Len: uint64(len(data)), Who: exchange.Who{TID: uint32(s.now)}}
	seg.Excerpts = s.walkers[side].walk(data, room)
	if at, b, ok := seg.Excerpts.Peek(); ok && at == 0 {
		seg.Payload = b
		seg.Excerpts.Next()
	}
	s.p.Segment(&seg)
	return s
}
