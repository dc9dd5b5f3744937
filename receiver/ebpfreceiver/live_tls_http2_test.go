//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
)

// apacheTLS keeps what it writes in several calls of the library, and sends that at once.
const apacheTLS = `
ServerRoot /usr/lib/apache2
ServerName localhost
PidFile %[1]s/pid
ErrorLog /dev/null
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
LoadModule ssl_module modules/mod_ssl.so
LoadModule http2_module modules/mod_http2.so
Mutex pthread
Listen 127.0.0.1:%[2]d
Protocols h2 http/1.1
SSLEngine on
SSLCertificateFile %[1]s/cert.pem
SSLCertificateKeyFile %[1]s/key.pem
DocumentRoot /usr
AliasMatch ^/ok/ /etc/os-release
AliasMatch ^/large/ %[3]s
`

// startProgram runs a server until the test ends, and waits until it listens. Returns the
// file that encrypts for it: the end of OpenSSL's path, if it has that as a library, or its
// executable.
func startProgram(t *testing.T, port int, line ...string) (file string) {
	t.Helper()
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	waitForPort(t, port)
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", cmd.Process.Pid))
	require.NoError(t, err)
	if library := "/libssl.so.3"; strings.Contains(string(maps), library) { // Debian's Node.js
		return library
	}
	file, err = os.Readlink(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid))
	require.NoError(t, err)
	return file
}

// waitForPort waits until somebody listens.
func waitForPort(t *testing.T, port int) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, patience, pollInterval)
}

// startApache has Apache answer as nginxTLS does, in one process.
func startApache(t *testing.T) (url string) {
	t.Helper()
	needs(t, "apache2", "openssl", "curl")
	dir, port := t.TempDir(), freeport.Port(t)
	certificate(t, dir)
	curl, err := exec.LookPath("curl") // a large file that anybody may read
	require.NoError(t, err)
	config := filepath.Join(dir, "apache.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, apacheTLS, dir, port, curl), 0o600))
	startProgram(t, port, "apache2", "-X", "-f", config)
	return fmt.Sprintf("https://localhost:%d", port)
}

// askAtOnce asks over one connection, as many at a time as curl wants, and returns the
// answers by path.
func askAtOnce(t *testing.T, url, mark string, args ...string) map[string]int {
	t.Helper()
	line := append([]string{"-sk", "--parallel", "-w", "%{url} %{http_code}\n"}, args...)
	for _, path := range []string{"/ok/" + mark + "[1-12]", "/no/" + mark + "[1-4]", "/large/" + mark + "[1-3]"} {
		line = append(line, "-o", os.DevNull, url+path)
	}
	out, err := exec.Command("curl", line...).Output()
	require.NoError(t, err)
	all := map[string]int{}
	for answer := range strings.Lines(string(out)) {
		all[strings.TrimSpace(strings.TrimPrefix(answer, url))]++
	}
	require.Len(t, all, 12+4+3)
	return all
}

// clockSlack is how far this test's clock and that of spans may be apart, which follows it.
const clockSlack = 100 * time.Millisecond

// requireWithin requires that the spans with a mark are complete and began within an
// interval. When a call ended that sent an answer may be later: its thread may have had to
// wait since.
func (l *live) requireWithin(t *testing.T, mark string, from, to time.Time) {
	t.Helper()
	for _, batch := range l.traces.AllTraces() {
		for _, rs := range batch.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				where := valueOf(span.Attributes(), schema.URLPath) + valueOf(span.Attributes(), schema.URLFull)
				if !strings.Contains(where, mark) {
					continue
				}
				start, end := span.StartTimestamp().AsTime(), span.EndTimestamp().AsTime()
				require.False(t, start.Before(from.Add(-clockSlack)) || start.After(to.Add(clockSlack)), "%s %s", span.Kind(), where)
				require.False(t, end.Before(start), "%s %s", span.Kind(), where)
				require.Empty(t, valueOf(span.Attributes(), schema.RequestIncomplete), "%s %s", span.Kind(), where)
			}
		}
	}
}

