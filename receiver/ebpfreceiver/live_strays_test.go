//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

// TestLiveIOURing names a program that goes past the system calls, as one of which
// requests may be missing.
func TestLiveIOURing(t *testing.T) {
	needs(t, "fio")
	if off, err := os.ReadFile("/proc/sys/kernel/io_uring_disabled"); err == nil && strings.TrimSpace(string(off)) != "0" {
		t.Skip("this machine has io_uring switched off")
	}
	l := newTLSLive(t, nil)
	cmd := exec.Command("fio", "--name=x", "--ioengine=io_uring", "--rw=read", "--size=64k", "--time_based", "--runtime=60",
		"--thinktime=10000", "--filename="+filepath.Join(t.TempDir(), "file"))
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=ringed")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.True(t, soon(func() bool { return l.opaqueAs("ringed", schema.ReasonAttr) == "io_uring" }))
}
