package bpf

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// TestProbesOfOneProcess: a process that is probed alone is charged for what runs
// there, its streams can be forgotten, and others are not seen.
func TestProbesOfOneProcess(t *testing.T) {
	requireRoot(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("Go's frames are known for x86-64 only")
	}
	s := startsWith(3, "PING", 64)
	s.Every = true
	a, err := Load(Options{Requests: true, TLS: true, Signatures: []event.Signature{s}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	pid := uint32(os.Getpid())
	probes, err := a.AttachTLSTo("/proc/self/exe", pid, goTLSProbes(t))
	require.NoError(t, err)
	defer probes.Close()

	pair, err := newGoTLSPair()
	require.NoError(t, err)
	defer pair.close() // until then its streams are there
	for range 100 {
		require.NoError(t, pair.talk())
	}
	other := helper(t, "gotls")
	require.NoError(t, other.Run())
	runs, err := a.TLSRuns()
	require.NoError(t, err)
	require.NotZero(t, runs[pid])
	for _, r := range drain(t, a, other.Process.Pid) {
		require.Zero(t, r.Flags&event.RequestTLS, "of the process that is not probed")
	}
	require.NotZero(t, plainStreams(t, a, pid))
	require.NoError(t, a.ForgetTLS(pid))
	require.Zero(t, plainStreams(t, a, pid))
}

// plainStreams counts the streams of plain text of a process.
func plainStreams(t *testing.T, a *Agent, pid uint32) (n int) {
	t.Helper()
	var key uint64
	var state requestsRequestsSocket
	entries := a.requests.(*capture).coll.Maps["requests_sockets"].Iterate()
	for entries.Next(&key, &state) {
		if key&1 != 0 && state.Tgid == pid {
			n++
		}
	}
	require.NoError(t, entries.Err())
	return n
}

func TestNoProbesNoRuns(t *testing.T) {
	a := &Agent{}
	_, err := a.TLSRuns()
	require.ErrorIs(t, err, ErrNoTLS)
	require.ErrorIs(t, a.ForgetTLS(1), ErrNoTLS)
}
