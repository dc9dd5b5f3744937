package bpf

import (
	"errors"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// requireRoot skips the test when this process may not load programs. In a
// guest of the kernel matrix it may, and nothing is skipped.
func requireRoot(tb testing.TB) {
	tb.Helper()
	if os.Getenv("SIGHTGLASS_GUEST") != "" {
		return
	}
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(os.Getpagesize())})
	if err == nil {
		err = m.Close()
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		tb.Skip("loading eBPF programs needs root, or CAP_BPF and CAP_PERFMON:", err)
	}
}
