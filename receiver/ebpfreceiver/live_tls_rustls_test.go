//go:build linux && amd64

package ebpfreceiver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/nodemodules"
)

const denoServer = `
const [dir, port] = Deno.args, read = (name) => Deno.readTextFileSync(dir + "/" + name);
Deno.serve({ port: +port, hostname: "127.0.0.1", cert: read("cert.pem"), key: read("key.pem") }, () => new Response("hello\n"));
`

// TestLiveTLSOfDeno has deno serve, which has rustls in it: its requests are not
// seen, which is told, with the reason, and the client's are.
func TestLiveTLSOfDeno(t *testing.T) {
	deno := nodemodules.Path(t, "@deno/linux-x64-glibc/deno")
	l := newTLSLive(t, nil)
	dir := t.TempDir()
	certificate(t, dir)
	script := filepath.Join(dir, "server.js")
	require.NoError(t, os.WriteFile(script, []byte(denoServer), 0o600))
	address := fmt.Sprintf("127.0.0.1:%d", freeport.Port(t))
	cmd := exec.Command(deno, "run", "--allow-all", script, dir, address[strings.LastIndexByte(address, ':')+1:])
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=denoserver", "DENO_NO_UPDATE_CHECK=1", "DENO_DIR="+dir)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.True(t, soon(func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}))
	mark := marker(t)
	out, err := exec.Command("curl", "-sk", "https://"+address+"/ok/"+mark).CombinedOutput()
	require.NoError(t, err, string(out))
	require.True(t, soon(func() bool { return strings.HasPrefix(l.opaque("denoserver"), "rustls") }), "%q", l.opaque("denoserver"))
	require.True(t, soon(func() bool { return len(l.told(ptrace.SpanKindClient, mark)) == 1 }))
	require.Empty(t, l.told(ptrace.SpanKindServer, mark))
}
