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

// threads knows which request each thread serves, so that the requests that it
// makes meanwhile become children of that one. Who serves one request at a time
// makes no others for anybody else; where that is not certain (event loops,
// several requests under way) there is no parent. It holds as many entries as
// there are open exchanges at most.
type threads struct {
	busy map[Thread]serving
	// serves is told of every thread that begins to serve a request; nil when
	// nobody asks for parents.
	serves func(Thread)
}

func newThreads(serves func(Thread)) threads {
	return threads{busy: make(map[Thread]serving), serves: serves}
}

// begin takes note of a new exchange. loop: its thread is an event loop.
func (t *threads) begin(ex *exchange.Exchange, loop bool) {
	if t.serves == nil || loop {
		return
	}
	th := Thread{Process: ex.Owner, TID: ex.TID}
	s, busy := t.busy[th]
	if ex.Role == event.RoleClient {
		if busy && s.ex != nil {
			ex.Parent = contextOf(s.ex)
		}
		return
	}
	t.serves(th)
	s.open++
	s.mixed = s.mixed || s.open > 1
	if s.ex = ex; s.mixed {
		s.ex = nil
	}
	t.busy[th] = s
	ex.Serving = true
}

// end takes note that an exchange is over. Its thread is the one that it began
// on.
func (t *threads) end(ex *exchange.Exchange) {
	if !ex.Serving {
		return
	}
	th := Thread{Process: ex.Owner, TID: ex.TID}
	s := t.busy[th]
	if s.open--; s.open <= 0 {
		delete(t.busy, th)
		return
	}
	if s.ex == ex {
		s.ex = nil
	}
	t.busy[th] = s
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
