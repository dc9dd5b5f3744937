package privileges

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSuffice(t *testing.T) {
	for status, want := range map[string]bool{
		"Name:\tx\nCapEff:\t000000c000000000\nSeccomp:\t0\n": true,  // BPF and PERFMON
		"CapEff:\t0000000000200000\n":                        true,  // SYS_ADMIN
		"CapEff:\t0000008000000000\n":                        false, // BPF alone
		"CapEff:\t0\n":                                       false,
		"CapEff:\tzz\n":                                      false,
		"":                                                   false,
	} {
		require.Equal(t, want, Suffice(status), status)
	}
}

func TestAdminHoldsNothingElse(t *testing.T) {
	held, ok := Effective("CapEff:\t0000000000200000\n")
	require.True(t, ok)
	for i := range Used {
		require.Equal(t, Used[i].Essential, held.Holds(&Used[i]), Used[i].Name)
	}
	require.False(t, held.Holds(&SysResource))
}
