package process

import "sync/atomic"

var shared atomic.Pointer[Table]

// Shared returns the table of the receiver that runs in this program, or nil
// when none does: a policy processor on a gateway has only what records carry.
func Shared() *Table { return shared.Load() }

// Publish makes t the shared table, unless there is one already. The returned
// function takes it back and may be called more than once.
func Publish(t *Table) (withdraw func()) {
	shared.CompareAndSwap(nil, t)
	return func() { shared.CompareAndSwap(t, nil) }
}
