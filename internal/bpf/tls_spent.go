package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
)

// TLSRuns tells how often programs on probes ran in each process, about: it is
// counted for all and noted for one in many.
func (a *Agent) TLSRuns() (map[uint32]uint64, error) {
	c, ok := a.requests.(*capture)
	if !ok || !a.opts.TLS {
		return nil, ErrNoTLS
	}
	if !a.readers.enter() {
		return nil, os.ErrClosed
	}
	defer a.readers.leave()
	all := map[uint32]uint64{}
	tls := c.tls.Load()
	if tls == nil {
		return all, nil // nobody has wanted a probe so far
	}
	var tgid uint32
	var runs uint64
	entries := tls.coll.Maps["tls_runs"].Iterate()
	for entries.Next(&tgid, &runs) {
		all[tgid] = runs
	}
	if err := entries.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) { // others change it meanwhile
		return nil, fmt.Errorf("bpf: reading who runs into probes: %w", err)
	}
	return all, nil
}

// ForgetTLS ends the streams of plain text that a process has. It may be probed
// again: they begin anew then, in their midst, and nothing that comes is taken for
// what follows the last that was seen.
func (a *Agent) ForgetTLS(pid uint32) error {
	c, ok := a.requests.(*capture)
	if !ok || !a.opts.TLS {
		return ErrNoTLS
	}
	if !a.readers.enter() {
		return os.ErrClosed
	}
	defer a.readers.leave()
	var session tlsTlsKey
	err := forget(c.coll.Maps["tls_sessions"], &session, &tlsTlsSession{}, func() bool { return session.Tgid == pid })
	var stream uint64
	var state requestsRequestsSocket
	const plain = 1 // TLS_KEY
	return errors.Join(err, forget(c.coll.Maps["requests_sockets"], &stream, &state, func() bool {
		return stream&plain != 0 && state.Tgid == pid
	}))
}

// forget deletes the entries of which it is true, while their key and value are in
// the variables.
func forget[K, V any](m *ebpf.Map, key *K, value *V, is func() bool) error {
	var gone []K
	entries := m.Iterate()
	for entries.Next(key, value) {
		if is() {
			gone = append(gone, *key)
		}
	}
	err := entries.Err()
	if errors.Is(err, ebpf.ErrIterationAborted) {
		err = nil
	}
	for i := range gone {
		if deleteErr := m.Delete(&gone[i]); !errors.Is(deleteErr, ebpf.ErrKeyNotExist) {
			err = errors.Join(err, deleteErr)
		}
	}
	if err != nil {
		return fmt.Errorf("bpf: forgetting streams: %w", err)
	}
	return nil
}
