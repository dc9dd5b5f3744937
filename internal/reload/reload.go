// Package reload carries the wish to read files anew from the program to its
// components, without a restart.
//
//	SIGHUP -> internal/cli --Request--> Requests --Subscribe--> policy processors
package reload

import (
	"slices"
	"sync"
)

// Requests hands requests on to whoever has subscribed. Safe for concurrent use.
type Requests struct {
	mu          sync.Mutex
	subscribers []chan struct{}
}

var shared Requests

// Shared are the requests of this program.
func Shared() *Requests { return &shared }

// Subscribe returns a channel that has an element after each request; requests
// that come before the last one was taken count as one. The returned function
// ends it and may be called more than once.
func (r *Requests) Subscribe() (requested <-chan struct{}, end func()) {
	s := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribers = append(r.subscribers, s)
	return s, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.subscribers = slices.DeleteFunc(r.subscribers, func(o chan struct{}) bool { return o == s })
	}
}

// Request asks everybody to read their files anew. It does not wait for them.
func (r *Requests) Request() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.subscribers {
		select {
		case s <- struct{}{}:
		default:
		}
	}
}
