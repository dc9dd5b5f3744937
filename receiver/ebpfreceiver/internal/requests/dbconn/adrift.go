package dbconn

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// Adrift tells whether it is not known which response is whose.
func (q *Queue[T]) Adrift() bool { return q.adrift }

// Lose gives up all requests under way, because it is not certain any more
// which response is whose. The protocol forgets where it was on both sides.
func (q *Queue[T]) Lose(now uint64, why exchange.Reason) {
	if q.Len() > 1 && (why != exchange.Truncated || q.First().Start != q.Last().Start) {
		q.pipelined = true // some of them may yet be answered when the client asks again
	}
	q.given += q.Len()
	for q.Len() > 0 {
		q.finish(now, why)
	}
	q.adrift, q.settled, q.extra, q.behind, q.trial = true, false, false, false, false
	q.early.list = q.early.list[:0]
	q.turns.answered, q.turns.several = false, false
}

// Abandon gives up all requests under way for good.
func (q *Queue[T]) Abandon(why exchange.Reason) { q.Lose(q.latest, why) }

// Torn says that the next bytes of the request side may begin anywhere in a
// message.
func (q *Queue[T]) Torn() { q.torn = true }

// Extra says that requests were sent which were not copied.
func (q *Queue[T]) Extra() { q.extra, q.torn = true, true }

// Missed says that bytes of the request side were lost.
func (q *Queue[T]) Missed() { q.missing, q.torn = true, true }

// Gap is called for each gap before anything else, for one of the response side
// before one of the request side that was noticed with it. between says that what was
// seen of the requests is whole, and nothing hides where the answer to the first ends.
//
// Requests that were lost, and no answer with them, are under way: who sends another
// one does not wait.
func (q *Queue[T]) Gap(side exchange.Side, now uint64, between bool) {
	switch {
	case side == exchange.Response:
		q.replied = true
	case !q.replied:
		q.latest, q.owed = max(q.latest, now), true
		q.pipelined = q.pipelined || between && q.Len() > 0
	}
}

// skipped says that whole exchanges were left out: what the client says next begins
// a request, and nothing is owed but to a client that does not wait for answers.
func (q *Queue[T]) skipped() {
	q.torn, q.missing, q.owed = false, false, false
	q.heard, q.behind = true, true
	if !q.turns.overran {
		q.given = 0
	}
}

// Rested tells whether nothing had happened for a while before s.
func (q *Queue[T]) Rested(s *exchange.Segment) bool {
	return q.latest != 0 && s.Start > q.latest+quiet
}

// MayBegin tells whether a request may begin with s, as far as the time tells:
// when the bytes before are missing, the client must have rested.
func (q *Queue[T]) MayBegin(s *exchange.Segment) bool {
	return !q.torn || q.Rested(s)
}

// Resync tells whether the connection may be followed again from the beginning
// of s on, which begins a request if begins: when no older one is under way. None is
// where a client was never seen to ask before it was answered, or does not go on behind
// exchanges that were left out whole. Others are on trial, unless they ask on while
// answers are owed.
func (q *Queue[T]) Resync(s *exchange.Segment, begins bool) bool {
	q.pipelined = q.pipelined || begins && q.owed
	turn := q.heard && q.behind && !q.turns.overran
	certain := !q.pipelined || turn || q.Rested(s)
	if !begins || !q.MayBegin(s) || !certain && (!q.heard || q.turns.overran) {
		q.torn = true
		return false
	}
	q.adrift, q.behind, q.given, q.trial = false, false, 0, !certain
	q.settled = turn && q.turns.waits()
	if q.trial {
		q.turns.doubt()
	}
	return true
}

// Response is called for each segment of the response side before anything
// else. It returns false when the segment answers nothing that is known, and
// has been taken care of.
func (q *Queue[T]) Response(s *exchange.Segment) bool {
	q.torn, q.owed = false, false // what the client says next is a new request
	switch {
	case q.adrift:
		q.orphan()
		return false
	case q.Len() > 0 && s.End < q.First().Start: // the late end of an earlier one
		return false
	case q.Len() > 0:
		return true
	case q.extra:
	case !q.Sink.Client():
		q.orphan()
	case !q.early.hold(s):
		q.orphan()
	}
	return false
}

// orphan takes a response that answers no request that we know of.
func (q *Queue[T]) orphan() {
	switch {
	case q.given > 0:
		q.given-- // it has been reported
	case q.missing:
		q.missing = false
		q.Sink.Count(exchange.RequestLost)
	}
}

// Beyond tells whether requests that were not copied may be under way behind those
// that were.
func (q *Queue[T]) Beyond() bool { return q.extra }
