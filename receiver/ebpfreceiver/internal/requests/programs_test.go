//go:build linux && (amd64 || arm64)

package requests_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

var programPaths = []string{
	"GET /status/200", "GET /status/404", "GET /bytes/100", "GET /bytes/40000", "POST /upload 10", "POST /upload 50000",
	"GET /status/204", "GET /chunks/3", "HEAD /bytes/1234", "DELETE /status/503",
}

// Servers and clients in other languages, whose libraries write, read and keep
// connections each in a way of its own.
func TestKernelPrograms(t *testing.T) {
	java := []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}
	for name, run := range map[string]struct{ server, client []string }{
		"Node.js":                   {[]string{"node", "server.js"}, []string{"node", "client.js"}},
		"Python":                    {[]string{"python3", "server.py"}, []string{"python3", "client.py"}},
		"Java":                      {append(java, "Server.java"), append(java, "Client.java", "HTTP_1_1")},
		"Java, offering an upgrade": {append(java, "Server.java"), append(java, "Client.java", "HTTP_2")},
	} {
		t.Run(name, func(t *testing.T) {
			server := program(t, run.server)
			at := server.line(t)
			w := watch(t, bpf.Options{})
			const n = 200
			client := program(t, run.client, append([]string{at, strconv.Itoa(n)}, programPaths...)...)
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

// program starts one of testdata/programs with its interpreter; the test is
// skipped where that is not installed.
func program(t *testing.T, line []string, args ...string) *child {
	t.Helper()
	find(t, line[0])
	full := make([]string, 0, len(line)+len(args))
	for _, word := range line {
		if path := filepath.Join("testdata", "programs", word); exists(path) {
			word = path
		}
		full = append(full, word)
	}
	return spawn(t, nil, append(full, args...)...)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sinceBoot turns monotonic times, all that most languages offer, into times
// since boot, as the kernel programs tell them.
func sinceBoot(all []outcome) {
	suspended := ^uint64(0)
	for range 100 { // the closest pair of readings tells
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			panic(err)
		}
		suspended = min(suspended, bootNow()-uint64(ts.Nano()))
	}
	for i := range all {
		all[i].Start += suspended
		all[i].End += suspended
	}
}

// haproxyConfig forwards to one server: its port, how it encrypts, and the address
// of the server.
const haproxyConfig = `
global
	maxconn 256
defaults
	mode http
	timeout connect 5s
	timeout client 10s
	timeout server 10s
	http-reuse always
	option splice-request
	option splice-response
frontend front
	bind 127.0.0.1:%s%s
	default_backend back
backend back
	server web %s
`

// TestKernelHAProxy follows requests over two proxies: client, haproxy, nginx, and a
// server behind.
func TestKernelHAProxy(t *testing.T) { bothWays(t, testHAProxy) }

func testHAProxy(t *testing.T, secure bool) {
	exe := find(t, "haproxy")
	w := watchAs(t, secure)
	upstream, behind := serve(t, "127.0.0.1:0")
	web, at := nginx(t, behind)
	dir, ssl := t.TempDir(), ""
	if secure {
		cert, key := certificate(t, dir, os.Getuid(), os.Getgid())
		require.NoError(t, os.Rename(key, cert+".key"))
		ssl = " ssl crt " + cert
	}
	conf := filepath.Join(dir, "haproxy.cfg")
	front := serveData(t, nil, func(port string) []string {
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, haproxyConfig, port, ssl, at), 0o600))
		return []string{exe, "-db", "-q", "-f", conf}
	}, nil)
	client := request(t, &job{Addr: front.addr, TLS: secure, Paths: nginxPaths, Conns: 3, N: 10 * len(nginxPaths)})
	want := client.outcomes(t)
	w.wait(t, len(want), client.pid())
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.wait(t, 2*len(want), front.pid)
	served, asked := w.sides(front.pid)
	requireMatch(t, want, served, event.RoleServer)
	atWeb, behindWeb := w.sides(web)
	requireJoined(t, asked, atWeb)
	w.wait(t, len(behindWeb), upstream.pid())
	require.NotEmpty(t, behindWeb)
	requireJoined(t, behindWeb, w.of(upstream.pid()))
	w.requireEncrypted(t, front.port, secure)
	w.requireLossless(t)
}

// sides returns what a process served, and what it asked for.
func (w *watcher) sides(tgid uint32) (served, asked []seen) {
	for _, s := range w.of(tgid) {
		if s.Endpoint.Role == event.RoleServer {
			served = append(served, s)
		} else {
			asked = append(asked, s)
		}
	}
	return served, asked
}
