package privileges

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLack(t *testing.T) {
	for status, missing := range map[string]string{
		"Name:\tx\nCapEff:\t000000c000000000\nSeccomp:\t0\n": "", // BPF and PERFMON
		"CapEff:\t0000000000200000\n":                        "", // SYS_ADMIN
		"CapEff:\t0000008000000000\n":                        "CAP_PERFMON (events of the kernel) is missing: run as root, or",
		"CapEff:\t0\n":                                       "CAP_BPF (programs in the kernel) and CAP_PERFMON (events of the kernel) are missing: run as root, or",
	} {
		held, ok := Effective(status)
		require.True(t, ok, status)
		if missing == "" {
			require.Nil(t, held.Lack(), status)
			continue
		}
		lack := held.Lack()
		require.ErrorContains(t, lack, missing)
		require.ErrorContains(t, lack, "setcap cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search=ep /")
	}
	for _, status := range []string{"CapEff:\tzz\n", ""} {
		_, ok := Effective(status)
		require.False(t, ok, status)
	}
}

func TestHeld(t *testing.T) {
	_, ok := Held()
	require.True(t, ok)
}

func TestAdminHoldsNothingElse(t *testing.T) {
	held, ok := Effective("CapEff:\t0000000000200000\n")
	require.True(t, ok)
	for i := range Used {
		require.Equal(t, Used[i].Essential, held.Holds(&Used[i]), Used[i].Name)
	}
	require.False(t, held.Holds(&SysResource))
}
