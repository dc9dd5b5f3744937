// Package dbconn is what the parsers of databases share: connections on which
// answers come in the order of the requests.
//
// The two sides of a connection are followed apart from each other. Requests
// under way wait in a Queue for their answers. Where bytes are missing, so that
// it is not certain which answer is whose, everything under way is given up and
// the connection is adrift until a request begins that nothing can precede.
package dbconn

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// MaxOpen bounds the requests under way on one connection.
const MaxOpen = 4096

// buffered is how many bytes every socket takes without waiting for the peer.
const buffered = 16 << 10

// Pending is a request under way.
type Pending[T any] struct {
	Ex    *exchange.Exchange // nil when it is not reported
	Start uint64             // of the segment that it began in
	Info  T                  // what the protocol remembers of it
	given bool               // it was reported without its answer, which is to come
}

// Facts returns what is known of the request, nil when it is not reported.
func (p *Pending[T]) Facts() *dbfacts.Facts {
	if p.Ex == nil {
		return nil
	}
	return dbfacts.Of(p.Ex)
}

// Queue is the requests under way on a connection, oldest first.
type Queue[T any] struct {
	Sink exchange.Sink

	open   []Pending[T]
	head   int    // of open: those before have ended
	last   uint64 // when the last byte of the current response was seen
	early  early
	latest uint64 // when anything was seen

	given     int  // requests that were given up and may yet be answered
	adrift    bool // it is not known which response is whose
	settled   bool // nothing is under way that was not seen to begin
	pipelined bool // requests have been sent before all that came in earlier calls were answered
	extra     bool // requests younger than those in open were not copied
	missing   bool // bytes of the request side were lost since it was followed last
	owed      bool // and no bytes of the response side were moved since
	replied   bool // bytes of the response side were lost since the last segment
	torn      bool // the next bytes of the request side may begin anywhere in a message
	heard     bool // the last segment was of the response side
	behind    bool // adrift only because whole exchanges were left out
	trial     bool // answers are only counted, until it is certain that they are those to the requests
	turns     turns
}

// Reset prepares the queue for a new connection.
func (q *Queue[T]) Reset(sink exchange.Sink, midway bool) {
	*q = Queue[T]{
		Sink: sink, open: q.open[:0], adrift: midway, settled: !midway,
		early: early{list: q.early.list[:0]},
	}
	if cap(q.open) > 256 {
		q.open = nil
	}
}

// Len is the number of requests under way.
func (q *Queue[T]) Len() int { return len(q.open) - q.head }

// Open is the number of those that are reported.
func (q *Queue[T]) Open() (n int) {
	for i := range q.open[q.head:] {
		if q.open[q.head+i].Ex != nil {
			n++
		}
	}
	return n
}

// First is the oldest request under way; there must be one. It is valid until
// the next call that changes the queue.
func (q *Queue[T]) First() *Pending[T] { return &q.open[q.head] }

// Last is the youngest request under way; there must be one.
func (q *Queue[T]) Last() *Pending[T] { return &q.open[len(q.open)-1] }

// Seen notes that a segment was handled.
func (q *Queue[T]) Seen(s *exchange.Segment) {
	q.latest = max(q.latest, s.End)
	q.heard, q.replied = s.Side == exchange.Response, false
	if q.heard && !q.adrift {
		q.turns.answered = true
	}
}

// Begin adds a request that began at a time, in s or earlier, unreported. It
// returns nil, having given up, when its answer could not be told from others.
func (q *Queue[T]) Begin(s *exchange.Segment, since uint64) *Pending[T] {
	if q.Rested(s) {
		q.settled = true
	}
	if q.extra && (q.pipelined || q.Len() > 0) || q.Len() >= MaxOpen {
		q.pipelined = true
		q.Lose(s.End, exchange.Desynchronized)
		return nil
	}
	q.extra, q.missing, q.torn = false, false, false
	q.turns.ask(q.Len() > 0)
	if q.Len() == 0 && q.trial && q.turns.waits() {
		q.settled, q.trial = true, false
	}
	if q.head > 0 && (q.Len() == 0 || len(q.open) == cap(q.open)) {
		n := copy(q.open, q.open[q.head:])
		clear(q.open[n:])
		q.open, q.head = q.open[:n], 0
	}
	q.open = append(q.open, Pending[T]{Start: min(s.Start, since)})
	return q.Last()
}

// Report makes p one that is reported, and returns its facts; nil when too many
// are open.
func (q *Queue[T]) Report(p *Pending[T], s *exchange.Segment) *dbfacts.Facts {
	if p.given {
		return nil
	}
	if p.Ex == nil {
		if p.Ex = q.Sink.New(s); p.Ex == nil {
			return nil
		}
		p.Ex.Start = p.Start
	}
	return dbfacts.Of(p.Ex)
}

