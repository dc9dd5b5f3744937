package bpf

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/privileges"
)

// nobody is a user without files of its own.
const nobody = 65534

// TestProbesWithoutAdmin: the capabilities that the README names are enough for
// probes in libraries, and where the kernel wants another one, that is what is said.
func TestProbesWithoutAdmin(t *testing.T) {
	requireRoot(t)
	held := thisMachine().held
	for i := range privileges.Used {
		if c := &privileges.Used[i]; !held.Holds(c) {
			t.Skip("to pass it on needs", c.Name)
		}
	}
	cmd := helper(t, "probe")
	cmd.Path = "/proc/self/exe" // the way by names is closed to nobody
	capabilities := []uintptr{unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH}
	if version := thisMachine().version; version < memoryByCgroup {
		capabilities = append(capabilities, unix.CAP_SYS_RESOURCE)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: true},
		AmbientCaps: capabilities,
	}
	out, err := cmd.Output()
	t.Logf("%s", out)
	require.NoError(t, err)
}

// helperProbe probes itself and tries all hooks, but in guests only the former: to
// load everything takes minutes where the machine is emulated. It fails when
// something is refused, unless for want of CAP_SYS_ADMIN where that is needed.
func helperProbe() int {
	_, err := MeasureProbes()
	var lack *refusal
	if !haveMultiProbes() && errors.As(err, &lack) && errors.Is(lack, unix.EACCES) {
		fmt.Println(err)
		return 0
	}
	var hooks []Hook
	if err == nil && os.Getenv("SIGHTGLASS_GUEST") == "" {
		hooks, _, err = Probe()
	}
	for _, h := range hooks {
		err = errors.Join(err, h.Err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestExplainProbe(t *testing.T) {
	err := explainProbe(fmt.Errorf("opening perf event: %w", unix.EACCES), 0)
	require.ErrorIs(t, err, unix.EACCES)
	require.ErrorContains(t, err, "CAP_SYS_ADMIN (probes in libraries, before Linux 6.6: requests over TLS) is missing: run as root, or")
	require.ErrorContains(t, err, ",cap_sys_admin=ep ")
	require.Contains(t, remedy(err), ",cap_sys_admin=ep ")
	require.NoError(t, explainProbe(nil, 0))
	require.Equal(t, unix.EINVAL, explainProbe(unix.EINVAL, 0))
	require.Equal(t, unix.EACCES, explainProbe(unix.EACCES, ^privileges.Set(0)))
}
