package encryption

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

func TestPricesOf(t *testing.T) {
	kernel, prices := pricesOf(bpf.ProbePrices{Trampoline: 250, Emulated: 550, SingleStepped: 9000, Return: 300})
	require.True(t, kernel.Trampolines)
	require.Equal(t, time.Duration(300), prices.Return)
	for cost, want := range map[probesite.Cost]time.Duration{probesite.Trampoline: 250, probesite.Emulated: 550, probesite.SingleStepped: 9000} {
		require.Equal(t, want, prices.Of(cost))
	}
	kernel, _ = pricesOf(bpf.ProbePrices{Trampoline: 540, Emulated: 550})
	require.False(t, kernel.Trampolines, "the noise of the measurement makes no difference")
}
