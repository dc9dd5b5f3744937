package bpf

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// cgroupRoots are where the version 2 hierarchy and the memory hierarchy of
// version 1 may be mounted.
func cgroupRoots(t *testing.T) (v2, memory string) {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var st unix.Statfs_t
		if unix.Statfs(dir, &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
			v2 = dir
			break
		}
	}
	var st unix.Statfs_t
	if unix.Statfs("/sys/fs/cgroup/memory", &st) == nil && st.Type == unix.CGROUP_SUPER_MAGIC {
		memory = "/sys/fs/cgroup/memory"
	}
	return v2, memory
}

// makeCgroup makes a group and removes it at the end of the test.
func makeCgroup(t *testing.T, root, name string) (dir string, id uint64) {
	t.Helper()
	dir = filepath.Join(root, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skip("no group can be made here:", err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	st, err := os.Stat(dir)
	require.NoError(t, err)
	return dir, st.Sys().(*syscall.Stat_t).Ino
}

func TestCgroupComesAndGoes(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		v2, _ := cgroupRoots(t)
		if v2 == "" {
			t.Skip("no version 2 hierarchy is mounted")
		}
		dir, id := makeCgroup(t, v2, "sightglass-test-life")
		require.NoError(t, os.Remove(dir))
		for _, typ := range []event.Type{event.TypeCgroupMkdir, event.TypeCgroupRmdir} {
			await(t, a, "group", func(ev *event.Event) bool {
				if ev.Type != typ || ev.Cgroup.ID != id {
					return false
				}
				assert.Equal(t, event.Cgroup{ID: id, Level: 1, Path: []byte("/sightglass-test-life")}, ev.Cgroup)
				assert.Equal(t, a.Self(), ev.Key.TGID)
				return true
			})
		}
	})
}

// TestTaskCgroup: a process has the id of its group in the version 2 hierarchy,
// and that of the version 1 memory hierarchy where it is in the root of the
// former.
func TestTaskCgroup(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		v2, memory := cgroupRoots(t)
		t.Run("v2", func(t *testing.T) {
			if v2 == "" {
				t.Skip("no version 2 hierarchy is mounted")
			}
			execInCgroup(t, a, v2, false)
		})
		t.Run("v1", func(t *testing.T) {
			if memory == "" {
				t.Skip("no version 1 memory hierarchy is mounted")
			}
			execInCgroup(t, a, memory, true)
		})
	})
}

func execInCgroup(t *testing.T, a *Agent, root string, v1 bool) {
	t.Helper()
	dir, id := makeCgroup(t, root, "sightglass-test-task")
	cmd := helper(t, "wait")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	pid := uint32(cmd.Process.Pid)
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(itoa(pid)), 0); err != nil {
		_ = stdin.Close()
		_ = cmd.Wait()
		t.Skip("no process can be put into a group here:", err)
	}
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	await(t, a, "exit inside the group", func(ev *event.Event) bool {
		if ev.Type != event.TypeExit || ev.Key.TGID != pid {
			return false
		}
		assert.Equal(t, id, ev.Task.CgroupID)
		assert.Equal(t, v1, ev.Task.CgroupHierarchy != 0)
		return true
	})
}
