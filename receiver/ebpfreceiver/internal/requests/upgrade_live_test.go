//go:build linux && (amd64 || arm64)

package requests_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// apacheConfig serves a folder, over HTTP/2 as well: a folder for files of its
// own, the port and the folder.
const apacheConfig = `
ServerName localhost
ServerRoot /usr/lib/apache2
PidFile %[1]s/pid
ErrorLog /dev/null
User nobody
Group nogroup
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule http2_module modules/mod_http2.so
Mutex pthread
StartServers 1
ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
Listen 127.0.0.1:%[2]s
Protocols h2c http/1.1
DocumentRoot %[3]s
`

// TestKernelUpgrade follows connections that begin in HTTP/1.1 and go on in
// HTTP/2, as curl and Java's client ask for: the first request is asked in the one
// and answered in the other.
func TestKernelUpgrade(t *testing.T) {
	root := folder(t, map[string]int{"small": 10, "medium": 3000})
	for name, tt := range map[string]struct {
		args func(t *testing.T, port string) []string
		curl [][]string // paths by connection; some versions fail at a large first response, and at Apache's second one
		java bool       // its client makes requests, too; Apache ends its connections
	}{
		"nghttpx": {func(t *testing.T, port string) []string {
			t.Helper()
			_, behind := serve(t, "127.0.0.1:0")
			_, plain := nginx(t, behind)
			return []string{
				find(t, "nghttpx"), "--conf=/dev/null", "--workers=1", "--single-process", "--errorlog-file=/dev/null",
				"--frontend=127.0.0.1," + port + ";no-tls", "--backend=" + strings.Replace(plain, ":", ",", 1),
			}
		}, [][]string{{"/hello"}, {"/1k"}, {"/missing"}, {"/hello", "/1k", "/missing", "/hello"}}, true},
		"Apache": {func(t *testing.T, port string) []string {
			t.Helper()
			conf := filepath.Join(t.TempDir(), "apache.conf")
			require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, apacheConfig, t.TempDir(), port, root), 0o600))
			return []string{find(t, "apache2"), "-X", "-f", conf}
		}, [][]string{{"/small"}, {"/medium"}, {"/missing"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, bpf.Options{})
			server := serveData(t, nil, func(port string) []string { return tt.args(t, port) }, nil)
			var want []outcome
			var clients []uint32
			for _, paths := range tt.curl {
				pid, told := upgrade(t, server.addr, paths)
				want, clients = append(want, told...), append(clients, pid)
			}
			if tt.java {
				client := program(t, []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "Client.java", "HTTP_2"},
					server.addr, "100", "GET /hello", "GET /1k", "GET /none")
				told := client.outcomes(t)
				sinceBoot(told)
				want, clients = append(want, told...), append(clients, client.pid())
			}
			asked := func() (all []seen) {
				for _, pid := range clients {
					all = append(all, w.of(pid)...)
				}
				return all
			}
			require.Eventually(t, func() bool {
				return len(w.at(server.port, event.RoleServer)) >= len(want) && len(asked()) >= len(want)
			}, patience, pollInterval)
			requireMatch(t, want, w.at(server.port, event.RoleServer), event.RoleServer)
			requireMatch(t, want, asked(), event.RoleClient)
			w.requireLossless(t)
		})
	}
}

// folder makes files of some sizes, which anybody may read.
func folder(t *testing.T, files map[string]int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "files") //nolint:usetesting // those of tests are for this user only
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // as said
	for name, size := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o644)) //nolint:gosec // as said
	}
	return dir
}

// upgrade has curl ask for paths over one connection, and for the upgrade of it.
func upgrade(t *testing.T, addr string, paths []string) (pid uint32, told []outcome) {
	t.Helper()
	args := []string{"-s", "--http2", "-w", `%{stderr}%{method} %{http_code} %{http_version}\n`}
	for _, path := range paths {
		args = append(args, "-o", "/dev/null", "http://"+addr+path)
	}
	cmd := exec.CommandContext(t.Context(), find(t, "curl"), args...)
	var text strings.Builder
	cmd.Stderr = &text
	start := bootNow()
	require.NoError(t, cmd.Run(), text.String())
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	require.Len(t, lines, len(paths))
	for i, line := range lines {
		o := outcome{Path: paths[i], Start: start, End: bootNow()}
		var version string
		_, err := fmt.Sscan(line, &o.Method, &o.Status, &version)
		require.NoError(t, err, line)
		require.Equal(t, "2", version, text.String())
		told = append(told, o)
	}
	return uint32(cmd.Process.Pid), told
}
