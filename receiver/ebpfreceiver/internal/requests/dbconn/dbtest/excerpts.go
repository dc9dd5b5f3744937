package dbtest

import (
	"encoding/binary"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Walker follows the frames of one direction as the kernel side does
// (bpf/requests_frames.h), and makes the records of long segments.
type Walker struct {
	Header int // bytes of a header
	// Enter tells of a header how many bytes follow it, and how many of these are
	// copied.
	Enter      func(header []byte) (left, keep int)
	Left, Keep int // bytes of the current frame to come, and to copy

	header []byte
	room   int
	now    int    // bytes of the record that were walked over
	list   []byte // its excerpts
	open   int    // where the last one is in list,
	next   int    // and where in the record it ends
}

// Part is what one record tells of a segment.
type Part struct {
	Len      int
	Excerpts event.Excerpts
}

// excerptHeader is what says where an excerpt is.
const excerptHeader = 8

// note copies bytes that come next, as far as there is room: least of them or none.
func (w *Walker) note(b string, least int) int {
	fresh := len(w.list) == 0 || w.next != w.now
	need := least
	if fresh {
		need += excerptHeader
	}
	if len(w.list)+need > w.room {
		return 0
	}
	if fresh {
		w.open, w.next = len(w.list), w.now
		w.list = binary.LittleEndian.AppendUint32(w.list, uint32(w.now))
		w.list = append(w.list, 0, 0, 0, 0)
	}
	n := min(len(b), w.room-len(w.list))
	w.list = append(w.list, b[:n]...)
	w.next += n
	binary.LittleEndian.PutUint32(w.list[w.open+4:], uint32(w.next)-binary.LittleEndian.Uint32(w.list[w.open:]))
	return n
}

// step takes what comes next; 0 when there is no room for it.
func (w *Walker) step(text string, copies bool) (n int) {
	n = min(w.Left, len(text))
	switch {
	case w.Left > 0 && w.Keep > 0 && copies:
		n = w.note(text[:min(n, w.Keep)], 1)
		w.Left, w.Keep = w.Left-n, w.Keep-n
	case w.Left > 0:
		w.Left -= n
	default:
		n = min(w.Header-len(w.header), len(text))
		if copies && w.note(text[:n], n) == 0 {
			return 0
		}
		if w.header = append(w.header, text[:n]...); len(w.header) == w.Header {
			w.Left, w.Keep = w.Enter(w.header)
			w.header = nil
		}
	}
	return n
}

// Pass walks over a segment of which no record is made by this walker.
func (w *Walker) Pass(text string) {
	for len(text) > 0 {
		text = text[w.step(text, false):]
	}
}

// Long makes the records of a segment, each with so many bytes. What does not fit at
// all is in the last one, without its bytes.
func (w *Walker) Long(text string, room int) (all []Part) {
	w.room = room
	if w.Left > 0 {
		w.Keep = max(w.Keep, 1)
	}
	for len(text) > 0 {
		w.list, w.now = nil, 0
		for w.now < len(text) {
			n := w.step(text[w.now:], true)
			if n == 0 {
				break
			}
			w.now += n
		}
		if w.now == 0 {
			w.Pass(text)
			w.now = len(text)
		}
		all = append(all, Part{Len: w.now, Excerpts: w.list})
		text = text[w.now:]
	}
	return all
}

// Feed has a parser take the records of a segment.
func Feed(p exchange.Parser, s exchange.Segment, parts []Part) {
	for _, r := range parts {
		s.Len, s.Payload, s.Excerpts = uint64(r.Len), nil, r.Excerpts
		if at, b, ok := s.Excerpts.Peek(); ok && at == 0 {
			s.Payload = b
			s.Excerpts.Next()
		}
		p.Segment(&s)
	}
}
