package alert

import (
	"context"
	"sync"
)

// maxQueuedBytes bounds the memory of a queue beside its length: an alert with
// an environment and the command lines of all ancestors is tens of kilobytes.
const maxQueuedBytes = 16 << 20

// queue holds the bodies that wait to be sent. It is safe for concurrent use.
type queue struct {
	limit int // bodies

	mu     sync.Mutex
	bodies [][]byte
	bytes  int
	closed bool
	wake   chan struct{} // has one element after a change that pop waits for
}

func newQueue(limit int) *queue { return &queue{limit: limit, wake: make(chan struct{}, 1)} }

// push appends a body, which the queue owns from then on. It says why it does
// not; empty when it does.
func (q *queue) push(body []byte) (refused Reason) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return Shutdown
	case len(q.bodies) >= q.limit, q.bytes+len(body) > maxQueuedBytes:
		return QueueFull
	}
	q.bodies = append(q.bodies, body)
	q.bytes += len(body)
	q.notify()
	return ""
}

// pop takes the oldest body. It waits for one, and is false when ctx ends or
// the queue is closed and empty.
func (q *queue) pop(ctx context.Context) ([]byte, bool) {
	for {
		if body, ok, more := q.take(); ok || !more {
			return body, ok
		}
		select {
		case <-ctx.Done():
			return nil, false
		case <-q.wake:
		}
	}
}

func (q *queue) take() (body []byte, ok, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.bodies) == 0 {
		return nil, false, !q.closed
	}
	body = q.bodies[0]
	q.bodies[0] = nil
	q.bodies = q.bodies[1:]
	q.bytes -= len(body)
	return body, true, true
}

// close refuses further bodies; those inside can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.notify()
}

// clear takes everything out and counts it.
func (q *queue) clear() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.bodies)
	q.bodies, q.bytes = nil, 0
	return n
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.bodies)
}

func (q *queue) notify() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
