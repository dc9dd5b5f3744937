package dbconn

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// maxEarly is how many segments wait for their request.
const maxEarly = 16

// quiet is how long nothing must happen, in ns, before a pipelined connection
// is believed to have nothing under way.
const quiet = 1e9

// early are response segments that were reported before their request: the
// thread that received them was faster out of its call than the one that had
// sent the request.
type early struct {
	list []earlySegment
	from uint64 // when the first of them came
}

type earlySegment struct {
	seg     exchange.Segment
	payload []byte
	tail    [exchange.TailBytes]byte
}

// hold keeps a segment. It returns false, having dropped all, when there are
// too many.
func (e *early) hold(s *exchange.Segment) bool {
	n := len(e.list)
	if n == maxEarly {
		e.list = e.list[:0]
		return false
	}
	if n == 0 {
		e.from = s.End
	}
	if n < cap(e.list) {
		e.list = e.list[:n+1]
	} else {
		e.list = append(e.list, earlySegment{})
	}
	h := &e.list[n]
	h.seg = *s
	h.payload = append(h.payload[:0], s.Payload...)
	h.seg.Payload, h.seg.Excerpts = h.payload, nil
	h.seg.Tail = h.tail[:copy(h.tail[:], s.Last())]
	return true
}

// Replay hands the segments that were early to follow, now that there is a
// request. What came before the request was sent does not answer it.
func (q *Queue[T]) Replay(follow func(*exchange.Segment)) {
	if len(q.early.list) == 0 || q.Len() == 0 {
		return
	}
	list := q.early.list
	q.early.list = list[len(list):]
	for i := range list {
		if q.Len() > 0 && list[i].seg.End >= q.First().Start {
			follow(&list[i].seg)
		}
	}
	q.early.list = list[:0]
}

// Tick drops segments that have waited for too long.
func (q *Queue[T]) Tick(now uint64) {
	if len(q.early.list) > 0 && now > q.early.from+quiet {
		q.early.list = q.early.list[:0]
		q.orphan()
	}
}
