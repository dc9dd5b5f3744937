package aggregate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestCountersWidenAsNeeded(t *testing.T) {
	var c window
	c.allocate(5)
	want := make([]uint64, 5)
	for _, step := range []struct {
		cell  int
		add   uint64
		shift uint8
	}{
		{0, 255, 0}, {4, 7, 0}, {0, 1, 1}, {2, 65_535, 1}, {2, 1, 2}, {1, math.MaxUint32 + 1, 3}, {3, 1 << 60, 3},
	} {
		c.raise(step.cell, step.add)
		want[step.cell] += step.add
		require.Equal(t, step.shift, c.shift)
		require.Equal(t, 5, c.size())
		for i, v := range want {
			require.Equal(t, v, c.get(i), "cell %d", i)
		}
	}
	c.raise(3, math.MaxUint64)
	require.Equal(t, uint64(math.MaxUint64), c.get(3), "saturates")
}

func TestCountersReuseMemory(t *testing.T) {
	var c window
	c.allocate(64)
	c.raise(3, 300) // widened: 128 bytes
	require.Zero(t, alloctest.PerRun(10, func() {
		c.allocate(100)
		c.raise(99, 5)
	}))
	c.allocate(10)
	c.raise(9, 9)
	c.raise(0, 1000) // widens inside the memory that is there
	require.EqualValues(t, 9, c.get(9))
	require.EqualValues(t, 1000, c.get(0))
	for i := 1; i < 9; i++ {
		require.Zero(t, c.get(i))
	}
}

func TestCountersRelocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for range 2000 {
		var c window
		size := 1 + rng.IntN(40)
		c.allocate(size)
		from := rng.IntN(size)
		n := rng.IntN(size - from)
		for i := range n {
			c.raise(from+i, rng.Uint64()>>(1+rng.IntN(63)))
		}
		kept := make([]uint64, n)
		for i := range kept {
			kept[i] = c.get(from + i)
		}
		to := rng.IntN(30)
		grown := to + n + rng.IntN(40)
		c.relocate(from, n, to, grown)
		require.Equal(t, grown, c.size())
		for i := range grown {
			want := uint64(0)
			if i >= to && i < to+n {
				want = kept[i-to]
			}
			require.Equal(t, want, c.get(i))
		}
	}
}
