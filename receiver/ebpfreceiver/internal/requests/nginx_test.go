//go:build linux && (amd64 || arm64)

package requests_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/freeport"
)

// nginxConfig runs nginx as one process without any file outside its folder.
const nginxConfig = `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 256; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; default_type text/plain;
	client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; scgi_temp_path s; uwsgi_temp_path u;
	server {
		listen 127.0.0.1:%d%s;
		listen unix:%s;
		location / { root www; }
		location = /hello { return 200 "hello\n"; }
		location /up/ { proxy_pass http://%s/; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
	}
}`

// nginx starts a server in front of an upstream. The test is skipped where it
// is not installed.
func nginx(tb testing.TB, upstream string) (pid uint32, addr string) {
	tb.Helper()
	pid, addr, _ = nginxAs(tb, upstream, false)
	return pid, addr
}

// nginxAs is nginx; a secure one encrypts what it tells its clients, but for those
// of the Unix socket that it listens at, too. options are more of them for its port.
func nginxAs(tb testing.TB, upstream string, secure bool, options ...string) (pid uint32, addr, socket string) {
	tb.Helper()
	exe, err := exec.LookPath("nginx")
	if err != nil {
		tb.Skip("nginx is not installed")
	}
	dir := tb.TempDir()
	port := freeport.Port(tb)
	require.NoError(tb, os.Mkdir(filepath.Join(dir, "www"), 0o755))
	require.NoError(tb, os.Chmod(dir, 0o755)) //nolint:gosec // nginx reads it as another user
	for name, size := range map[string]int{"1k": 1024, "300k": 300 << 10, "empty": 0} {
		require.NoError(tb, os.WriteFile(filepath.Join(dir, "www", name), []byte(strings.Repeat("z", size)), 0o644)) //nolint:gosec // nginx reads it as another user
	}
	listen := strings.Join(append([]string{""}, options...), " ")
	if secure {
		cert, key := certificate(tb, dir, os.Getuid(), os.Getgid())
		listen += fmt.Sprintf(" ssl; ssl_certificate %s; ssl_certificate_key %s", cert, key)
	}
	conf, socket := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "socket")
	require.NoError(tb, os.WriteFile(conf, fmt.Appendf(nil, nginxConfig, port, listen, socket, upstream), 0o600))
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), exe, "-p", dir, "-c", conf, "-e", "stderr")
	cmd.Stderr = os.Stderr
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(tb, func() bool {
		c, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, patience, pollInterval)
	return uint32(cmd.Process.Pid), addr, socket
}

var nginxPaths = []string{
	"GET /hello", "GET /1k", "GET /300k", "HEAD /300k", "GET /empty", "GET /none", "POST /hello 100",
	"GET /up/chunks/3", "GET /up/bytes/40000", "POST /up/upload 50000", "GET /up/status/503",
}

func TestKernelNginx(t *testing.T) { bothWays(t, testNginx) }

func testNginx(t *testing.T, secure bool) {
	w := watchAs(t, secure)
	upstream, behind := serve(t, "127.0.0.1:0")
	server, addr, _ := nginxAs(t, behind, secure)
	client := request(t, &job{Addr: addr, TLS: secure, Paths: nginxPaths, Conns: 3, N: 10 * len(nginxPaths)})
	want := client.outcomes(t)
	proxied := 0
	for _, o := range want {
		if strings.HasPrefix(o.Path, "/up/") {
			proxied++
		}
	}
	w.wait(t, len(want), client.pid())
	w.wait(t, len(want)+proxied, server)
	w.wait(t, proxied, upstream.pid())
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	front, back := w.sides(server)
	requireMatch(t, want, front, event.RoleServer)
	require.Len(t, back, proxied)
	requireJoined(t, back, w.of(upstream.pid()))
	w.requireEncrypted(t, port(addr), secure)
	w.requireLossless(t)
}

