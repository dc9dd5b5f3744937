package process

import (
	"sync"
	"sync/atomic"
	"time"
)

// The arguments and the environment lie in the memory of the process, which may
// have laid a file over them that it serves itself (FUSE) and never answers for.
// They are read in goroutines of their own: so long is waited for one, and so
// many may be stuck before none is read any more.
const (
	maxMemoryWait    = 20 * time.Millisecond
	maxMemoryReaders = 4
)

// memoryReader reads files of /proc that show a process's memory. Not safe for
// concurrent use; the zero value is ready.
type memoryReader struct {
	running atomic.Int32
	free    sync.Pool   // of *memory
	last    *memory     // what the last result lies in
	unread  bool        // the last one is still being read, or was not begun
	slow    *memory     // in the former case, where
	timer   *time.Timer // stopped between two reads
	before  func()      // for tests: runs in the goroutine before it reads
}

// memory is one reading.
type memory struct {
	buf           [maxEnviron + 1]byte
	raw           []byte
	truncated, ok bool
	done          chan struct{}
}

// read reads at most limit bytes, up to maxEnviron. The result is valid until
// the next read. A reader that is stuck counts as nothing read, which unread tells; it
// ends with its process.
func (r *memoryReader) read(file string, limit int) (raw []byte, truncated, ok bool) {
	if r.last != nil {
		r.free.Put(r.last)
		r.last = nil
	}
	r.slow = r.begin(file, limit)
	m := r.slow
	if r.unread = m == nil; r.unread {
		return nil, false, false
	}
	if r.timer == nil {
		r.timer = time.NewTimer(maxMemoryWait)
	} else {
		r.timer.Reset(maxMemoryWait)
	}
	defer r.timer.Stop()
	select {
	case <-m.done:
		r.last, r.slow = m, nil
		return m.raw, m.truncated, m.ok
	case <-r.timer.C:
		r.unread = true
		return nil, false, false // m is the goroutine's until it is done
	}
}

// begin begins to read; nil when too many are stuck.
func (r *memoryReader) begin(file string, limit int) *memory {
	if r.running.Load() >= maxMemoryReaders {
		return nil
	}
	m, reused := r.free.Get().(*memory)
	if !reused {
		m = &memory{done: make(chan struct{}, 1)}
	}
	r.running.Add(1)
	go r.fill(m, file, limit)
	return m
}

func (r *memoryReader) fill(m *memory, file string, limit int) {
	defer r.running.Add(-1)
	if r.before != nil {
		r.before()
	}
	m.raw, m.truncated, m.ok = readInto(m.buf[:limit+1], file)
	m.done <- struct{}{}
}
