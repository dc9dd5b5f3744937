package bpf

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// How long Run waits between two looks into the ring: short while a look finds
// many records, long while it finds none. A trickle is no reason to hurry, each
// wake-up costs more than the few records that it finds.
const (
	busyInterval   = 5 * time.Millisecond
	steadyInterval = 25 * time.Millisecond
	idleInterval   = 100 * time.Millisecond
	busyRecords    = 256 // in one look
)

// Source reads one ring. The programs do not wake it for each record, which
// would be the dearest part of the whole way: it looks by itself, more rarely
// when there was nothing, and is woken when a quarter of the ring is full.
type Source struct {
	reader   *ringbuf.Reader
	record   ringbuf.Record
	received atomic.Uint64
	bytes    atomic.Uint64
}

func newSource(ring *ebpf.Map) (*Source, error) {
	r, err := ringbuf.NewReader(ring)
	if err != nil {
		return nil, fmt.Errorf("reading ring %s: %w", ring, err)
	}
	return &Source{reader: r}, nil
}

// Run hands every record to handle until Close; then it returns nil. After each
// round of reading it calls pause (which may be nil) with the number of records
// of the round, 0 included: batches that wait for more can be sent on then. The
// bytes are handle's until it returns. Only one goroutine may be in Run or
// Drain at a time.
func (s *Source) Run(handle func(raw []byte), pause func(records int)) error {
	interval := busyInterval
	for {
		n, err := s.round(time.Now().Add(interval), handle)
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
	switch {
	case n >= busyRecords:
		return busyInterval
	case n > 0:
		return steadyInterval
	default:
		return min(2*last, idleInterval)
	}
}

// Drain hands over what is in the ring now, without waiting for more, and
// returns the number of records. After Close the error is os.ErrClosed.
func (s *Source) Drain(handle func(raw []byte)) (int, error) {
	return s.round(time.Now().Add(-time.Second), handle)
}

// round reads until the deadline has passed and the ring is empty.
func (s *Source) round(deadline time.Time, handle func(raw []byte)) (int, error) {
	s.reader.SetDeadline(deadline)
	n := 0
	for {
		err := s.reader.ReadInto(&s.record)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return n, nil
			}
			return n, err
		}
		n++
		s.received.Add(1)
		s.bytes.Add(uint64(len(s.record.RawSample)))
		handle(s.record.RawSample)
	}
}

// Received is the number of records read so far.
func (s *Source) Received() uint64 { return s.received.Load() }

// Pending is the number of bytes that wait in the ring.
func (s *Source) Pending() int { return s.reader.AvailableBytes() }

// Size is the size of the ring in bytes.
func (s *Source) Size() int { return s.reader.BufferSize() }

// Close ends Run and Drain. It may be called more than once and from any
// goroutine.
func (s *Source) Close() error {
	if err := s.reader.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("closing the ring's reader: %w", err)
	}
	return nil
}
