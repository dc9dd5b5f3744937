package bpf

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waiter sleeps until the kernel wakes the reader of a ring, a time has passed,
// or somebody calls wake. It is told of wake-ups alone (EPOLLET), not of data:
// there is data nearly always.
type waiter struct {
	epoll, event int
	events       [2]unix.EpollEvent // of the one goroutine in wait
}

// newWaiter watches a ring's map.
func newWaiter(ringFD int) (w *waiter, err error) {
	w = &waiter{epoll: -1, event: -1}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if w.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	for fd, how := range map[int]uint32{ringFD: unix.EPOLLIN | unix.EPOLLET, w.event: unix.EPOLLIN} {
		if err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: how, Fd: int32(fd)}); err != nil {
			return nil, fmt.Errorf("epoll_ctl: %w", err)
		}
	}
	return w, nil
}

// wait sleeps until a deadline at the latest, and tells whether it was woken
// before. Once wake was called the error is os.ErrClosed.
func (w *waiter) wait(deadline time.Time) (woken bool, err error) {
	left := time.Until(deadline)
	millis := max(0, int((left+time.Millisecond-1)/time.Millisecond))
	n, err := unix.EpollWait(w.epoll, w.events[:], millis)
	if errors.Is(err, unix.EINTR) {
		return true, nil // whoever waits looks, and waits for the rest of the time
	}
	if err != nil {
		return false, fmt.Errorf("epoll_wait: %w", err)
	}
	for _, e := range w.events[:n] {
		if int(e.Fd) == w.event {
			return false, os.ErrClosed
		}
	}
	return n > 0, nil
}

// wake ends wait, and all later ones. Any goroutine may call it before close.
func (w *waiter) wake() {
	_, _ = unix.Write(w.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // fails only when it has been called 2^64 times
}

func (w *waiter) close() {
	for _, fd := range []int{w.epoll, w.event} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
