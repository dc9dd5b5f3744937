//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
)

// nginxFastCGI hands all requests on.
const nginxFastCGI = `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events {}
http {
	access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; scgi_temp_path s; uwsgi_temp_path u;
	server {
		listen 127.0.0.1:%d;
		location / {
			fastcgi_pass %s; fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
		}
	}
}`

// serveFastCGI is a server of its own: see roleEnv.
func serveFastCGI(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		_ = fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "hello") }))
	}()
	fmt.Println(l.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
}

// TestLiveFastCGI: what a web server asks of an application is told as not decoded, of
// both, and what it was asked itself is a request as any other.
func TestLiveFastCGI(t *testing.T) {
	needs(t, "nginx", "curl")
	l := newLive(t, nil)
	l.start(t)
	app := startServerAs(t, "fastcgi-server", "fastcgi-app")
	dir, port := t.TempDir(), freeport.Port(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, nginxFastCGI, port, app), 0o600))
	t.Setenv("OTEL_SERVICE_NAME", "fastcgi-front")
	startProgram(t, port, "nginx", "-p", dir, "-c", "nginx.conf", "-g", "user root;")
	path := "/" + marker(t)
	for range 3 {
		out, err := exec.CommandContext(t.Context(), "curl", "-sf", fmt.Sprintf("http://127.0.0.1:%d%s", port, path)).Output()
		require.NoError(t, err)
		require.Equal(t, "hello", string(out))
	}
	for _, service := range []string{"fastcgi-front", "fastcgi-app"} {
		l.point(t, service, schema.MetricOpaqueConnections, func(dp pmetric.NumberDataPoint) bool {
			return dp.IntValue() == 3 && valueOf(dp.Attributes(), schema.NetworkProtocolName) == "fastcgi" && valueOf(dp.Attributes(), schema.ReasonAttr) == "unsupported"
		})
	}
	for _, kind := range []ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient} {
		l.requireInOrder(t, kind, []string{path + " 200", path + " 200", path + " 200"}, path)
	}
}
