package bpf

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
)

// pausesMap is the name of the map in which an agent notes the processes that go
// without probes for a while: others find it by that (PausedTLS). It is gone with
// the agent.
const (
	pausesMap = "tls_pauses"
	maxPauses = 4096
)

// PauseTLS notes that a process goes without probes until a time, or no longer when
// that is zero. It changes nothing but what PausedTLS tells.
func (a *Agent) PauseTLS(pid uint32, until time.Time) error {
	c, ok := a.requests.(*capture)
	if !ok || !a.opts.TLS {
		return ErrNoTLS
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return os.ErrClosed
	}
	if until.IsZero() {
		if c.pauses == nil {
			return nil
		}
		if err := c.pauses.Delete(pid); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("bpf: noting the end of a pause: %w", err)
		}
		return nil
	}
	if c.pauses == nil {
		m, err := ebpf.NewMap(&ebpf.MapSpec{Name: pausesMap, Type: ebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: maxPauses})
		if err != nil {
			return fmt.Errorf("bpf: noting a pause: %w", err)
		}
		c.pauses = m
	}
	if err := c.pauses.Put(pid, new(Clock).Boot(until)); err != nil {
		return fmt.Errorf("bpf: noting a pause: %w", err)
	}
	return nil
}

// PausedTLS tells which processes the agents of this machine let go without probes,
// and until when. It takes the privileges of an agent.
func PausedTLS() (map[uint32]time.Time, error) {
	all := map[uint32]time.Time{}
	for id := ebpf.MapID(0); ; {
		next, err := ebpf.MapGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("bpf: looking for pauses: %w", err)
		}
		id = next
		if err := readPauses(id, all); err != nil {
			return all, err
		}
	}
}

// readPauses reads a map, if it is one of pauses.
func readPauses(id ebpf.MapID, all map[uint32]time.Time) error {
	m, err := ebpf.NewMapFromID(id)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it is gone
	}
	if err != nil {
		return fmt.Errorf("bpf: looking for pauses: %w", err)
	}
	defer m.Close()
	info, err := m.Info()
	if err != nil || info.Name != pausesMap || m.Type() != ebpf.Hash || m.KeySize() != 4 || m.ValueSize() != 8 {
		return nil //nolint:nilerr // what cannot be told apart is not ours
	}
	var pid uint32
	var until uint64
	var clock Clock
	entries := m.Iterate()
	for entries.Next(&pid, &until) {
		all[pid] = clock.Time(until)
	}
	if err := entries.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("bpf: reading pauses: %w", err)
	}
	return nil
}
