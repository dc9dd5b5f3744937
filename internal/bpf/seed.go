package bpf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/cilium/ebpf/link"

	"github.com/sightglass/sightglass/internal/event"
)

// ErrNoIterator means that the kernel cannot list its processes to us; read
// /proc instead.
var ErrNoIterator = errors.New("bpf: no task iterator")

// Seed hands a TypeProcess record of every process that runs now to handle,
// whose the bytes are until it returns. Processes that begin meanwhile may come
// through the ring as well.
func (a *Agent) Seed(handle func(raw []byte)) error {
	r, err := a.openIterator()
	if err != nil {
		return err
	}
	defer r.Close()
	return readRecords(bufio.NewReaderSize(r, 64<<10), handle)
}

// openIterator opens the list of processes, unless a is closed.
func (a *Agent) openIterator() (io.ReadCloser, error) {
	it, ok := a.iterator.(*link.Iter)
	if !ok {
		return nil, ErrNoIterator
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, os.ErrClosed
	}
	r, err := it.Open()
	if err != nil {
		return nil, fmt.Errorf("bpf: opening the task iterator: %w", err)
	}
	return r, nil
}

// readRecords cuts a stream of records apart.
func readRecords(r io.Reader, handle func(raw []byte)) error {
	buf := make([]byte, 4096)
	for {
		if _, err := io.ReadFull(r, buf[:event.HeaderSize]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("bpf: reading processes: %w", err)
		}
		n := int(binary.NativeEndian.Uint32(buf[4:]))
		if n < event.HeaderSize || n > maxRecord {
			return fmt.Errorf("bpf: reading processes: record of %d bytes", n)
		}
		if n > len(buf) {
			buf = slices.Grow(buf, n-len(buf))[:n]
		}
		if _, err := io.ReadFull(r, buf[event.HeaderSize:n]); err != nil {
			return fmt.Errorf("bpf: reading processes: %w", err)
		}
		handle(buf[:n])
	}
}

// maxRecord is the longest record, RECORD_MAX in bpf/lib/emit.h.
const maxRecord = 28672
