package aggregate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTableIsAMap compares with Go's map through random insertions and removals,
// with hashes that collide often.
func TestTableIsAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var tab table
	want := map[string]*Series{}
	hashOf := func(key string) uint64 { return uint64(len(key))<<20 | uint64(key[len(key)-1]&3)<<16 }
	for range 20_000 {
		key := fmt.Sprint(rng.IntN(300))
		hash := hashOf(key)
		switch known := want[key]; {
		case known == nil:
			require.Nil(t, tab.find(hash, []byte(key)))
			series := &Series{key: key}
			tab.insert(hash, series)
			want[key] = series
		case rng.IntN(2) == 0:
			tab.remove(hash, known)
			delete(want, key)
		}
		require.Equal(t, len(want), tab.used)
	}
	for key, series := range want {
		require.Same(t, series, tab.find(hashOf(key), []byte(key)))
	}
	for key, series := range want {
		tab.remove(hashOf(key), series)
	}
	require.Len(t, tab.slots, firstSlots, "the memory is given back")
}
