//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/schema"
)

// TestLiveTLSBudget asks a server without an end whose probes may cost next to
// nothing: that it goes without them for a while is told of the connection that was
// followed until then.
func TestLiveTLSBudget(t *testing.T) {
	l := newTLSLive(t, func(cfg *Config) { cfg.Requests.TLS.MaxCPU = 0.001 })
	server := startNginx(t)
	mark := marker(t)
	cmd := exec.Command("curl", "-sk", "-o", os.DevNull, server.url+"/ok/"+mark+"/[1-100000000]")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.True(t, soon(func() bool { return len(l.told(ptrace.SpanKindServer, mark)) > 0 }), "the server is not followed")
	require.Eventually(t, func() bool { return l.opaque("nginx") == encryption.ReasonBudget }, 2*patience, 10*pollInterval)
	require.Equal(t, "tls", l.opaqueAs("nginx", schema.ReasonAttr))
}
