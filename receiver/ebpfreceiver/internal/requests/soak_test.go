//go:build linux && (amd64 || arm64)

package requests_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// soakEnv is how many requests TestKernelSoak makes; make soak sets it.
const (
	soakEnv     = "SIGHTGLASS_SOAK"
	soakDefault = 5000
)

// TestKernelSoak mixes requests over new, kept, pipelined and old connections.
// Each has a name of its own: none may be missing, none invented, none seen
// twice, and each as the client saw it, within the client's own interval.
func TestKernelSoak(t *testing.T) {
	total := soakDefault
	if text := os.Getenv(soakEnv); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		total = n
	}
	server, at := serve(t, "127.0.0.1:0")
	paths := []string{"GET /status/200", "GET /bytes/100", "GET /status/404", "HEAD /bytes/50", "GET /bytes/5000", "GET /status/204", "GET /status/503"}
	bodies := append([]string{"POST /upload 10", "GET /chunks/3", "POST /upload 9000"}, paths...)
	var old []*child
	for i := range 4 {
		c := request(t, &job{Addr: at, Paths: bodies, Conns: 1, N: total/20 + 1, Handshake: true, Tag: fmt.Sprint("old", i)})
		require.Equal(t, "ready", c.line(t))
		old = append(old, c)
	}
	w := watch(t, bpf.Options{})
	for _, c := range old {
		_, err := c.in.Write([]byte("\n"))
		require.NoError(t, err)
	}
	clients := append(slices.Clone(old),
		request(t, &job{Addr: at, Paths: bodies, Conns: 2, N: total / 10, NoKeep: true, Tag: "new"}),
		request(t, &job{Addr: at, Paths: bodies, Conns: 4, N: total / 20, Tag: "kept"}),
		request(t, &job{Addr: at, Paths: paths, Conns: 4, N: total / 10, Pipelined: 8, Tag: "pipelined"}),
	)
	want := map[string]outcome{}
	for i, c := range clients {
		all := c.outcomes(t)
		if i < len(old) {
			all = all[1:] // made before anybody watched
		}
		for _, o := range all {
			want[o.Path] = o
		}
	}
	require.Len(t, want, total)
	pids := map[uint32]bool{server.pid(): true}
	for _, c := range clients {
		pids[c.pid()] = true
	}
	require.Eventually(t, func() bool { return w.count(pids) >= 2*total }, patience, pollInterval,
		"some are missing: %+v", w.stats())
	time.Sleep(200 * time.Millisecond) // for more than there should be
	requireEach(t, want, w.of(server.pid()), event.RoleServer)
	var asked []seen
	for _, c := range clients {
		asked = append(asked, w.of(c.pid())...)
	}
	requireEach(t, want, asked, event.RoleClient)
	w.requireLossless(t)
}

// count is how many exchanges of some processes were seen.
func (w *watcher) count(tgids map[uint32]bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.all {
		if tgids[w.all[i].Endpoint.Owner.TGID] {
			n++
		}
	}
	return n
}

// requireEach checks that each named request was seen once, as it was.
func requireEach(t *testing.T, want map[string]outcome, got []seen, role event.Role) {
	t.Helper()
	known := make(map[string]bool, len(got))
	for _, s := range got {
		o, ok := want[s.Path]
		require.True(t, ok, "invented: %+v", s)
		require.False(t, known[s.Path], "twice: %+v", s)
		known[s.Path] = true
		require.Equal(t, o.Method, s.Method)
		require.Equal(t, o.Status, s.Status, "%+v", s)
		require.Equal(t, role, s.Endpoint.Role)
		require.Zero(t, s.Incomplete, "%+v", s)
		require.LessOrEqual(t, o.Start, s.Start)
		require.LessOrEqual(t, s.Start, s.End)
		require.LessOrEqual(t, s.End, o.End, "%+v", s)
	}
	require.Equal(t, len(want), len(known)) //nolint:testifylint // Len would print them all
}
