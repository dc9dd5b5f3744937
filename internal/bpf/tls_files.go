package bpf

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// tlsFiles numbers the files that have probes, so that a program on one of these
// knows since when its file has them: a connection that is older has perhaps said
// something before.
type tlsFiles struct {
	since *ebpf.Map // by number; 0 is for all

	mu   sync.Mutex
	used []bool // by number; nil where probes cannot have numbers
}

// ErrManyFiles tells that more files have probes than can be told apart.
var ErrManyFiles = errors.New("bpf: too many files with probes")

// never is a time that does not come, in ns; a number of 63 bits even when it is
// shifted by 8.
const never = 1<<54 - 1

// begin returns a number for a file that will have probes, 0 where there are no
// numbers. Until these are attached no connection is younger.
func (f *tlsFiles) begin() (uint32, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used == nil {
		return 0, nil
	}
	for number := 1; number < len(f.used); number++ {
		if f.used[number] {
			continue
		}
		if err := f.set(uint32(number), never); err != nil {
			return 0, err
		}
		f.used[number] = true
		return uint32(number), nil
	}
	return 0, ErrManyFiles
}

// end gives a number back.
func (f *tlsFiles) end(number uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used != nil {
		f.used[number] = false
	}
}

// probed tells the programs that a file has its probes from now on, and that there
// are probes.
func (f *tlsFiles) probed(number uint32) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return fmt.Errorf("bpf: reading the clock: %w", err)
	}
	return errors.Join(f.set(number, uint64(now.Nano())), f.set(0, uint64(now.Nano())))
}

func (f *tlsFiles) set(number uint32, since uint64) error {
	if err := f.since.Put(number, tlsTlsFile{Since: since}); err != nil {
		return fmt.Errorf("bpf: telling of the probes: %w", err)
	}
	return nil
}
