//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
		location /fastcgi/ {
			fastcgi_pass %s; fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
		}
		location /scgi/ { scgi_pass %[3]s; scgi_param REQUEST_URI $request_uri; }
		location /uwsgi/ { uwsgi_pass %[3]s; uwsgi_param QUERY_STRING $query_string; uwsgi_param REQUEST_URI $request_uri; }
	}
}`

// serveFastCGI is a server of its own: see roleEnv. It prints where it listens for
// FastCGI, and where for SCGI and uwsgi.
func serveFastCGI(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		_ = fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "hello") }))
	}()
	others, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for c, err := others.Accept(); err == nil; c, err = others.Accept() {
			if err := serveGateway(c); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}()
	fmt.Println(l.Addr(), others.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
}

// serveGateway answers a request of uwsgi, which begins with 0, or of SCGI.
func serveGateway(c net.Conn) error {
	defer c.Close()
	head, answer, length := make([]byte, 4), "Status: 200 OK", 0
	if _, err := io.ReadFull(c, head); err != nil {
		return err
	}
	if head[0] == 0 {
		answer, length = "HTTP/1.1 200 OK", int(binary.LittleEndian.Uint16(head[1:]))
	} else {
		digits, rest, _ := bytes.Cut(head, []byte(":"))
		n, err := strconv.Atoi(string(digits))
		if err != nil {
			return err
		}
		length = n + len(",") - len(rest)
	}
	if _, err := io.CopyN(io.Discard, c, int64(length)); err != nil {
		return err
	}
	_, err := fmt.Fprint(c, answer, "\r\nContent-Length: 5\r\n\r\nhello")
	return err
}

// TestLiveFastCGI: what a web server asks of an application by FastCGI and its like is told
// as not decoded, of both, and what it was asked itself is a request as any other.
func TestLiveFastCGI(t *testing.T) {
	needs(t, "nginx", "curl")
	l := newLive(t, nil)
	l.start(t)
	at, others, _ := strings.Cut(startServerAs(t, "fastcgi-server", "fastcgi-app"), " ")
	dir, port := t.TempDir(), freeport.Port(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, nginxFastCGI, port, at, others), 0o600))
	t.Setenv("OTEL_SERVICE_NAME", "fastcgi-front")
	startProgram(t, port, "nginx", "-p", dir, "-c", "nginx.conf", "-g", "user root;")
	mark := marker(t)
	var want []string
	for _, protocol := range []string{"fastcgi", "scgi", "uwsgi"} {
		path := "/" + protocol + "/" + mark
		for range 3 {
			out, err := exec.CommandContext(t.Context(), "curl", "-sf", fmt.Sprintf("http://127.0.0.1:%d%s", port, path)).Output()
			require.NoError(t, err)
			require.Equal(t, "hello", string(out))
			want = append(want, path+" 200")
		}
		for _, service := range []string{"fastcgi-front", "fastcgi-app"} {
			l.point(t, service, schema.MetricOpaqueConnections, func(dp pmetric.NumberDataPoint) bool {
				return dp.IntValue() == 3 && valueOf(dp.Attributes(), schema.NetworkProtocolName) == protocol && valueOf(dp.Attributes(), schema.ReasonAttr) == "unsupported"
			})
		}
	}
	for _, kind := range []ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient} {
		l.requireInOrder(t, kind, want, mark)
	}
}
