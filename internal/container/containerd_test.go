package container

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

// sleepEnv makes the test binary sleep: it is the container's only program.
const sleepEnv = "SIGHTGLASS_TEST_SLEEP"

func TestMain(m *testing.M) {
	if os.Getenv(sleepEnv) != "" {
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

// TestRealContainerd runs containers as plain containerd names them and as a
// kubelet would place them, and resolves them by the real cgroup trees.
func TestRealContainerd(t *testing.T) {
	ctr := startContainerd(t)
	podPath := "/sightglass-test/kubepods/burstable/pod" + uid + "/" + id1
	webPID := ctr.run(t, "web")
	podPID := ctr.run(t, id1, "--cgroup", podPath)

	r := NewResolver(Options{})
	for _, pid := range shims(t) {
		r.Shim(pid)
	}
	r.Seed()

	for _, tt := range []struct {
		pid  uint32
		path string
		want Ref
	}{
		{webPID, "/default/web", Ref{ContainerID: "web", Namespace: "default", Runtime: RuntimeContainerd}},
		{podPID, podPath, Ref{ContainerID: id1, PodUID: uid, Runtime: RuntimeContainerd}},
	} {
		for _, h := range r.trees {
			ino, ok := inode(filepath.Join(h.mount, tt.path))
			if !ok {
				continue // this runtime does not use the tree
			}
			id := CgroupID{Hierarchy: h.id, ID: ino}
			info := r.Lookup(id, 0)
			require.Equal(t, Container, info.State, "%+v", id)
			require.Equal(t, tt.path, info.Path)
			require.Equal(t, tt.want, info.Ref)

			// By the process alone, as when the event was lost.
			bare := NewResolver(Options{})
			bare.Seed()
			delete(bare.entries, id)
			require.Equal(t, tt.path, bare.Lookup(id, tt.pid).Path)
		}
	}
	require.Equal(t, "web", r.resolve("/default/web").Names.Name)
}

func TestSelfIsOnTheHost(t *testing.T) {
	r := NewResolver(Options{})
	r.Seed()
	h, ok := r.trees[0]
	if !ok {
		t.Skip("no cgroup v2 tree mounted")
	}
	path, ok := h.pathOf("/proc", uint32(os.Getpid()), 0)
	if !ok {
		ino, found := inode(filepath.Join(h.mount, path))
		require.True(t, found)
		require.NotEqual(t, Unresolved, r.Lookup(CgroupID{ID: ino}, uint32(os.Getpid())).State)
	}
}

type containerd struct {
	socket, rootfs string
}

// startContainerd runs a containerd of the test's own, with all its state below
// a temporary directory.
func startContainerd(t *testing.T) *containerd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to run containers")
	}
	for _, tool := range []string{"containerd", "ctr", "runc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
	dir, err := os.MkdirTemp("", "sg") // short: it holds a socket
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
		removeCgroups("sightglass-test", "default")
	})
	c := &containerd{socket: dir + "/c.sock", rootfs: dir + "/rootfs"}
	require.Eventually(t, func() bool { return c.ctr("version").Run() == nil }, 30*time.Second, 50*time.Millisecond)
	c.makeRootfs(t)
	return c
}

func (c *containerd) ctr(args ...string) *exec.Cmd {
	return exec.Command("ctr", append([]string{"-a", c.socket}, args...)...)
}

// makeRootfs puts the test binary, which is static, into an empty directory.
func (c *containerd) makeRootfs(t *testing.T) {
	t.Helper()
	for _, d := range []string{"proc", "sys", "dev", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(c.rootfs, d), 0o755))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	in, err := os.Open(self)
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(filepath.Join(c.rootfs, "sleep"), os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// run starts a container and returns the pid of its first process.
func (c *containerd) run(t *testing.T, id string, options ...string) uint32 {
	t.Helper()
	args := append([]string{"run", "-d", "--rootfs", "--env", sleepEnv + "=1"}, options...)
	out, err := c.ctr(append(args, c.rootfs, id, "/sleep")...).CombinedOutput()
	require.NoError(t, err, string(out))
	t.Cleanup(func() {
		_ = c.ctr("task", "kill", "-s", "KILL", id).Run()
		_ = c.ctr("task", "rm", "-f", id).Run()
		_ = c.ctr("container", "rm", id).Run()
	})
	list, err := c.ctr("task", "ls").Output()
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
	for _, tree := range children("/sys/fs/cgroup") {
		for _, name := range names {
			var dirs []string
			_ = filepath.WalkDir(filepath.Join("/sys/fs/cgroup", tree, name), func(p string, d fs.DirEntry, err error) error {
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

func shims(t *testing.T) []uint32 {
	t.Helper()
	var out []uint32
	for _, d := range children("/proc") {
		pid, err := strconv.ParseUint(d, 10, 32)
		if err != nil {
			continue
		}
		if comm, _ := os.ReadFile("/proc/" + d + "/comm"); strings.HasPrefix(string(comm), "containerd-shim") {
			out = append(out, uint32(pid))
		}
	}
	return out
}
