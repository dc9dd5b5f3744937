package cli

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/cli/doctor"
	"github.com/sightglass/sightglass/internal/encryption"
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

func TestChecksOfTLS(t *testing.T) {
	checks := checksOfTLS([]encryption.Library{
		{Name: "OpenSSL", Path: "/lib/libssl.so.3", Processes: 2, Read: true, Missing: "SSL_read_ex: too dear"},
		{Name: "GnuTLS", Path: "/lib/libgnutls.so.30", Processes: 1, Reason: "no names"},
		{Name: "wolfSSL", Path: "/lib/libwolfssl.so", Read: true},
		{Name: "OpenSSL", Path: "/opt/libssl.so.1.1", Processes: 1, Read: true},
	}, []encryption.Program{{PID: 1234, Name: "java", Why: "Java's own TLS"}})
	require.Equal(t, []doctor.Check{
		{Name: "TLS library", Status: doctor.OK, Found: "OpenSSL, /lib/libssl.so.3, used by 2 processes, without SSL_read_ex: too dear"},
		{
			Name: "TLS library", Status: doctor.Warn, Found: "GnuTLS, /lib/libgnutls.so.30, used by 1 process: no names", Missing: "requests of programs that use it",
			Remedy: "allow dearer probes by requests.tls.max_probe_cost, if that is what is in the way",
		},
		{Name: "TLS library", Status: doctor.OK, Found: "wolfSSL, /lib/libwolfssl.so, used by no process that can be seen"},
		{Name: "TLS library", Status: doctor.OK, Found: "OpenSSL, /opt/libssl.so.1.1, used by 1 process (1.1 is unproven: tried by hand only)"},
		{Name: "TLS", Status: doctor.Info, Found: "java 1234: TLS, not decoded: Java's own TLS"},
	}, checks)
}

func TestChecksOfPauses(t *testing.T) {
	proc := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(proc, "70"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(proc, "70", "comm"), []byte("nginx\n"), 0o600))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	require.Equal(t, []doctor.Check{{
		Name: "TLS", Status: doctor.Warn, Found: "nginx 70: TLS, not decoded until 03:04:05: probes took too much of its CPU time",
		Missing: "its requests", Remedy: "allow more by requests.tls.max_cpu",
	}}, checksOfPauses(proc, map[uint32]time.Time{70: at, 71: at}), "71 has ended")
	require.Empty(t, checksOfPauses(proc, nil))
}
