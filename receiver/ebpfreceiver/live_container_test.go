//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/container/containertest"
	"github.com/sightglass/sightglass/internal/schema"
)

// A container that begins while the agent runs: its first program, a program
// that is executed inside it from outside, and the facts after its end.
func TestLiveContainer(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	ctr := containertest.Start(t)
	pod := "/" + containertest.CgroupRoot + "/kubepods/besteffort/pod1b0f7d3a-6c1e-4b7d-9f5a-0c2e4a6b8d0f/" + strings.Repeat("ab", 32)
	ctr.Run(t, "web", roleEnv+"=server")
	ctr.Run(t, strings.Repeat("ab", 32), roleEnv+"=server", "--cgroup", pod)

	first := l.find(t, schema.EventProcessExec, func(f found) bool {
		return f.text(schema.ContainerName) == "web" && f.text(schema.ProcessPath) == containertest.Binary
	})
	require.Equal(t, "web", first.text(schema.ContainerID))
	require.Equal(t, "containerd", first.text(schema.ContainerRuntime))
	require.Equal(t, "web", first.text(schema.ServiceName))
	require.Equal(t, "/default/web", first.text(schema.CgroupPath))
	require.Equal(t, "root", first.text(schema.ProcessUserName))
	require.NotEmpty(t, first.text(schema.ProcessParentName))

	inPod := l.find(t, schema.EventProcessExec, func(f found) bool {
		return f.text(schema.ContainerID) == strings.Repeat("ab", 32) && f.text(schema.ProcessPath) == containertest.Binary
	})
	require.Equal(t, "1b0f7d3a-6c1e-4b7d-9f5a-0c2e4a6b8d0f", inPod.text(schema.K8sPodUID))
	require.Empty(t, inPod.text(schema.ServiceName), "k8s_attributes names pods")

	out, err := ctr.Ctr("task", "exec", "--exec-id", "intruder", "web", containertest.Binary, "-test.run=^$").CombinedOutput()
	require.NoError(t, err, string(out))
	login := l.find(t, schema.EventLoginStart, func(f found) bool { return f.text(schema.ContainerName) == "web" })
	require.Contains(t, login.text(schema.ProcessCommandArgs), "-test.run=^$")
	l.find(t, schema.EventLoginEnd, func(f found) bool {
		return f.text(schema.ProcessPID) == login.text(schema.ProcessPID)
	})

	require.NoError(t, ctr.Ctr("task", "kill", "-s", "KILL", "web").Run())
	end := l.find(t, schema.EventProcessExit, func(f found) bool {
		return f.text(schema.ProcessPID) == first.text(schema.ProcessPID)
	})
	require.Equal(t, "web", end.text(schema.ContainerName))
}
