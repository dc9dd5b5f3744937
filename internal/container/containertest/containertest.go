// Package containertest runs real containers for tests: a containerd of the
// test's own, whose containers hold nothing but the test's binary.
package containertest

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Binary is where containers have the test's binary.
const Binary = "/test"

// CgroupRoot is the first segment of cgroups that tests choose themselves: what
// is empty below it is removed in the end.
const CgroupRoot = "sightglass-test"

// Containerd is a running containerd.
type Containerd struct {
	socket, rootfs string
}

// Start runs a containerd with all its state below a temporary directory, until
// the test ends. The test is skipped where that cannot be.
func Start(t *testing.T) *Containerd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to run containers")
	}
	for _, tool := range []string{"containerd", "ctr", "runc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
	dir, err := os.MkdirTemp("", "sg") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := "version = 2\nroot = \"" + dir + "/data\"\nstate = \"" + dir + "/state\"\n" +
		"disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = \"" + dir + "/c.sock\"\n"
	require.NoError(t, os.WriteFile(dir+"/config.toml", []byte(config), 0o600))

	daemon := exec.Command("containerd", "-c", dir+"/config.toml")
	log, err := os.Create(dir + "/log")
	require.NoError(t, err)
	daemon.Stdout, daemon.Stderr = log, log
	require.NoError(t, daemon.Start())
	t.Cleanup(func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
		_ = log.Close()
		removeCgroups(CgroupRoot, "default")
	})
	c := &Containerd{socket: dir + "/c.sock", rootfs: dir + "/rootfs"}
	require.Eventually(t, func() bool { return c.Ctr("version").Run() == nil }, 30*time.Second, 50*time.Millisecond)
	c.makeRootfs(t)
	return c
}

// Ctr is a ctr command that talks to this containerd.
func (c *Containerd) Ctr(args ...string) *exec.Cmd {
	return exec.Command("ctr", append([]string{"-a", c.socket}, args...)...)
}

// makeRootfs puts the test binary, which is static, into an empty directory.
func (c *Containerd) makeRootfs(t *testing.T) {
	t.Helper()
	for _, d := range []string{"proc", "sys", "dev", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(c.rootfs, d), 0o755))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	in, err := os.Open(self)
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(filepath.Join(c.rootfs, Binary), os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// Run starts a container that runs the test's binary with the given environment
// and returns the pid of its first process. options are ctr's.
func (c *Containerd) Run(t *testing.T, id, env string, options ...string) uint32 {
	t.Helper()
	args := append([]string{"run", "-d", "--rootfs", "--env", env}, options...)
	out, err := c.Ctr(append(args, c.rootfs, id, Binary)...).CombinedOutput()
	require.NoError(t, err, string(out))
	t.Cleanup(func() {
		_ = c.Ctr("task", "kill", "-s", "KILL", id).Run()
		_ = c.Ctr("task", "rm", "-f", id).Run()
		_ = c.Ctr("container", "rm", id).Run()
	})
	list, err := c.Ctr("task", "ls").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(list)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == id {
			pid, err := strconv.ParseUint(f[1], 10, 32)
			require.NoError(t, err)
			return uint32(pid)
		}
	}
	require.Fail(t, "no such task", "%s in %s", id, list)
	return 0
}

// removeCgroups removes the empty parents that runc leaves in every hierarchy.
func removeCgroups(names ...string) {
	trees, _ := filepath.Glob("/sys/fs/cgroup/*")
	for _, tree := range append(trees, "/sys/fs/cgroup") {
		for _, name := range names {
			var dirs []string
			_ = filepath.WalkDir(filepath.Join(tree, name), func(p string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() {
					dirs = append(dirs, p)
				}
				return nil
			})
			for _, d := range slices.Backward(dirs) {
				_ = os.Remove(d) // fails when somebody uses it, as it should
			}
		}
	}
}
