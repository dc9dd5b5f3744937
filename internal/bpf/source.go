package bpf

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
)

// How long Run waits between two looks into the ring: short while looks find
// records, long while they find none. A wake-up costs more than the few records
// that a shorter wait would find; of many the ring wakes the reader itself.
const (
	steadyInterval = 25 * time.Millisecond
	idleInterval   = 100 * time.Millisecond
)

// beginning is when all intervals begin.
var beginning = time.Now()

// nextLook is the next time at which an interval ends. It is the same for all
// sources, so that they look together: the dearest part of a wake-up is that the
// program goes from sleeping to working, which sets the scheduler's threads in
// motion too.
func nextLook(now time.Time, interval time.Duration) time.Time {
	return now.Add(interval - now.Sub(beginning)%interval)
}

// Source reads one ring. The programs do not wake it for each record, which
// would be the dearest part of the whole way: it looks by itself, more rarely
// when there was nothing, and is woken when a quarter of the ring is full.
type Source struct {
	ring     *ring
	waiter   *waiter
	received atomic.Uint64

	mu     sync.Mutex // guards what follows
	users  int        // that may look at the mapping
	closed bool       // the last of them frees it
}

func newSource(m *ebpf.Map) (*Source, error) {
	r, err := openRing(m.FD(), int(m.MaxEntries()))
	if err != nil {
		return nil, fmt.Errorf("reading ring %s: %w", m, err)
	}
	w, err := newWaiter(m.FD(), func() bool { return r.pending() >= len(r.data)/4 })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for ring %s: %w", m, err), r.close())
	}
	return &Source{ring: r, waiter: w}, nil
}

// use keeps the mapping until release; it reports false after Close.
func (s *Source) use() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.users++
	return true
}

func (s *Source) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.closed && s.users == 0 {
		_ = s.ring.close() // the mappings are ours: nothing can fail
	}
}

// Run hands every record to handle until Close; then it returns nil. After each
// round of reading it calls pause (which may be nil) with the number of records
// of the round, 0 included: batches that wait for more can be sent on then. The
// bytes are handle's to read until it returns. Only one goroutine may be in Run
// or Drain at a time.
func (s *Source) Run(handle func(raw []byte), pause func(records int)) error {
	interval := steadyInterval
	for {
		n, err := s.round(nextLook(time.Now(), interval), handle)
		if pause != nil {
			pause(n)
		}
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			return err
		default:
			interval = nextInterval(interval, n)
		}
	}
}

// nextInterval follows a look that found n records.
func nextInterval(last time.Duration, n int) time.Duration {
	if n > 0 {
		return steadyInterval
	}
	return min(2*last, idleInterval)
}

// Drain hands over what is in the ring now, without waiting for more, and
// returns the number of records. After Close the error is os.ErrClosed.
func (s *Source) Drain(handle func(raw []byte)) (int, error) {
	return s.round(time.Now().Add(-time.Second), handle)
}

// round waits until the deadline, or until it is woken, reads until the ring is
// empty, and waits for the rest of the time.
func (s *Source) round(deadline time.Time, handle func(raw []byte)) (n int, err error) {
	if !s.use() {
		return 0, os.ErrClosed
	}
	defer s.release()
	for {
		woken, err := s.waiter.wait(deadline)
		if err != nil {
			return n, err
		}
		for more := true; more; {
			var got int
			got, more = s.ring.drain(handle)
			s.received.Add(uint64(got))
			n += got
			if s.isClosed() {
				return n, os.ErrClosed
			}
		}
		if !woken {
			return n, nil
		}
	}
}

// Received is the number of records read so far.
func (s *Source) Received() uint64 { return s.received.Load() }

// Pending is the number of bytes in the ring that have not been handled; 0
// after Close. Any goroutine may ask. When it is 0, everything was handled that
// had been put into the ring before.
func (s *Source) Pending() int {
	if !s.use() {
		return 0
	}
	defer s.release()
	return s.ring.pending()
}

// Size is the size of the ring in bytes.
func (s *Source) Size() int { return len(s.ring.data) }

func (s *Source) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Close ends Run and Drain, at the latest when a handler returns. It may be
// called more than once and from any goroutine, and does not wait.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.waiter.close()
	if s.users > 0 {
		return nil
	}
	if err := s.ring.close(); err != nil {
		return fmt.Errorf("freeing a ring: %w", err)
	}
	return nil
}
