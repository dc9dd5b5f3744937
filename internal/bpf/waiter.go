package bpf

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// waiter sleeps until the kernel wakes the reader of a ring, a time has passed,
// or it is closed. It does so in the runtime's poller, like whoever waits for a
// connection: a thread that sleeps in a call of its own keeps one of the
// scheduler's processors busy, which the runtime then looks after every 20 µs.
// It is told of wake-ups alone (the poller uses EPOLLET), not of data: there is
// data nearly always.
type waiter struct {
	file   *os.File // another descriptor of the ring's map
	conn   syscall.RawConn
	look   func(uintptr) bool
	full   func() bool
	slept  bool // in the present wait
	closed atomic.Bool
}

// newWaiter waits for a ring's map. full tells that there is no time to sleep:
// the kernel may have wanted to wake the reader while it was awake.
func newWaiter(ringFD int, full func() bool) (*waiter, error) {
	fd, err := unix.FcntlInt(uintptr(ringFD), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("fcntl: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or the poller does not take it
		return nil, errors.Join(fmt.Errorf("fcntl: %w", err), unix.Close(fd))
	}
	w := &waiter{file: os.NewFile(uintptr(fd), "ring"), full: full}
	w.look = w.wakes
	if err = w.file.SetReadDeadline(time.Time{}); err == nil { // the poller has it
		w.conn, err = w.file.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	return w, nil
}

// wakes tells the poller whether to return: it asks before it sleeps, and when it
// was woken.
func (w *waiter) wakes(uintptr) bool {
	if w.slept || w.full() {
		return true
	}
	w.slept = true
	return false
}

// wait sleeps until a deadline at the latest, and tells whether it was woken
// before. Once close was called the error is os.ErrClosed. One goroutine at a
// time.
func (w *waiter) wait(deadline time.Time) (woken bool, err error) {
	w.slept = false
	if err = w.file.SetReadDeadline(deadline); err == nil {
		err = w.conn.Read(w.look)
	}
	switch {
	case w.closed.Load():
		return false, os.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("waiting for a ring: %w", err)
	}
	return true, nil
}

// close ends wait, and all later ones. Any goroutine may call it.
func (w *waiter) close() {
	if !w.closed.Swap(true) {
		_ = w.file.Close() // a descriptor that is ours: nothing can fail
	}
}
