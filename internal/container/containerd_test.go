package container

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/container/containertest"
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
	ctr := containertest.Start(t)
	podPath := "/" + containertest.CgroupRoot + "/kubepods/burstable/pod" + uid + "/" + id1
	webPID := ctr.Run(t, "web", sleepEnv+"=1")
	podPID := ctr.Run(t, id1, sleepEnv+"=1", "--cgroup", podPath)

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
