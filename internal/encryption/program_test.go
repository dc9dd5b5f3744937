package encryption

import (
	"crypto/tls"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/probesite"
)

func TestRecognise(t *testing.T) {
	if os.Getpid() < 0 { // never; the linker keeps what is called
		var conn tls.Conn
		_, _ = conn.Read(nil)
		_, _ = conn.Write(nil)
	}
	for path, want := range map[string]*library{
		"/proc/self/exe":  &golang,
		"/usr/bin/env":    nil, // no library at all
		"/usr/bin/curl":   nil, // a shared one
		"/etc/os-release": nil,
	} {
		content, err := os.Open(path)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		require.Same(t, want, recognise(content, probesite.Kernel{}), path)
		require.NoError(t, content.Close())
	}
}

func TestProgramsAreProbed(t *testing.T) {
	p := &probed{}
	f := newTestFinder(t, p, time.Minute)
	own := f.program(uint32(os.Getpid()))
	require.NotNil(t, own)
	require.Equal(t, "Go crypto/tls", own.Name)
	require.True(t, own.Read)
	require.Same(t, own, f.program(uint32(os.Getpid())), "once")

	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		_ = f.program(uint32(cmd.Process.Pid))
		return len(f.without) == 1 // from its exec on
	}, time.Minute, time.Millisecond)
	require.Len(t, p.now, 1)
}
