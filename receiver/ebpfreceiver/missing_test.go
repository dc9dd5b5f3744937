//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/privileges"
)

func TestAbsentPrivilegesAreTold(t *testing.T) {
	for held, want := range map[privileges.Set][]string{
		0x000000c000080004: nil,
		0x000000c000000004: {"CAP_SYS_PTRACE"},
		0:                  {"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"},
	} {
		core, logs := observer.New(zap.WarnLevel)
		tellAbsent(held, zap.New(core))
		var told []string
		for _, line := range logs.All() {
			told = append(told, line.ContextMap()["privilege"].(string))
		}
		require.Equal(t, want, told)
	}
}

func TestHooksThatAreMissingAreTold(t *testing.T) {
	b := newBench(t, nil)
	b.kernel.hooks = append(b.kernel.hooks, bpf.Hook{Name: "cgroup_mkdir", Provides: "names", Err: errRefused, Remedy: "be root"})
	b.kernel.worse = []bpf.Degradation{{Name: "a", Consequence: "b"}}
	host := new(listeningHost)
	require.NoError(t, b.Start(t.Context(), host))
	defer func() { require.NoError(t, b.Shutdown(t.Context())) }()
	require.Len(t, host.heard, 1)
	require.Equal(t, componentstatus.StatusRecoverableError, host.heard[0].Status())
	require.ErrorIs(t, host.heard[0].Err(), errRefused)
}

func TestARootThatIsNotThereIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for root, want := range map[string]string{file + "x": "no such file or directory", file: "not a directory"} {
		b := newBench(t, func(c *Config) { c.RootPath = root })
		err := b.Start(t.Context(), componenttest.NewNopHost())
		require.EqualError(t, err, "ebpf receiver: root_path: "+root+": "+want+": mount the host's root there, or leave the key out on the host itself")
		require.NoError(t, b.Shutdown(t.Context()))
	}
}

func TestNothingCanBeObserved(t *testing.T) {
	b := newBench(t, nil)
	b.loadErr = errRefused
	err := b.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorIs(t, err, errRefused)
	require.ErrorContains(t, err, "ebpf receiver: ")
	require.NoError(t, b.Shutdown(t.Context()))

	b = newBench(t, func(c *Config) { c.ErrorMode = ErrorModeIgnore })
	b.loadErr = errRefused
	host := new(listeningHost)
	require.NoError(t, b.Start(t.Context(), host))
	require.Equal(t, componentstatus.StatusPermanentError, host.heard[0].Status())
	require.NoError(t, b.Shutdown(t.Context()))
}