// testAtOnce compares the spans of both sides with what curl got; hops is how many
// connections each request takes.
func (l *live) testAtOnce(t *testing.T, url string, hops int, args ...string) {
	t.Helper()
	mark := marker(t) + "/" // no test's mark begins with another's
	from := time.Now()
	want := askAtOnce(t, url, mark, args...)
	to := time.Now()
	for answer := range want {
		want[answer] = hops
	}
	l.requireTold(t, want, mark)
	l.requireWithin(t, mark, from, to)
}

// TestLiveTLSOfApache asks a server that sends what several calls of the library have
// written at once.
func TestLiveTLSOfApache(t *testing.T) {
	l := newTLSLive(t, nil)
	url := startApache(t)
	for name, args := range map[string][]string{
		"HTTP 2":          {"--http2"},
		"HTTP 2, TLS 1.2": {"--http2", "--tls-max", "1.2"},
		"HTTP 1.1":        {"--http1.1"},
	} {
		t.Run(name, func(t *testing.T) { l.testAtOnce(t, url, 1, args...) })
	}
}

const haproxyTLS = `
defaults
	mode http
	timeout connect 30s
	timeout client 60s
	timeout server 60s
listen front
	bind 127.0.0.1:%d ssl crt %s alpn h2
	server behind %s ssl verify none alpn h2
`

// TestLiveTLSOfProxies asks by HTTP/2 through proxies that do the same.
func TestLiveTLSOfProxies(t *testing.T) {
	l := newTLSLive(t, nil)
	nginx := startNginx(t)
	behind := strings.Replace(strings.TrimPrefix(nginx.url, "https://"), "localhost", "127.0.0.1", 1)
	for name, line := range map[string]func(dir string, port int) []string{
		"haproxy": func(dir string, port int) []string {
			both, config := filepath.Join(dir, "both.pem"), filepath.Join(dir, "haproxy.cfg")
			var pem []byte
			for _, part := range []string{"cert.pem", "key.pem"} {
				content, err := os.ReadFile(filepath.Join(dir, part))
				require.NoError(t, err)
				pem = append(pem, content...)
			}
			require.NoError(t, os.WriteFile(both, pem, 0o600))
			require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, haproxyTLS, port, both, behind), 0o600))
			return []string{"haproxy", "-f", config}
		},
		"nghttpx": func(dir string, port int) []string {
			return []string{
				"nghttpx", "--conf=/dev/null", "--workers=1", "--single-process", "--errorlog-file=/dev/null", "--no-ocsp",
				fmt.Sprintf("--frontend=127.0.0.1,%d", port), "--backend=" + strings.Replace(behind, ":", ",", 1) + ";;proto=h2;tls", "--insecure",
				filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem"),
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			needs(t, name)
			dir, port := t.TempDir(), freeport.Port(t)
			certificate(t, dir)
			startProgram(t, port, line(dir, port)...)
			l.testAtOnce(t, fmt.Sprintf("https://localhost:%d", port), 2, "--http2")
		})
	}
}

const jsHTTP2Server = `
const http2 = require("http2"), fs = require("fs"), [dir, port] = process.argv.slice(2);
http2.createSecureServer({ key: fs.readFileSync(dir + "/key.pem"), cert: fs.readFileSync(dir + "/cert.pem") }, (q, s) => {
	s.writeHead(q.url.startsWith("/no/") ? 404 : 200); s.end(q.url.startsWith("/large/") ? "z".repeat(300 << 10) : "hello");
}).listen(+port, "127.0.0.1");
`

// TestLiveTLSOfNodeHTTP2 asks Node.js for many streams of a connection.
func TestLiveTLSOfNodeHTTP2(t *testing.T) {
	needs(t, "node", "curl", "openssl")
	l := newTLSLive(t, nil)
	dir, port := t.TempDir(), freeport.Port(t)
	certificate(t, dir)
	script := filepath.Join(dir, "server.js")
	require.NoError(t, os.WriteFile(script, []byte(jsHTTP2Server), 0o600))
	l.requireFollowed(t, startProgram(t, port, "node", script, dir, strconv.Itoa(port)))
	l.testAtOnce(t, fmt.Sprintf("https://localhost:%d", port), 1, "--http2")
}
