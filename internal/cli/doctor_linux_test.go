package cli

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/cli/doctor"
)

func TestHooksOf(t *testing.T) {
	got := hooksOf([]bpf.Hook{
		{Name: "sys_enter", Attached: true, Provides: "calls", Essential: true},
		{Name: "iter/task", Provides: "older processes", Err: errors.New("refused"), Remedy: "newer kernel"},
	})
	require.Equal(t, []doctor.Hook{
		{Name: "sys_enter", Attached: true, Required: true, For: "calls"},
		{Name: "iter/task", For: "older processes", Missing: "older processes", Error: "refused", Remedy: "newer kernel"},
	}, got)
	require.Equal(t, []doctor.Check{{Name: "older kernel", Status: doctor.Info, Found: "no x: slower"}},
		checksOf([]bpf.Degradation{{Name: "x", Consequence: "slower"}}))
}

func TestKernelRelease(t *testing.T) {
	require.Regexp(t, `^\d+\.\d+`, kernelRelease())
}
