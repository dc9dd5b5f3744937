package exchange

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestList(t *testing.T) {
	var l List
	e := []*Exchange{{Start: 0}, {Start: 1}, {Start: 2}}
	starts := func() (all []uint64) {
		for ex := range l.All() {
			all = append(all, ex.Start)
		}
		require.Len(t, all, l.Len())
		return all
	}
	for _, removed := range []int{0, 1, 2} {
		for _, ex := range e {
			l.Add(ex)
		}
		require.Equal(t, []uint64{2, 1, 0}, starts())
		l.Remove(e[removed])
		left := slices.DeleteFunc([]uint64{2, 1, 0}, func(n uint64) bool { return n == uint64(removed) })
		require.Equal(t, left, starts())
		for i, ex := range e {
			if i != removed {
				l.Remove(ex)
			}
		}
		require.Empty(t, starts())
	}
}
