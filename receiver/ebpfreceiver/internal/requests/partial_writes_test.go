//go:build linux && (amd64 || arm64)

package requests_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// buffered is how many bytes sockets are taken to have room for: less is over when the
// call begins that sends it.
const buffered = 16 << 10

// TestKernelPartialWrites compares what is seen of a connection whose ends write in
// parts, again and again, and read in all the ways that OpenSSL has, with the record
// of its client; and of one that is older than the probes.
func TestKernelPartialWrites(t *testing.T) {
	python := find(t, "/usr/bin/python3")
	cert, key := certificate(t, t.TempDir(), os.Getuid(), os.Getgid())
	const rounds = "60"
	line := []string{python, "testdata/programs/partial_writes.py", cert, key, rounds}
	for name, how := range map[string][]string{"new connection": nil, "small records": {"small"}} {
		t.Run(name, func(t *testing.T) {
			w := watchAs(t, true)
			both := spawn(t, nil, append(line, how...)...)
			requirePartialWrites(t, w, both.line(t), both.line(t), 0)
			w.requireLossless(t)
		})
	}
	t.Run("old connection", func(t *testing.T) {
		both := spawn(t, nil, append(line, "wait")...)
		port := both.line(t)
		w := watchAs(t, true)
		_, err := both.in.Write([]byte("\n"))
		require.NoError(t, err)
		requirePartialWrites(t, w, port, both.line(t), 1)
	})
}

// requirePartialWrites waits until both ends have told what the client did, and
// compares it with its record. The first requests may not have been seen: by them it
// is found out which session the socket has. A long answer is over when the last of it
// has left: behind the last time when there was no room for it, before its write ends.
func requirePartialWrites(t *testing.T, w *watcher, port, record string, unseen int) {
	t.Helper()
	type request struct {
		Method, Path string
		Status       int
	}
	type outcome struct {
		request
		Sent, Full, Written uint64
	}
	var asked []outcome
	require.NoError(t, json.Unmarshal([]byte(record), &asked))
	w.settle(t, port, len(asked)-unseen, bothEnds...)
	for _, role := range bothEnds {
		var want, got []request
		by := map[string]outcome{}
		for _, a := range asked {
			want = append(want, a.request)
			by[a.Path] = a
		}
		all, full := w.at(port, role), 0
		require.LessOrEqual(t, len(all), len(want))
		for _, s := range all {
			got = append(got, request{s.Method, s.Path, s.Status})
			require.Equal(t, exchange.Complete, s.Incomplete, "%+v", s)
			switch told := by[s.Path]; {
			case role == event.RoleClient:
				require.Equal(t, told.Sent, s.Sent, s.Path)
			case s.Sent > buffered && unseen == 0: // what an older connection writes is told at once
				full++
				require.Greater(t, s.End, told.Full, s.Path)
				require.Less(t, s.End, told.Written, s.Path)
			}
		}
		require.Equal(t, role == event.RoleServer && unseen == 0, full > 0)
		require.Equal(t, want[len(want)-len(got):], got)
		require.GreaterOrEqual(t, len(got), len(want)-unseen)
	}
}
