package endtoend

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// binaryEnv names the agent under test; 'make test' builds it and sets this.
const binaryEnv = "SIGHTGLASS_BINARY"

// patience is how long a test waits for what should take two seconds, on a
// machine that may be very busy, and how often it looks.
const patience, pollInterval = 90 * time.Second, 50 * time.Millisecond

// host is this machine with an agent on it.
type host struct {
	*backend
	t      *testing.T
	agent  *agent.Agent
	binary string
	server *sink.Server
}

// newHost starts the agent; it skips where that is not possible.
func newHost(t *testing.T, overlays ...string) *host {
	t.Helper()
	h := &host{backend: &backend{}, t: t, binary: agentBinary(t)}
	var err error
	h.server, err = sink.Start(t.Context(), sink.Consumers{Logs: h.logs, Traces: h.traces, Metrics: h.metrics})
	require.NoError(t, err)
	t.Cleanup(func() { h.server.Stop(t.Context()) })
	h.start(overlays...)
	return h
}

// agentBinary is the agent under test; without one the test is skipped.
func agentBinary(t *testing.T) string {
	t.Helper()
	binary := os.Getenv(binaryEnv)
	if binary == "" {
		t.Skipf("%s is not set: 'make test' builds the agent and sets it", binaryEnv)
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to load eBPF programs")
	}
	return binary
}

// start runs the agent until the test ends. Overlays are merged into its
// configuration.
func (h *host) start(overlays ...string) {
	h.t.Helper()
	config, err := os.ReadFile("config.yaml")
	require.NoError(h.t, err)
	h.agent, err = agent.Start(h.t.Context(), h.binary, config, h.server.Endpoint, overlays...)
	require.NoError(h.t, err)
	a := h.agent
	h.t.Cleanup(func() {
		if h.t.Failed() {
			h.t.Logf("the agent's log:\n%s", a.Log())
		}
		a.Kill()
	})
}

// wait polls until match accepts an item, and returns it.
func (h *host) wait(t *testing.T, s signal, what string, match func(*item) bool) *item {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollInterval) {
		if it := h.find(s, match); it != nil {
			return it
		}
	}
	t.Fatalf("%s did not arrive within %s; the back end has %v", what, patience, h.counts(s))
	return nil
}

// run runs a command to its end and returns its output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoErrorf(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

// needs skips a test where a program is missing.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// marker is a word that occurs nowhere else on this machine.
func marker() string { return fmt.Sprintf("sightglass-e2e-%016x", rand.Uint64()) }

// mentions tells whether an attribute's text holds word.
func mentions(it *item, attribute, word string) bool {
	return strings.Contains(fmt.Sprint(it.attrs[attribute]), word)
}

// startNginx serves an empty page on a port of its own and returns the address.
func startNginx(t *testing.T) string {
	t.Helper()
	needs(t, "nginx")
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	address := freeport.Address(t)
	config := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
daemon off;
user root;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
  access_log off;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  server {
    listen %[2]s;
    location / { return 200 "seen\n"; }
    location /fail { return 503; }
  }
}
`, dir, address), 0o600))
	cmd := exec.Command("nginx", "-e", filepath.Join(dir, "error.log"), "-c", config)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	waitForListener(t, address)
	return address
}

// waitForListener waits until a server accepts connections.
func waitForListener(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, patience, pollInterval, "nobody listens at %s", address)
}

// lookPath is where a program is.
func lookPath(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	require.NoError(t, err)
	return path
}

// rootfs is a folder that holds the programs and the libraries they load, for a
// container without an image.
func rootfs(t *testing.T, programs ...string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	for _, d := range []string{"bin", "sbin", "lib", "lib64"} { // as today's systems have it
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "usr", d), 0o755))
		require.NoError(t, os.Symlink("usr/"+d, filepath.Join(dir, d)))
	}
	for _, p := range programs {
		put(t, dir, p)
		for word := range strings.FieldsSeq(run(t, "ldd", p)) {
			if strings.HasPrefix(word, "/") {
				put(t, dir, word)
			}
		}
	}
	for _, d := range []string{"proc", "sys", "dev", "tmp", "etc", "run"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	return dir
}

// put copies a file of this machine to the same place below dir.
func put(t *testing.T, dir, file string) {
	t.Helper()
	in, err := os.Open(file)
	require.NoError(t, err)
	defer in.Close()
	to := filepath.Join(dir, file)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}