// A load balancer says whom it speaks for before anything else, be what follows
// encrypted or not.
func TestKernelNginxBehindBalancer(t *testing.T) { bothWays(t, testNginxBehindBalancer) }

func testNginxBehindBalancer(t *testing.T, secure bool) {
	w := watchAs(t, secure)
	server, addr, _ := nginxAs(t, "127.0.0.1:1", secure, "proxy_protocol")
	for preamble, whom := range map[string]string{preambleText: "192.0.2.7:45678", preambleBinary: "[2001:db8::1]:7"} {
		before := len(w.of(server))
		client := request(t, &job{Addr: addr, TLS: secure, Preamble: []byte(preamble), Paths: nginxPaths[:7], Conns: 2, N: 7})
		want := client.outcomes(t)
		w.wait(t, before+len(want), server)
		served := w.of(server)[before:]
		requireMatch(t, want, served, event.RoleServer)
		for _, s := range served {
			require.Equal(t, whom, s.Endpoint.Client.String())
		}
	}
}

// What load balancers say.
const (
	preambleText   = "PROXY TCP4 192.0.2.7 127.0.0.1 45678 80\r\n"
	preambleBinary = "\r\n\r\n\x00\r\nQUIT\n\x21\x21\x00\x24" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x07\x00\x50"
)

// requireJoined checks that both ends of the same connections saw the same, the
// server later than the client.
func requireJoined(tb testing.TB, clients, servers []seen) {
	tb.Helper()
	byPort := map[uint16][]seen{}
	for _, c := range clients {
		require.Equal(tb, event.RoleClient, c.Endpoint.Role)
		byPort[c.Endpoint.LocalPort] = append(byPort[c.Endpoint.LocalPort], c)
	}
	for _, s := range servers {
		port := s.Endpoint.PeerPort
		require.NotEmpty(tb, byPort[port])
		c := byPort[port][0]
		byPort[port] = byPort[port][1:]
		require.Equal(tb, event.RoleServer, s.Endpoint.Role)
		require.LessOrEqual(tb, c.Start, s.Start)
		require.LessOrEqual(tb, s.FirstByte, c.FirstByte)
		require.Equal(tb, c.Path, s.Path)
		require.Equal(tb, c.Status, s.Status)
		require.Equal(tb, c.Endpoint.NetNS, s.Endpoint.NetNS)
	}
}

// TestKernelNginxUnix: the same over a Unix socket, on which bodies are sent out of
// files as well.
func TestKernelNginxUnix(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, _, socket := nginxAs(t, "127.0.0.1:1", false)
	client := request(t, &job{Addr: socket, Paths: nginxPaths[:7], Conns: 3, N: 70})
	want := client.outcomes(t)
	w.wait(t, len(want), server, client.pid())
	requireMatch(t, want, w.of(server), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	for _, s := range w.of(server) {
		require.Equal(t, s.Method == "GET" && s.Path == "/300k", s.Sent > 300<<10, "%+v", s)
	}
	w.requireLossless(t)
}

func TestKernelNginxPipelining(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, addr := nginx(t, "127.0.0.1:1")
	paths := []string{"GET /hello", "GET /1k", "HEAD /300k", "GET /none"}
	client := request(t, &job{Addr: addr, Paths: paths, Conns: 2, N: 320, Pipelined: 16})
	want := client.outcomes(t)
	w.wait(t, len(want), server, client.pid())
	requireMatch(t, want, w.of(server), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

func TestKernelNginxOldConnection(t *testing.T) {
	server, addr := nginx(t, "127.0.0.1:1")
	client := request(t, &job{Addr: addr, Paths: []string{"GET /hello", "GET /300k"}, Conns: 1, N: 20, Handshake: true})
	require.Equal(t, "ready", client.line(t))
	w := watch(t, bpf.Options{})
	_, err := client.in.Write([]byte("\n"))
	require.NoError(t, err)
	want := client.outcomes(t)[1:]
	w.wait(t, len(want), server, client.pid())
	requireMatch(t, want, w.of(server), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}
