package kafka

import (
	"slices"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Bounds of what waits for its request: responses, and ns.
const (
	maxEarly = 16
	quiet    = 1e9
)

// early are responses that were reported before their requests: the thread that
// received them was faster out of its call than the one that had sent the
// request.
type early struct{ list []answer }

// hold keeps a response. It returns false when there are too many.
func (e *early) hold(a *answer, now uint64) bool {
	n := len(e.list)
	if n == maxEarly {
		return false
	}
	if n < cap(e.list) {
		e.list = e.list[:n+1]
	} else {
		e.list = append(e.list, answer{})
	}
	body := e.list[n].body[:0]
	body = append(body, a.body[:min(len(a.body), maxKept)]...)
	e.list[n] = *a
	e.list[n].body, e.list[n].end = body, now
	return true
}

// remove takes out the one at a place, and keeps its memory.
func (e *early) remove(i int) {
	last := len(e.list) - 1
	body := e.list[i].body
	copy(e.list[i:], e.list[i+1:])
	e.list[last] = answer{body: body[:0]}
	e.list = e.list[:last]
}

// reset drops all of them, and most of the memory: few connections need any.
func (e *early) reset() {
	e.list = e.list[:0]
	if cap(e.list) > 1 {
		e.list = nil
	}
}

// tick takes out those whose request did not come, and returns how many.
func (e *early) tick(now uint64) (n int) {
	for i, a := range slices.Backward(e.list) {
		if now > a.end+quiet {
			e.remove(i)
			n++
		}
	}
	return n
}

// drop counts all of them.
func (e *early) drop(sink exchange.Sink) {
	for range e.list {
		sink.Count(exchange.RequestLost)
	}
	e.reset()
}