// Took adds bytes of a segment to a request.
func (q *Queue[T]) Took(p *Pending[T], n uint64, side exchange.Side) {
	switch {
	case p.Ex == nil:
	case q.Sink.Client() == (side == exchange.Request):
		p.Ex.Sent += n
	default:
		p.Ex.Received += n
	}
}

// Answer notes that s goes on with the response to the oldest request, or, if
// first, begins it. It returns false, having given up, when it may be the
// response to another one.
func (q *Queue[T]) Answer(s *exchange.Segment, n uint64, first bool) bool {
	p := q.First()
	if first {
		if (q.overlaps(s) || q.trial) && !q.settled { // more may be under way than we know of
			if q.turns.overran {
				q.Lose(s.End, exchange.Desynchronized)
				return false
			}
			q.doubt(s.End)
		}
		if p.Ex != nil && p.Ex.FirstByte == 0 {
			p.Ex.FirstByte = s.Start
		}
	}
	q.Took(p, n, exchange.Response)
	// A send that cannot have waited is over when it begins: what its return
	// comes later by is the scheduler's doing.
	q.last = s.End
	if p.Ex != nil && !q.Sink.Client() && p.Ex.Sent <= buffered {
		q.last = s.Start
	}
	return true
}

// doubt reports what is under way without its answers, which are expected all the
// same. A client that is then seen to wait for as many of them as it has sent requests
// each time is followed.
func (q *Queue[T]) doubt(now uint64) {
	q.trial = true
	for i := q.head; i < len(q.open); i++ {
		p := &q.open[i]
		ex := p.Ex
		p.Ex, p.given = nil, true
		q.hand(ex, now, exchange.Desynchronized)
	}
}

// overlaps tells whether a later call had begun to send a further request before
// the response that s begins.
func (q *Queue[T]) overlaps(s *exchange.Segment) bool {
	for i := q.head + 1; i < len(q.open); i++ {
		if start := q.open[i].Start; start != q.First().Start {
			if start < s.Start {
				q.pipelined = true
				return true
			}
			break
		}
	}
	return false
}

// Crowded tells whether other responses may lie in bytes of s that are not at
// hand, behind the end of the current one. A further request may have been read
// before the end of the current response was reported, by another thread.
func (q *Queue[T]) Crowded(s *exchange.Segment) bool {
	return q.Len() > 1 && (q.pipelined || q.First().Start == q.open[q.head+1].Start || q.overlaps(s))
}

// End ends the oldest request with the last byte of its response.
func (q *Queue[T]) End(why exchange.Reason) { q.finish(q.last, why) }

func (q *Queue[T]) finish(end uint64, why exchange.Reason) {
	ex := q.First().Ex
	*q.First() = Pending[T]{}
	q.head++
	q.hand(ex, end, why)
}

// hand hands over an exchange that has ended; nil is none.
func (q *Queue[T]) hand(ex *exchange.Exchange, end uint64, why exchange.Reason) {
	if ex == nil {
		return
	}
	f := dbfacts.Of(ex)
	if !f.Known() {
		q.Sink.Drop(ex)
		return
	}
	ex.End, ex.Incomplete, ex.Class = max(end, ex.Start), why, f.Class
	q.Sink.Done(ex)
}

// Pipelined tells whether the client has been seen not to wait for responses.
func (q *Queue[T]) Pipelined() bool { return q.pipelined }

// Each calls f for the facts of each request that is reported.
func (q *Queue[T]) Each(f func(*dbfacts.Facts)) {
	for i := q.head; i < len(q.open); i++ {
		if facts := q.open[i].Facts(); facts != nil {
			f(facts)
		}
	}
}

// Discard takes back all requests under way: they were none.
func (q *Queue[T]) Discard() {
	for q.Len() > 0 {
		if ex := q.First().Ex; ex != nil {
			q.Sink.Drop(ex)
		}
		*q.First() = Pending[T]{}
		q.head++
	}
	q.early.list = q.early.list[:0]
}

// CallerGone notes that the client has ended its side.
func (q *Queue[T]) CallerGone(at uint64) {
	q.latest = max(q.latest, at)
	q.Each(func(f *dbfacts.Facts) { f.CallerGone = true })
}

// Close ends everything under way at the end of the connection. cut says that
// the first response has been seen to its end, as far as can be told.
func (q *Queue[T]) Close(at uint64, cut bool) {
	if cut && q.Len() > 0 {
		q.End(exchange.Truncated)
	}
	for q.Len() > 0 {
		q.finish(at, exchange.ConnectionClosed)
	}
}
