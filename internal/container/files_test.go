package container

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// shimStatus is that of a process of root on the host.
const shimStatus = "Name:\tcontainerd-shim\nUid:\t0\t0\t0\t0\nNSpid:\t42\n"

// shim makes a process in the host's proc file system.
func (h *fakeHost) shim(pid int, cwd, root, status, cgroup string) {
	h.t.Helper()
	dir := "proc/" + strconv.Itoa(pid)
	h.write(dir+"/status", status)
	h.write(dir+"/cgroup", cgroup)
	require.NoError(h.t, os.Symlink(cwd, filepath.Join(h.root, dir, "cwd")))
	require.NoError(h.t, os.Symlink(root, filepath.Join(h.root, dir, "root")))
}

func TestStateFilesOfAnAttacker(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(file string) error
		want error
	}{
		"fifo":   {func(f string) error { return unix.Mkfifo(f, 0o600) }, errNotRegular},
		"device": {func(f string) error { return os.Symlink("/dev/zero", f) }, unix.ELOOP},
		"link":   {func(f string) error { return os.Symlink("real", f) }, unix.ELOOP},
		"folder": {func(f string) error { return os.Mkdir(f, 0o700) }, errNotRegular},
		"huge": {func(f string) error {
			if err := os.WriteFile(f, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(f, maxStateFile+1)
		}, errTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "real"), []byte("{}"), 0o600))
			file := filepath.Join(dir, "config.json")
			require.NoError(t, tt.make(file))
			_, err := readSpec(file)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestFIFOInABundleDoesNotStopTheResolver(t *testing.T) {
	h := newFakeHost(t)
	h.mkdir(criBundle)
	require.NoError(t, unix.Mkfifo(filepath.Join(h.root, criBundle, "config.json"), 0o600))
	r := h.resolver(0)
	r.Made(v2(7), "/kubepods/pod"+uid+"/"+id1)
	require.Empty(t, r.Lookup(v2(7), 0).Names.Name)
	require.Equal(t, 1, r.Stats().Entries)
}

func TestStatsDoNotWait(t *testing.T) {
	r := newFakeHost(t).resolver(0)
	r.Made(v2(7), "/a.service")
	r.mu.Lock() // a file is being read
	defer r.mu.Unlock()
	require.Equal(t, 1, r.Stats().Entries)
}

func TestForgedShims(t *testing.T) {
	const onHost = "0::/user.slice/a.scope\n"
	for name, tt := range map[string]struct{ status, cgroup string }{
		"a user's process":    {"Uid:\t4711\t4711\t4711\t4711\nNSpid:\t42\n", onHost},
		"set-user-id program": {"Uid:\t4711\t0\t0\t0\nNSpid:\t42\n", onHost},
		"another namespace":   {"Uid:\t0\t0\t0\t0\nNSpid:\t42\t7\n", onHost},
		"in a container":      {shimStatus, "0::/system.slice/docker-" + id1 + ".scope\n"},
		"in a pod":            {shimStatus, "4:memory:/\n0::/kubepods/pod" + uid + "/" + id1 + "\n"},
		"in containerd's own": {shimStatus, "0::/batch/deep/job\n"},
		"no user is told":     {"NSpid:\t42\n", onHost},
		"a strange status":    {"Uid:\t0\t0\t0\nNSpid:\t42\n", onHost},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHost(t)
			h.write("run/containerd/"+taskDir+"/default/job/config.json", `{"linux":{"cgroupsPath":"/batch/deep/job"}}`)
			h.mkdir("srv/own/" + taskDir + "/default/web")
			h.shim(42, filepath.Join(h.root, "srv/own", taskDir, "default/web"), "/", tt.status, tt.cgroup)
			r := h.resolver(0)
			r.Shim(42)
			require.Len(t, r.bundles.dirs, len(stateDirs))
		})
	}
}

func TestUntrustedTaskDirectories(t *testing.T) {
	tasks := "srv/own/" + taskDir
	for name, spoil := range map[string]func(t *testing.T, h *fakeHost){
		"written by all":        func(t *testing.T, h *fakeHost) { chmod(t, h, tasks, 0o777) },
		"sticky, last":          func(t *testing.T, h *fakeHost) { chmod(t, h, tasks, 0o777|os.ModeSticky) },
		"written by a group":    func(t *testing.T, h *fakeHost) { chmod(t, h, "srv", 0o775) },
		"somebody else's":       func(t *testing.T, h *fakeHost) { chown(t, h, tasks) },
		"below somebody else's": func(t *testing.T, h *fakeHost) { chown(t, h, "srv/own") },
		"by a link": func(t *testing.T, h *fakeHost) {
			t.Helper()
			require.NoError(t, os.Rename(filepath.Join(h.root, "srv/own"), filepath.Join(h.root, "srv/real")))
			require.NoError(t, os.Symlink("real", filepath.Join(h.root, "srv/own")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFakeHost(t)
			h.write(tasks+"/default/web/config.json", `{"linux":{"cgroupsPath":"/default/web"}}`)
			h.shim(42, filepath.Join(h.root, tasks, "default/web"), "/", shimStatus, "0::/\n")
			spoil(t, h)
			r := h.resolver(0)
			r.Shim(42)
			r.Made(v2(7), "/default/web")
			h.now = h.now.Add(time.Second)
			require.Equal(t, Host, r.Lookup(v2(7), 0).State)
			require.Len(t, r.bundles.dirs, len(stateDirs))
		})
	}
}

func TestTaskDirectoryInTheHostsView(t *testing.T) {
	h := newFakeHost(t)
	h.write("srv/"+taskDir+"/default/web/config.json", `{"linux":{"cgroupsPath":"/default/web"}}`)
	h.shim(42, "/srv/"+taskDir+"/default/web", h.root, shimStatus, "0::/\n")
	r := h.resolver(0)
	r.Shim(42)
	require.Equal(t, taskDirOf{path: filepath.Join(h.root, "srv", taskDir), fd: -1}, r.bundles.dirs[len(stateDirs)])
}

func chmod(t *testing.T, h *fakeHost, dir string, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.Chmod(filepath.Join(h.root, dir), mode))
}

func chown(t *testing.T, h *fakeHost, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to give files away")
	}
	require.NoError(t, os.Chown(filepath.Join(h.root, dir), 4711, 4711))
}
