package bpf

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// What reads while the agent ends reads the agent's, or is told that it has ended:
// never what has got a closed descriptor's number.
func TestCloseWhileOthersRead(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{Requests: true, TLS: true, Latency: true})
	require.NoError(t, err)
	readers := map[string]func() error{
		"Stats":        func() error { _, err := a.Stats(); return err },
		"RequestStats": func() error { _, err := a.RequestStats(); return err },
		"TLSStats":     func() error { _, err := a.TLSStats(); return err },
		"TLSRuns":      func() error { _, err := a.TLSRuns(); return err },
		"ForgetTLS":    func() error { return a.ForgetTLS(1 << 30) },
		"Strays":       func() error { _, err := a.Strays(); return err },
		"Latencies":    func() error { return a.Latencies(func(*Latency) {}) },
		"Judge":        func() error { return a.Judge(1, 0, 0, false) },
	}
	var once, all sync.WaitGroup
	var mu sync.Mutex
	ended := map[string]error{}
	for name, read := range readers {
		once.Add(1)
		all.Go(func() {
			err := read()
			once.Done()
			for err == nil {
				err = read()
			}
			mu.Lock()
			defer mu.Unlock()
			ended[name] = err
		})
	}
	once.Wait()
	require.NoError(t, a.Close())
	all.Wait()
	for name := range readers {
		require.ErrorIs(t, ended[name], os.ErrClosed, name)
	}
}
