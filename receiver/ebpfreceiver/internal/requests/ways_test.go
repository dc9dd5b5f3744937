//go:build linux && (amd64 || arm64)

package requests_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// TestKernelWays compares what both ends of connections are seen to do with the client's
// record, for each way to move bytes over a socket, and to share one.
func TestKernelWays(t *testing.T) {
	w := watch(t, bpf.Options{})
	both := program(t, []string{"/usr/bin/python3", "ways.py"})
	port := both.line(t)
	_, err := both.in.Write([]byte("\n"))
	require.NoError(t, err)
	asked := both.outcomes(t)
	w.settle(t, port, len(asked), bothEnds...)
	type request struct {
		Method, Path string
		Status       int
		Incomplete   exchange.Reason
	}
	var want []request
	by := map[string]outcome{}
	for _, a := range asked {
		want = append(want, request{Method: a.Method, Path: a.Path, Status: a.Status})
		by[a.Path] = a
	}
	for _, role := range bothEnds {
		var got []request
		for _, s := range w.at(port, role) {
			got = append(got, request{s.Method, s.Path, s.Status, s.Incomplete})
			require.LessOrEqual(t, by[s.Path].Start, s.Start, "%+v", s)
			require.LessOrEqual(t, s.End, by[s.Path].End, "%+v", s)
			require.False(t, s.Endpoint.RoleGuessed, "%+v", s)
		}
		require.Equal(t, want, got, "role %d", role)
	}
	w.requireLossless(t)
}
