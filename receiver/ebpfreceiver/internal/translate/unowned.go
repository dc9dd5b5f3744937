package translate

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Actor is who served or sent a request, as the kernel tells it.
type Actor struct {
	Process         event.ProcessKey
	CgroupID        uint64
	CgroupHierarchy uint32
}

// ActorOf is who acted at one end of a connection.
func ActorOf(e *exchange.Endpoint) Actor {
	return Actor{Process: e.Owner, CgroupID: e.CgroupID, CgroupHierarchy: e.CgroupHierarchy}
}

// Unowned are spans of a stretch of time whose owners are looked up later, when
// everything is known that their processes did until then. The spans themselves
// are made at once: all that they are made of is in the processor's caches while
// an exchange ends, and the exchange can be used again. The zero value is ready;
// one goroutine at a time.
type Unowned struct {
	end   uint64 // of the youngest, in ns since boot
	n     int
	bytes int // of their texts
	room  int // spans of an actor to reserve memory for
	acted []acted
	index map[Actor]int // into acted[:actors]
	// actors is how many of acted are in use.
	actors int
}

// acted are the spans of one actor.
type acted struct {
	by    Actor
	spans ptrace.SpanSlice
}

// Len is the number of spans.
func (u *Unowned) Len() int { return u.n }

// Bytes is how many bytes their texts have.
func (u *Unowned) Bytes() int { return u.bytes }

// End is when the youngest exchange ended, in ns since boot; 0 without any.
func (u *Unowned) End() uint64 { return u.end }

// Append adds the span of an exchange, which stays the caller's. wallOffset is
// as for spans.Translator.Append. It reports false when too little is known of
// the request for a span.
func (u *Unowned) Append(t *spans.Translator, ex *exchange.Exchange, wallOffset int64) bool {
	before := t.Written()
	if !t.Append(u.of(ActorOf(&ex.Endpoint)), ex, wallOffset) {
		return false
	}
	u.n++
	u.bytes += int(t.Written() - before)
	u.end = max(u.end, ex.End)
	return true
}

// fewActors is how many are compared before the index is asked: the exchanges of
// a moment belong to few processes.
const fewActors = 4

// of finds or makes the spans of an actor.
func (u *Unowned) of(by Actor) ptrace.SpanSlice {
	for i := range min(fewActors, u.actors) {
		if a := &u.acted[i]; a.by == by {
			return a.spans
		}
	}
	if u.actors > fewActors {
		if i, ok := u.index[by]; ok {
			return u.acted[i].spans
		}
	}
	if u.actors == len(u.acted) {
		u.acted = append(u.acted, acted{spans: ptrace.NewSpanSlice()})
	}
	a := &u.acted[u.actors]
	a.by = by
	a.spans.EnsureCapacity(u.room)
	if u.actors >= fewActors {
		if u.index == nil {
			u.index = make(map[Actor]int)
		}
		u.index[by] = u.actors
	}
	u.actors++
	return a.spans
}

// Take hands out the spans of every actor and leaves none behind: take has to
// have moved what it was given, or given it up, when it returns.
func (u *Unowned) Take(take func(Actor, ptrace.SpanSlice)) {
	most := 0
	for i := range u.acted[:u.actors] {
		a := &u.acted[i]
		most = max(most, a.spans.Len())
		take(a.by, a.spans)
		if a.spans.Len() > 0 {
			a.spans = ptrace.NewSpanSlice()
		}
	}
	u.room = min(most, maxRoom)
	u.end, u.n, u.bytes, u.actors = 0, 0, 0, 0
	clear(u.index)
}

// maxRoom bounds what is reserved for an actor: there may be many.
const maxRoom = 64
