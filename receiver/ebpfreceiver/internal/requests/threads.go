package requests

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Thread is one thread of one process.
type Thread struct {
	Process event.ProcessKey
	TID     uint32
}

// serving is what a thread is busy with.
type serving struct {
	ex    *exchange.Exchange // the only request under way; nil when there are several
	open  int
	mixed bool // several were under way since it was last idle
}

// fiberOf is the goroutine that serves or makes the request that a segment
// begins, if the program is one of Go's; 0 when that is not certain: net/http
// has another one wait for the first byte of the next request.
func fiberOf(s *exchange.Segment) uint64 {
	if s.Len <= 1 {
		return 0
	}
	return s.Who.Fiber
}

// worker is a thread, or, with a fiber and no thread, a goroutine.
type worker struct {
	Thread
	fiber uint64
}

// threads knows which request each thread serves, so that the requests that it
// makes meanwhile become children of that one. Who serves one request at a time
// makes no others for anybody else; where that is not certain (event loops,
// several requests under way) there is no parent. The same goes for goroutines;
// which of the two counts in a program is known elsewhere. It holds twice as many
// entries as there are open exchanges at most.
type threads struct {
	busy map[worker]serving
	// serves is told of every thread that begins to serve a request; nil when
	// nobody asks for parents. A thread may be told of once for many requests.
	serves func(Thread)
	told   [toldThreads]Thread // of, since forget
}

// toldThreads is how many threads are remembered for not to be told of again.
const toldThreads = 256

// tell tells of a thread that begins to serve a request.
func (t *threads) tell(th Thread) {
	if place := &t.told[th.TID%toldThreads]; *place != th {
		*place = th
		t.serves(th)
	}
}

// forget has all threads told of again.
func (t *threads) forget() { t.told = [toldThreads]Thread{} }

func newThreads(serves func(Thread)) threads {
	return threads{busy: make(map[worker]serving), serves: serves}
}

func threadOf(ex *exchange.Exchange) worker {
	return worker{Thread: Thread{Process: ex.Owner, TID: ex.TID}}
}

func goroutineOf(ex *exchange.Exchange) worker {
	return worker{Thread: Thread{Process: ex.Owner}, fiber: ex.Fiber}
}

// begin takes note of a new exchange. loop: its thread is an event loop.
func (t *threads) begin(ex *exchange.Exchange, loop bool) {
	if t.serves == nil {
		return
	}
	if ex.Role == event.RoleClient {
		if !loop {
			ex.Parent = t.served(threadOf(ex))
		}
		if ex.Fiber != 0 {
			ex.FiberParent = t.served(goroutineOf(ex))
		}
		return
	}
	t.tell(Thread{Process: ex.Owner, TID: ex.TID})
	if !loop {
		t.add(threadOf(ex), ex)
		ex.Serving = true
	}
	if ex.Fiber != 0 {
		t.add(goroutineOf(ex), ex)
		ex.FiberServing = true
	}
}

// served is the context of the one request that a worker is busy with; none if
// there is none, or several.
func (t *threads) served(w worker) exchange.Context {
	if s := t.busy[w]; s.ex != nil {
		return contextOf(s.ex)
	}
	return exchange.Context{}
}

func (t *threads) add(w worker, ex *exchange.Exchange) {
	s := t.busy[w]
	s.open++
	s.mixed = s.mixed || s.open > 1
	if s.ex = ex; s.mixed {
		s.ex = nil
	}
	t.busy[w] = s
}

// end takes note that an exchange is over. Who served it is who began with it.
func (t *threads) end(ex *exchange.Exchange) {
	if ex.Serving {
		t.remove(threadOf(ex), ex)
	}
	if ex.FiberServing {
		t.remove(goroutineOf(ex), ex)
	}
}

func (t *threads) remove(w worker, ex *exchange.Exchange) {
	s := t.busy[w]
	if s.open--; s.open <= 0 {
		delete(t.busy, w)
		return
	}
	if s.ex == ex {
		s.ex = nil
	}
	t.busy[w] = s
}

// contextOf is the context of the span that an exchange will become. It gives
// the exchange ids, in the trace that the request came with.
func contextOf(ex *exchange.Exchange) exchange.Context {
	var from exchange.Context
	if facts, ok := ex.Facts.(exchange.Contexter); ok {
		from, _ = facts.Context()
	}
	if ex.Span == [8]byte{} {
		fill(ex.Span[:])
		if ex.Trace = from.Trace; ex.Trace == [16]byte{} {
			fill(ex.Trace[:])
		}
	}
	return exchange.Context{Trace: ex.Trace, Span: ex.Span, Flags: from.Flags, State: from.State}
}

// fill makes an id: random bytes, not all zero. len(id) is a multiple of 8.
func fill(id []byte) {
	for i := 0; i < len(id); i += 8 {
		binary.LittleEndian.PutUint64(id[i:], rand.Uint64()|1)
	}
}
