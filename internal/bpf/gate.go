package bpf

import "sync"

// gate keeps what readers of maps and programs use until they are done: a descriptor
// that is closed meanwhile may be that of something else by the time they use it. The
// zero gate is open.
type gate struct {
	mu     sync.RWMutex
	closed bool
}

// enter is false when the gate is closed. Else it stays open until leave, which the
// caller calls; in between he must not enter again.
func (g *gate) enter() bool {
	g.mu.RLock()
	if g.closed {
		g.mu.RUnlock()
		return false
	}
	return true
}

func (g *gate) leave() { g.mu.RUnlock() }

// close waits until all have left. Nobody enters any more.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
}
