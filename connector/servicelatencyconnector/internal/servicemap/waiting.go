package servicemap

import (
	"sync"
	"time"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// Request is one end's view of a request whose other end is not known yet.
type Request struct {
	Keys     Keys
	Server   bool             // it is the server's view
	Owner    *aggregate.Owner // acquired; whoever takes the request releases it
	Fallback Node             // the other end if nobody reports it
	Type     ConnectionType
	Error    string // error.type, empty if it succeeded
	Class    string // empty if unary
	Sample   aggregate.Sample
}

// ConnectionType says what kind of thing the edge ends at.
type ConnectionType uint8

// The types of connections.
const (
	Plain ConnectionType = iota
	Database
	Messaging
	External
)

// String returns the name that service graphs use.
func (t ConnectionType) String() string {
	switch t {
	case Database:
		return "database"
	case Messaging:
		return "messaging_system"
	case External:
		return "virtual_node"
	default:
		return ""
	}
}

// Waiting holds requests until their other end is known or they have waited
// long enough. It may be used concurrently.
type Waiting struct {
	wait  time.Duration
	limit int

	mu        sync.Mutex
	directory *directory
	aged      time.Time
	queue     []held // a ring, in the order of time
	head      int
	length    int
}

type held struct {
	since   time.Time
	request Request
}

// NewWaiting returns a store in which at most limit requests wait for at most
// the given time.
func NewWaiting(wait time.Duration, limit int) *Waiting {
	return &Waiting{wait: wait, limit: limit, directory: newDirectory(2 * limit), queue: make([]held, 0)}
}

// Meet enters a request's end and looks for the other. If it is known, the
// service is returned and the request is the caller's to record; if not, the
// request waits (copied). When the store is full, the oldest request is handed
// to resolve first.
func (w *Waiting) Meet(now time.Time, r *Request, resolve func(*Request, *aggregate.Owner)) (*aggregate.Owner, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.aged) >= w.wait {
		w.directory.age()
		w.aged = now
	}
	w.directory.enter(&r.Keys, r.Server, r.Owner)
	if o := w.directory.other(&r.Keys, r.Server); o != nil {
		return o, true
	}
	if w.length == w.limit {
		w.resolveOldest(resolve)
	}
	w.push(now, r)
	return nil, false
}

// Introduce enters a request's end for the other to find; the request itself
// does not wait.
func (w *Waiting) Introduce(k *Keys, server bool, o *aggregate.Owner) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.directory.enter(k, server, o)
}

// Expire hands to resolve all requests that have waited long enough at the
// given time, with the service at their other end or nil.
func (w *Waiting) Expire(now time.Time, resolve func(*Request, *aggregate.Owner)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.length > 0 && now.Sub(w.queue[w.head].since) >= w.wait {
		w.resolveOldest(resolve)
	}
}

// Drain hands over everything.
func (w *Waiting) Drain(resolve func(*Request, *aggregate.Owner)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.length > 0 {
		w.resolveOldest(resolve)
	}
}

func (w *Waiting) resolveOldest(resolve func(*Request, *aggregate.Owner)) {
	r := &w.queue[w.head].request
	resolve(r, w.directory.other(&r.Keys, r.Server))
	*r = Request{}
	w.head = (w.head + 1) % len(w.queue)
	w.length--
}

func (w *Waiting) push(now time.Time, r *Request) {
	if w.length == len(w.queue) {
		w.grow()
	}
	w.queue[(w.head+w.length)%len(w.queue)] = held{now, *r}
	w.length++
}

// grow doubles the ring, up to the limit.
func (w *Waiting) grow() {
	bigger := make([]held, min(max(2*len(w.queue), 64), w.limit))
	for i := range w.length {
		bigger[i] = w.queue[(w.head+i)%len(w.queue)]
	}
	w.queue, w.head = bigger, 0
}

// Len returns how many requests wait.
func (w *Waiting) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.length
}
