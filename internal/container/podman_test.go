package container

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRealPodman runs a container by podman, whose own storage the resolver
// reads.
func TestRealPodman(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to run containers")
	}
	for _, tool := range []string{"podman", "runc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
	rootfs := t.TempDir()
	copySelf(t, filepath.Join(rootfs, "test"))
	conf := filepath.Join(t.TempDir(), "containers.conf")
	limits := "[containers]\ndefault_ulimits = [\"nofile=20000:20000\", \"nproc=20000:20000\"]\n"
	require.NoError(t, os.WriteFile(conf, []byte(limits), 0o600))
	podman := func(args ...string) (string, error) {
		cmd := exec.Command("podman", append([]string{"--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs"}, args...)...)
		cmd.Env = append(os.Environ(), "CONTAINERS_CONF="+conf)
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	const name = "sightglass-test-web"
	t.Cleanup(func() { _, _ = podman("rm", "-f", "-t", "0", name) })
	out, err := podman("run", "-d", "--name", name, "--network", "host", "--security-opt", "seccomp=unconfined",
		"--env", sleepEnv+"=1", "--rootfs", rootfs, "/test")
	if err != nil {
		t.Skipf("podman cannot run containers here: %s", out)
	}
	text, err := podman("inspect", "-f", "{{.Id}} {{.State.Pid}}", name)
	require.NoError(t, err)
	id, pidText, _ := strings.Cut(text, " ")
	pid, err := strconv.ParseUint(pidText, 10, 32)
	require.NoError(t, err)

	r := NewResolver(Options{})
	r.Seed()
	h, ok := r.trees[0]
	require.True(t, ok)
	path, _ := h.pathOf("/proc", uint32(pid), 0)
	ino, ok := inode(filepath.Join(h.mount, path))
	require.True(t, ok)
	info := r.Lookup(CgroupID{ID: ino}, uint32(pid))
	require.Equal(t, Container, info.State)
	require.Equal(t, Ref{ContainerID: id, Runtime: RuntimePodman}, info.Ref)
	require.Equal(t, name, info.Names.Name)
}

// copySelf copies the test's binary, which is static.
func copySelf(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	in, err := os.Open(self)
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}
