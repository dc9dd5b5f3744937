package bpf

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEndWhileProbesAreLoaded: the kernel may take many seconds for the programs on
// probes, and an agent that ends in the meantime does not wait for it. What they
// need is freed when it is done.
func TestEndWhileProbesAreLoaded(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{Requests: true, TLS: true})
	require.NoError(t, err)
	c := a.requests.(*capture)
	begun, release := make(chan struct{}), make(chan struct{})
	go c.loadTLS.Do(func() { // stands for a kernel that takes its time
		c.loading.Store(true)
		close(begun)
		<-release
		c.errTLS = os.ErrClosed
	})
	<-begun

	require.NoError(t, a.Close())
	require.True(t, c.ending.Load())
	_, err = a.Security().Drain(func([]byte) {})
	require.ErrorIs(t, err, os.ErrClosed, "nothing is captured any more")
	_, err = a.TLSStats()
	require.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, look(c), "the maps are still there")
	require.NoError(t, a.Close(), "twice")

	close(release)
	require.Eventually(t, func() bool { return look(c) != nil }, time.Minute, 10*time.Millisecond, "the maps are freed")
	_, err = a.AttachTLS("/proc/self/exe", nil)
	require.ErrorIs(t, err, os.ErrClosed)
}

// look reads a map of what is loaded for TLS libraries.
func look(c *capture) error {
	var cpus []tlsTlsStats
	return c.coll.Maps["tls_stats"].Lookup(uint32(0), &cpus)
}

// TestLoadingIsGivenUp: an agent that ends has no further program verified.
func TestLoadingIsGivenUp(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{Requests: true, TLS: true})
	require.NoError(t, err)
	c := a.requests.(*capture)
	c.ending.Store(true)
	_, err = a.tlsCapture()
	require.ErrorIs(t, err, os.ErrClosed)
	require.False(t, c.loading.Load())
	require.NotContains(t, hookNames(a), tlsHook.name, "that is no failure of the kernel's")

	p, err := a.newTLS(c)
	require.NoError(t, err)
	require.ErrorIs(t, p.load(), os.ErrClosed)
	_, err = p.await([]TLSProbe{{Program: TLSWrite}})
	require.ErrorIs(t, err, os.ErrClosed)
	p.close()
	require.NoError(t, a.Close())
}

func hookNames(a *Agent) (names []string) {
	for _, h := range a.Hooks() {
		names = append(names, h.Name)
	}
	return names
}
