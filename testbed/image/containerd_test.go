package image

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// containerd is a container runtime of the test's own: its data, state and
// socket lie in the test's folder, and it ends with the test.
type containerd struct {
	t      *testing.T
	socket string
}

// startContainerd skips the test where there is no container runtime.
func startContainerd(t *testing.T) *containerd {
	t.Helper()
	for _, program := range []string{"containerd", "ctr", "runc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	c := &containerd{t: t, socket: filepath.Join(dir, "s")}
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = %q
`, filepath.Join(dir, "root"), filepath.Join(dir, "state"), c.socket), 0o600))

	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	daemon := exec.Command("containerd", "-c", config)
	daemon.Stdout, daemon.Stderr = log, log
	require.NoError(t, daemon.Start())
	t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		_ = daemon.Wait()
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			for line := range strings.Lines(string(text)) {
				if !strings.Contains(line, "level=info") {
					t.Log(strings.TrimSpace(line))
				}
			}
		}
	})
	require.Eventually(t, func() bool {
		return exec.CommandContext(t.Context(), "ctr", "-a", c.socket, "version").Run() == nil
	}, 20*time.Second, 50*time.Millisecond, "containerd does not answer")
	return c
}

// ctr runs the client and returns what it wrote, errors included.
func (c *containerd) ctr(args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), "ctr", append([]string{"-a", c.socket, "-n", "sightglass-test"}, args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// must is ctr, and the test fails when the client does.
func (c *containerd) must(args ...string) string {
	c.t.Helper()
	out, err := c.ctr(args...)
	require.NoErrorf(c.t, err, "ctr %s: %s", strings.Join(args, " "), out)
	return out
}
