package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/containerd"
)

// sealedNginx serves with TLS inside a container, and notes what it was asked and
// how it answered. nginx ends with its container, and starts again when it ends.
const sealedNginx = `
daemon off; master_process off; user root; pid /tmp/nginx.pid; error_log /tmp/error.log crit;
events {}
http {
  log_format asked '$request_uri $status'; access_log /tmp/access.log asked; default_type text/plain;
  client_body_temp_path /tmp/b; proxy_temp_path /tmp/p; fastcgi_temp_path /tmp/f; scgi_temp_path /tmp/s; uwsgi_temp_path /tmp/u;
  server {
    listen %s ssl http2; server_name localhost; ssl_certificate /etc/cert.pem; ssl_certificate_key /etc/key.pem;
    location /ok/ { return 200 "hello\n"; }
    location / { return 404; }
  }
}
`

// sealed is a server and a client in containers of their own, each with a TLS
// library of its own.
type sealed struct {
	*host
	daemon          *containerd.Daemon
	server, client  string // ids
	roots           [2]string
	address, libssl string // libssl is a path in a container
	execs           int    // of the client
}

// TestContainersWithTLS compares the spans of both sides of what containers tell
// each other with what the server was asked. Later the library is replaced, as a
// package manager does, and the programs start again.
func TestContainersWithTLS(t *testing.T) {
	needs(t, "nginx", "curl", "ldd", "openssl")
	s := startSealed(t, newHost(t))
	t.Run("HTTP 1.1", func(t *testing.T) { s.compare(t, "--http1.1") })
	t.Run("HTTP 2", func(t *testing.T) { s.compare(t, "--http2") })
	t.Run("upgraded", func(t *testing.T) {
		s.upgrade(t)
		s.compare(t, "--http1.1")
		s.compare(t, "--http2")
	})
}

func startSealed(t *testing.T, h *host) *sealed {
	t.Helper()
	s := &sealed{host: h, daemon: containerd.Start(t), address: freeport.Address(t), server: marker(), client: marker()}
	nginx, curl := lookPath(t, "nginx"), lookPath(t, "curl")
	s.roots = [2]string{rootfs(t, "/bin/sh", "/bin/sleep", nginx), rootfs(t, "/bin/sleep", curl)}
	s.libssl = libraryOf(t, curl, "libssl.so")
	run(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-keyout", filepath.Join(s.roots[0], "etc/key.pem"), "-out", filepath.Join(s.roots[0], "etc/cert.pem"))
	write := func(file, text string) {
		at := filepath.Join(s.roots[0], file)
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
	}
	write("etc/nginx.conf", fmt.Sprintf(sealedNginx, s.address))
	write("etc/passwd", "root:x:0:0::/:/bin/sh\n")
	write("etc/group", "root:x:0:\n")
	write("var/log/nginx/error.log", "")
	write("var/lib/nginx/.keep", "")
	s.daemon.Must("run", "-d", "--net-host", "--rootfs", s.roots[0], s.server, "/bin/sh", "-c", "while :; do "+nginx+" -c /etc/nginx.conf; done")
	s.daemon.Must("run", "-d", "--net-host", "--rootfs", s.roots[1], s.client, "/bin/sleep", "1d")
	t.Cleanup(func() {
		for _, id := range []string{s.server, s.client} {
			_, _ = s.daemon.Ctr("task", "kill", "-s", "KILL", id)
			_, _ = s.daemon.Ctr("task", "rm", "-f", id)
			_, _ = s.daemon.Ctr("container", "rm", id)
		}
	})
	waitForListener(t, s.address)
	return s
}

// compare asks for several things, and requires what the server has noted from the
// spans of either side.
func (s *sealed) compare(t *testing.T, version string) {
	t.Helper()
	s.warm(t, version)
	word := marker()
	s.ask(t, version, "/ok/"+word+"/[1-5]", "/missing/"+word+"/[6-7]")
	want := s.asked(t, word)
	require.Len(t, want, 7)
	for kind, id := range map[string]string{"Server": s.server, "Client": s.client} {
		mine := func(it *item) bool {
			return it.kind == kind && (mentions(it, schema.URLPath, word) || mentions(it, schema.URLFull, word))
		}
		require.Eventually(t, func() bool { return len(s.all(spans, mine)) >= len(want) }, patience, 4*pollInterval,
			"%s spans are missing: %v", kind, s.counts(spans))
		got := map[string]int{}
		for _, it := range s.all(spans, mine) {
			_, path, _ := strings.Cut(fmt.Sprint(it.attrs[schema.URLPath], it.attrs[schema.URLFull]), s.address)
			if kind == "Server" {
				path = fmt.Sprint(it.attrs[schema.URLPath])
			}
			got[fmt.Sprint(path, " ", it.attrs[schema.HTTPResponseStatusCode])]++
			require.Equal(t, id, it.resource[schema.ContainerID], it.String())
		}
		require.Equal(t, want, got, kind)
	}
}

// warm asks until both sides are followed: the first connection of the first
// program with a library may be over before that is found.
func (s *sealed) warm(t *testing.T, version string) {
	t.Helper()
	word := marker()
	require.Eventually(t, func() bool {
		s.ask(t, version, "/ok/"+word)
		followed := func(kind string) bool {
			return s.find(spans, func(it *item) bool {
				return it.kind == kind && (mentions(it, schema.URLPath, word) || mentions(it, schema.URLFull, word))
			}) != nil
		}
		time.Sleep(10 * pollInterval)
		return followed("Server") && followed("Client")
	}, patience, time.Millisecond, "the containers are not followed")
}

// ask has the client ask, in a process of its own.
func (s *sealed) ask(t *testing.T, version string, paths ...string) {
	t.Helper()
	s.execs++
	args := []string{"task", "exec", "--exec-id", fmt.Sprint("ask", s.execs), s.client, lookPath(t, "curl"), "-sk", version}
	for _, path := range paths {
		args = append(args, "-o", "/dev/null", "https://"+s.address+path)
	}
	s.daemon.Must(args...)
}

// asked is what the server has noted, and how often.
func (s *sealed) asked(t *testing.T, word string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.roots[0], "tmp/access.log"))
	require.NoError(t, err)
	all := map[string]int{}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, word) {
			all[strings.TrimSpace(line)]++
		}
	}
	return all
}

// upgrade puts other files in the place of both libraries, and has the server
// start again; each client is a new process anyway.
func (s *sealed) upgrade(t *testing.T) {
	t.Helper()
	for _, root := range s.roots {
		at := filepath.Join(root, s.libssl)
		content, err := os.ReadFile(at)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(at+".dpkg-new", content, 0o755))
		require.NoError(t, os.Rename(at+".dpkg-new", at))
	}
	pid := func() string {
		text, err := os.ReadFile(filepath.Join(s.roots[0], "tmp/nginx.pid"))
		require.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	before := pid()
	s.daemon.Must("task", "exec", "--exec-id", "quit", s.server, lookPath(t, "nginx"), "-c", "/etc/nginx.conf", "-s", "quit")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(s.roots[0], "tmp/nginx.pid"))
		return err == nil && len(text) > 0 && strings.TrimSpace(string(text)) != before
	}, patience, pollInterval, "nginx does not start again")
	waitForListener(t, s.address)
}

// libraryOf is the path of one that a program loads.
func libraryOf(t *testing.T, program, name string) string {
	t.Helper()
	for word := range strings.FieldsSeq(run(t, "ldd", program)) {
		if strings.HasPrefix(word, "/") && strings.HasPrefix(filepath.Base(word), name) {
			return word
		}
	}
	t.Skipf("%s does not use %s", program, name)
	return ""
}
