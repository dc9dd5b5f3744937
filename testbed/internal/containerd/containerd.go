// Package containerd runs a container runtime of a test's own.
package containerd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// namespace is containerd's namespace that everything runs in, and the cgroup
// above all containers; no other test has the same.
func namespace() string { return "sightglass-testbed-" + strconv.Itoa(os.Getpid()) }

// Daemon is a containerd whose data, state and socket lie in the test's folder;
// it ends with the test.
type Daemon struct {
	t      *testing.T
	socket string
}

// Start skips the test where there is no container runtime.
func Start(t *testing.T) *Daemon {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to run containers")
	}
	for _, program := range []string{"containerd", "ctr", "runc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.toml")
	c := &Daemon{t: t, socket: filepath.Join(dir, "s")}
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
		removeCgroups()
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
	}, 90*time.Second, 50*time.Millisecond, "containerd does not answer")
	return c
}

// Flags are those by which ctr finds this containerd.
func (c *Daemon) Flags() []string { return []string{"-a", c.socket, "-n", namespace()} }

// Ctr runs the client and returns what it wrote, errors included.
func (c *Daemon) Ctr(args ...string) (string, error) {
	ctx := context.WithoutCancel(c.t.Context()) // whoever cleans up needs it, too
	cmd := exec.CommandContext(ctx, "ctr", append(c.Flags(), args...)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// Must is Ctr, and the test fails when the client does.
func (c *Daemon) Must(args ...string) string {
	c.t.Helper()
	out, err := c.Ctr(args...)
	require.NoErrorf(c.t, err, "ctr %s: %s", strings.Join(args, " "), out)
	return out
}

// removeCgroups removes what runc leaves of the namespace in every tree.
func removeCgroups() {
	for _, pattern := range []string{"/sys/fs/cgroup/" + namespace(), "/sys/fs/cgroup/*/" + namespace()} {
		dirs, _ := filepath.Glob(pattern)
		for _, dir := range dirs {
			_ = os.Remove(dir)
		}
	}
}
