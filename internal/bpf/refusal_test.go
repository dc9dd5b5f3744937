package bpf

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/privileges"
)

func TestRefusals(t *testing.T) {
	const (
		linux510 = 5<<16 | 10<<8
		linux612 = 6<<16 | 12<<8
		nothing  = privileges.Set(0)
		two      = privileges.Set(0xc000000000) // BPF and PERFMON
		all      = ^privileges.Set(0)
	)
	forbidden := fmt.Errorf("map create: %w (MEMLOCK may be too low)", unix.EPERM)
	for _, tt := range []struct {
		name        string
		on          machine
		answer      error
		why, remedy string
	}{
		{"an old kernel, whatever it says", machine{4<<16 | 19<<8, true, all}, forbidden, "Linux 4.19 is too old", "use 5.10 or later"},
		{"no types", machine{linux612, false, all}, errors.New("no BTF found"), "no /sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF=y"},
		{"no privileges", machine{linux612, true, nothing}, forbidden, "CAP_BPF (programs in the kernel) and CAP_PERFMON", "run as root, or"},
		{"no memory to lock", machine{linux510, true, two}, forbidden, "may not lock enough memory", "CAP_SYS_RESOURCE"},
		{"that does not count any more", machine{linux612, true, two}, forbidden, "although the privileges are there", "seccomp"},
		{"privileges that count elsewhere", machine{linux612, true, all}, forbidden, "although the privileges are there", "user namespace"},
		{"no memory", machine{linux612, true, all}, unix.ENOMEM, "cannot allocate memory", "ring_buffer"},
		{"no tracepoint", machine{linux612, true, all}, unix.ENOENT, "no such file", "tracepoint"},
		{"no BPF", machine{linux612, true, all}, unix.ENOSYS, "not implemented", "CONFIG_BPF_SYSCALL=y"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			why, remedy := tt.on.explain(tt.answer)
			require.Contains(t, why, tt.why)
			require.Contains(t, remedy, tt.remedy)
			require.NotContains(t, why, "MEMLOCK")
		})
	}
}

func TestRefusalKeepsTheAnswer(t *testing.T) {
	require.ErrorIs(t, refused(unix.EPERM), unix.EPERM)
	require.Empty(t, remedy(nil))
}
