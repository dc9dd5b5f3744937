package bpf

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is a mapped ring buffer (BPF_MAP_TYPE_RINGBUF). The kernel offers three
// parts: a page that the reader writes, with the position up to which it has
// read; a page that the kernel writes, with the position up to which there is
// something; and the data. It offers the data twice in a row, so that no record
// is torn; here they are mapped once, which halves the resident memory, and the
// rare record that goes on at the beginning is put together in a buffer.
//
// Records are handed over where they lie: the mapping cannot be written to, and
// a record is valid until its handler returns.
type ring struct {
	reader, writer     []byte // mappings; writer has the data behind its first page
	consumed, produced *uint64
	data               []byte
	torn               []byte
}

// Layout of a record: its length with two flags, four bytes for the kernel, the
// bytes, padding to a multiple of 8 (linux/bpf.h).
const (
	ringHeader  = unix.BPF_RINGBUF_HDR_SZ
	ringBusy    = 1 << 31 // BPF_RINGBUF_BUSY_BIT: still being written
	ringDiscard = 1 << 30 // BPF_RINGBUF_DISCARD_BIT: given up by its writer
)

// ringChunk is how many bytes are handed over before their room is given back
// to the kernel.
const ringChunk = 16 << 10

// openRing maps the ring of size bytes behind a map's descriptor, which has to
// stay open.
func openRing(fd, size int) (*ring, error) {
	page := os.Getpagesize()
	reader, err := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping the reader's page: %w", err)
	}
	writer, err := unix.Mmap(fd, int64(page), page+size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mapping the data: %w", err), unix.Munmap(reader))
	}
	return &ring{
		reader: reader, writer: writer, data: writer[page:],
		consumed: (*uint64)(unsafe.Pointer(&reader[0])),
		produced: (*uint64)(unsafe.Pointer(&writer[0])),
	}, nil
}

// close frees the mappings. Nothing else may be called afterwards.
func (r *ring) close() error {
	return errors.Join(unix.Munmap(r.reader), unix.Munmap(r.writer))
}

// pending is the number of bytes that have not been handed over and handled.
// Any goroutine may ask.
func (r *ring) pending() int {
	consumed := atomic.LoadUint64(r.consumed) // first: it only grows, to at most the other
	return int(atomic.LoadUint64(r.produced) - consumed)
}

// drain hands over a chunk of records, and returns how many there were and
// whether there may be more.
func (r *ring) drain(handle func([]byte)) (n int, more bool) {
	begin := atomic.LoadUint64(r.consumed)
	end := atomic.LoadUint64(r.produced)
	at := begin
	for at < end && at-begin < ringChunk {
		length := r.committed(at)
		size := uint64(length &^ (ringBusy | ringDiscard))
		if length&ringDiscard == 0 {
			handle(r.bytes(at+ringHeader, size))
			n++
		}
		at += ringHeader + (size+7)&^7
	}
	if at != begin {
		atomic.StoreUint64(r.consumed, at)
	}
	return n, at < end
}

// How often a record that is being written is looked at before the reader
// sleeps, and for how long: its writer may have been preempted.
const (
	busyLooks = 256
	busySleep = 50 * time.Microsecond
)

// committed waits until the record at a position has been written, and returns
// its length with the flags. To load it in this way also makes sure that the
// bytes are seen which were written before it.
func (r *ring) committed(at uint64) uint32 {
	header := r.header(at)
	for looks := 0; ; looks++ {
		if length := atomic.LoadUint32(header); length&ringBusy == 0 {
			return length
		}
		if looks >= busyLooks {
			time.Sleep(busySleep)
		}
	}
}

// header is the first word of the record at a position.
func (r *ring) header(at uint64) *uint32 {
	return (*uint32)(unsafe.Pointer(&r.data[at&uint64(len(r.data)-1)]))
}

// bytes are size bytes from a position on.
func (r *ring) bytes(at, size uint64) []byte {
	from := at & uint64(len(r.data)-1)
	if to := from + size; to <= uint64(len(r.data)) {
		return r.data[from:to:to]
	}
	r.torn = append(r.torn[:0], r.data[from:]...)
	r.torn = append(r.torn, r.data[:size-uint64(len(r.torn))]...)
	return r.torn
}
