package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMeasureProbes: what the classes cost is for the machine to say; that a
// probe costs something is known.
func TestMeasureProbes(t *testing.T) {
	requireRoot(t)
	prices, err := MeasureProbes()
	require.NoError(t, err)
	require.Positive(t, prices.Trampoline)
	require.Positive(t, prices.Emulated)
	require.Positive(t, prices.SingleStepped)
	t.Logf("%+v", prices)
}

func TestFileOffset(t *testing.T) {
	_, emulated, stepped, _ := measuredAddresses()
	first, err := fileOffset(emulated)
	require.NoError(t, err)
	second, err := fileOffset(stepped)
	require.NoError(t, err)
	require.Equal(t, int64(stepped)-int64(emulated), int64(second)-int64(first))
	_, err = fileOffset(1)
	require.ErrorIs(t, err, errNoMapping)
}
