package bpf

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
)

// TestFilesWithProbes: each file has its own time, which no other changes, and
// its number is given again when it has no probes any more.
func TestFilesWithProbes(t *testing.T) {
	requireRoot(t)
	since, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 3})
	require.NoError(t, err)
	defer since.Close()
	f := tlsFiles{since: since, used: make([]bool, since.MaxEntries())}
	of := func(number uint32) (v tlsTlsFile) {
		require.NoError(t, since.Lookup(number, &v))
		return v
	}
	first, err := f.begin()
	require.NoError(t, err)
	require.Equal(t, uint32(1), first)
	require.Equal(t, uint64(never), of(first).Since)
	require.Zero(t, of(0).Since, "there are no probes yet")
	require.NoError(t, f.probed(first))
	at := of(first).Since
	require.Less(t, at, uint64(never))
	require.GreaterOrEqual(t, of(0).Since, at)

	second, err := f.begin()
	require.NoError(t, err)
	require.NoError(t, f.probed(second))
	require.Equal(t, at, of(first).Since)
	require.Greater(t, of(second).Since, at)
	_, err = f.begin()
	require.ErrorIs(t, err, ErrManyFiles)
	f.end(first)
	again, err := f.begin()
	require.NoError(t, err)
	require.Equal(t, first, again)

	none := tlsFiles{since: since} // probes have no cookies
	number, err := none.begin()
	require.NoError(t, err)
	require.Zero(t, number)
	require.NoError(t, none.probed(number))
	none.end(number)
}
