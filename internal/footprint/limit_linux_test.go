package footprint

import (
	"runtime/debug"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestGroupLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no /proc": {nil, 0},
		"version 2, in a container": {map[string]string{
			"proc/self/cgroup":         "0::/\n",
			"sys/fs/cgroup/memory.max": "134217728\n",
		}, 134217728},
		"version 2, a service below a limit": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/agent.service\n",
			"sys/fs/cgroup/system.slice/agent.service/memory.max": "max\n",
			"sys/fs/cgroup/system.slice/memory.max":               "1000\n",
		}, 1000},
		"version 2, the container's own mount": {map[string]string{
			"proc/self/cgroup":         "0::/kubepods.slice/pod1/abc\n",
			"sys/fs/cgroup/memory.max": "5000\n",
		}, 5000},
		"version 1": {map[string]string{
			"proc/self/cgroup":                               "5:cpu,cpuacct:/a\n4:memory:/a/b\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":     "9223372036854771712\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes":   "3000\n",
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "2000\n",
		}, 2000},
		"no limit": {map[string]string{
			"proc/self/cgroup":                           "4:memory:/\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/unified/memory.max":           "max\n",
		}, 0},
		"nonsense": {map[string]string{
			"proc/self/cgroup":         "0\n0::../..\n",
			"sys/fs/cgroup/memory.max": "-1\n",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			host := fstest.MapFS{}
			for file, text := range tt.files {
				host[file] = &fstest.MapFile{Data: []byte(text)}
			}
			require.Equal(t, tt.want, groupLimit(host))
		})
	}
}

func TestHeapOf(t *testing.T) {
	for limit, want := range map[int64]int64{128 << 20: 64 << 20, 256 << 20: 160 << 20, 1 << 30: 928 << 20} {
		require.Equal(t, want, heapOf(limit))
	}
}

// TestWhoSetsALimitKeepsIt: the variable has had its effect before we run.
func TestWhoSetsALimitKeepsIt(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "1GiB")
	before := debug.SetMemoryLimit(-1)
	Respect()
	require.Equal(t, before, debug.SetMemoryLimit(-1))
}
