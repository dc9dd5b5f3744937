//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"iter"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
)

// nginxTLS answers /ok/... and nothing else; it notes what it was asked, and how
// it answered.
const nginxTLS = `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 256; }
http {
	log_format asked '$request_uri $status'; access_log access.log asked; default_type text/plain;
	client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; scgi_temp_path s; uwsgi_temp_path u;
	server {
		listen 127.0.0.1:%d ssl http2; server_name localhost;
		ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate cert.pem; ssl_certificate_key key.pem;
		location /ok/ { return 200 "hello\n"; }
		location / { return 404; }
		location ~ ^/large/ { alias %s/300k; }
	}
}`

// tlsServer is an nginx of a test.
type tlsServer struct {
	dir, url string
}

func startNginx(t *testing.T) *tlsServer {
	t.Helper()
	needs(t, "nginx", "openssl", "curl")
	dir := t.TempDir()
	certificate(t, dir)
	port := freeport.Port(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, nginxTLS, port, dir), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "300k"), []byte(strings.Repeat("z", 300<<10)), 0o600))
	cmd := exec.Command("nginx", "-p", dir, "-c", "nginx.conf", "-g", "user root;")
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, patience, pollInterval)
	return &tlsServer{dir: dir, url: fmt.Sprintf("https://localhost:%d", port)}
}

// needs skips the test where a program is not installed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, exe := range programs {
		if _, err := exec.LookPath(exe); err != nil {
			t.Skipf("%s is not installed", exe)
		}
	}
}

// certificate writes cert.pem and key.pem for this machine.
func certificate(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"), "-addext", "subjectAltName=DNS:localhost").CombinedOutput()
	require.NoError(t, err, string(out))
}

// asked lists how often nginx was asked for each path with a mark, and answered
// with which status.
func (s *tlsServer) asked(t *testing.T, mark string) map[string]int {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
	require.NoError(t, err)
	all := map[string]int{}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, mark) {
			all[strings.TrimSpace(line)]++
		}
	}
	return all
}

// told lists the spans of one side whose path has a mark, as asked does.
func (l *live) told(kind ptrace.SpanKind, mark string) map[string]int {
	all := map[string]int{}
	for span := range l.marked(kind, mark) {
		all[outcomeOf(span)]++
	}
	return all
}

// marked are the spans of one side whose path has a mark, in the order in which they came.
func (l *live) marked(kind ptrace.SpanKind, mark string) iter.Seq[ptrace.Span] {
	return func(yield func(ptrace.Span) bool) {
		for _, batch := range l.traces.AllTraces() {
			for _, rs := range batch.ResourceSpans().All() {
				for _, span := range rs.ScopeSpans().At(0).Spans().All() {
					if span.Kind() == kind && strings.Contains(outcomeOf(span), mark) && !yield(span) {
						return
					}
				}
			}
		}
	}
}

// outcomeOf is the path of a span's request and the status of the answer.
func outcomeOf(span ptrace.Span) string {
	path := valueOf(span.Attributes(), schema.URLPath)
	if full := valueOf(span.Attributes(), schema.URLFull); full != "" {
		path = full[strings.Index(full[len("https://"):], "/")+len("https://"):]
	}
	return path + " " + valueOf(span.Attributes(), schema.HTTPResponseStatusCode)
}

// wait returns what a server was asked with a mark, when that is so much.
func (s *tlsServer) wait(t *testing.T, mark string, n int) map[string]int {
	t.Helper()
	require.True(t, soon(func() bool { return total(s.asked(t, mark)) >= n }), "%v", s.asked(t, mark))
	return s.asked(t, mark)
}

// requireTold waits until both sides have told as much as a server was asked, and
// requires that it is the same.
func (l *live) requireTold(t *testing.T, want map[string]int, mark string) {
	t.Helper()
	for _, kind := range []ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient} {
		if !soon(func() bool { return total(l.told(kind, mark)) >= total(want) }) {
			t.Log(l.describe())
		}
		require.Equal(t, want, l.told(kind, mark), "%s", kind)
	}
}

func soon(holds func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollInterval) {
		if holds() {
			return true
		}
	}
	return false
}

func total(counts map[string]int) (n int) {
	for _, v := range slices.Collect(maps.Values(counts)) {
		n += v
	}
	return n
}
