package bpf

import (
	"encoding/binary"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

// memoryRing is a ring without a kernel, to which a test writes.
type memoryRing struct {
	ring
	positions [2]uint64
}

func newMemoryRing(size int) *memoryRing {
	m := &memoryRing{}
	m.ring = ring{consumed: &m.positions[0], produced: &m.positions[1], data: make([]byte, size)}
	return m
}

// write puts a record in, as the kernel does, and returns where it lies.
func (m *memoryRing) write(flags uint32, text string) uint64 {
	at := *m.produced
	record := make([]byte, ringHeader+(len(text)+7)&^7)
	binary.NativeEndian.PutUint32(record, uint32(len(text))|flags)
	copy(record[ringHeader:], text)
	for i, b := range record {
		m.data[(at+uint64(i))&uint64(len(m.data)-1)] = b
	}
	atomic.AddUint64(m.produced, uint64(len(record)))
	return at
}

// read drains one chunk.
func (m *memoryRing) read() (texts []string, more bool) {
	_, more = m.drain(func(raw []byte) { texts = append(texts, string(raw)) })
	return texts, more
}

func TestRingHandsOverRecordsInOrder(t *testing.T) {
	m := newMemoryRing(64)
	texts, more := m.read()
	require.Empty(t, texts)
	require.False(t, more)
	for range 20 { // passes the end at every possible place
		m.write(0, "first")
		m.write(ringDiscard, "given up")
		m.write(0, "the second")
		require.Equal(t, 64-8, m.pending())
		texts, more = m.read()
		require.Equal(t, []string{"first", "the second"}, texts)
		require.False(t, more)
		require.Zero(t, m.pending())
	}
}

func TestRingGivesRoomBackByChunks(t *testing.T) {
	const size = 4096
	m := newMemoryRing(4 * ringChunk)
	for range 3 * ringChunk / size {
		m.write(0, string(make([]byte, size-ringHeader)))
	}
	for range 2 {
		texts, more := m.read()
		require.Len(t, texts, ringChunk/size)
		require.True(t, more)
	}
	texts, more := m.read()
	require.Len(t, texts, ringChunk/size)
	require.False(t, more)
}

func TestRingIsPendingUntilTheHandlerReturns(t *testing.T) {
	m := newMemoryRing(64)
	m.write(0, "a record")
	m.drain(func([]byte) { assert.NotZero(t, m.pending()) })
	require.Zero(t, m.pending())
}

func TestRingWaitsForARecordThatIsBeingWritten(t *testing.T) {
	m := newMemoryRing(64)
	at := m.write(0, "late")
	header := m.data[at : at+4]
	binary.NativeEndian.PutUint32(header, 4|ringBusy)
	got := make(chan []string)
	go func() {
		texts, _ := m.read()
		got <- texts
	}()
	select {
	case texts := <-got:
		t.Fatalf("handed over too early: %q", texts)
	case <-time.After(5 * time.Millisecond):
	}
	m.commit(at, 4)
	require.Equal(t, []string{"late"}, <-got)
}

// commit ends the writing of a record.
func (m *memoryRing) commit(at uint64, length uint32) {
	atomic.StoreUint32(m.header(at), length)
}

func TestRingAllocatesNothing(t *testing.T) {
	m := newMemoryRing(1 << 20)
	for m.pending() < 1<<20-64 {
		m.write(0, "1234567890123456789")
	}
	n := 0
	require.Zero(t, alloctest.PerRun(50, func() {
		got, _ := m.drain(func([]byte) {})
		n += got
	}))
	require.Greater(t, n, 20_000)
}

// TestClosedSource: whoever comes late gets an error and touches no mapping.
func TestClosedSource(t *testing.T) {
	a := load(t, Options{})
	src := a.Requests()
	require.True(t, src.use(), "somebody reads")
	require.NoError(t, src.Close())
	require.NoError(t, src.Close())
	require.Zero(t, src.ring.pending(), "the mapping is there until he has ended")
	src.release()
	require.Zero(t, src.Pending())
	_, err := src.Drain(func([]byte) {})
	require.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, src.Run(func([]byte) {}, nil))
}
