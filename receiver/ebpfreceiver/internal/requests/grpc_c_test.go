//go:build linux && (amd64 || arm64)

package requests_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// TestKernelGRPCInC follows calls to a server whose library, gRPC's in C, writes
// large messages and the trailers behind them from several buffers at once.
func TestKernelGRPCInC(t *testing.T) {
	find(t, "python3")
	if exec.CommandContext(t.Context(), "python3", "-c", "import grpc").Run() != nil {
		t.Skip("python3-grpcio is not installed")
	}
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
