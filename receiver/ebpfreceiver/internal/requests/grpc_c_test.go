//go:build linux && (amd64 || arm64)

package requests_test

import (
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// requireGRPCInC skips the test where gRPC's library in C is not installed.
func requireGRPCInC(t *testing.T) {
	t.Helper()
	find(t, "python3")
	if exec.CommandContext(t.Context(), "python3", "-c", "import grpc").Run() != nil {
		t.Skip("python3-grpcio is not installed")
	}
}

// TestKernelGRPCInC follows calls to a server whose library, gRPC's in C, writes
// large messages and the trailers behind them from several buffers at once.
func TestKernelGRPCInC(t *testing.T) {
	requireGRPCInC(t)
	server := program(t, []string{"python3", "grpc_server.py"})
	at := server.line(t)
	w := watch(t, bpf.Options{})
	paths := []string{"unary 10", "unary 3000", "unary 6000", "unary 15000", "none"}
	client := requestAs(t, "rpcclient", &job{Addr: at, Paths: paths, Conns: 1, N: 50})
	want := client.outcomes(t)
	require.Len(t, want, 50)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

// grpcInC are calls whose messages are from a byte to several megabytes long, in one
// direction or both.
var grpcInC = []string{
	"unary 1 1", "unary 20000 1", "unary 1 20000", "unary 100000 100000", "none", "unary 1000000 1", "unary 1 1000000",
	"give 20 20000", "take 20 20000", "talk 10 20000 20000", "give 3 1000000", "take 3 1000000", "talk 3 100000 100000",
	"unary 4000000 4000000", "unary 1 1", "talk 50 10 10", "unary 20000 20000 gzip", "talk 10 30000 30000 gzip", "give 2 4000000",
	"take 2 4000000",
}

// TestKernelGRPCInCLong follows calls between a client and a server that are both
// gRPC's in C: frames are as long as the peer takes, and many lie in one call.
func TestKernelGRPCInCLong(t *testing.T) {
	requireGRPCInC(t)
	for _, atOnce := range []int{1, 6} {
		t.Run(strconv.Itoa(atOnce), func(t *testing.T) {
			server := program(t, []string{"python3", "grpc_server.py"})
			at := server.line(t)
			w := watch(t, bpf.Options{})
			n := 3 * len(grpcInC)
			client := program(t, []string{"python3", "grpc_client.py"}, append([]string{at, strconv.Itoa(n), strconv.Itoa(atOnce)}, grpcInC...)...)
			want := client.outcomes(t)
			require.Len(t, want, n)
			sinceBoot(want)
			w.wait(t, n, server.pid(), client.pid())
			requireMatch(t, want, w.of(server.pid()), event.RoleServer)
			requireMatch(t, want, w.of(client.pid()), event.RoleClient)
			w.requireLossless(t)
		})
	}
}
