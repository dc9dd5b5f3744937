package dbconn

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/querytext"
)

func TestStatementsAreBounded(t *testing.T) {
	budget := Budget{Limit: 1500}
	one, two := Statements{Budget: &budget}, Statements{Budget: &budget}
	st := &querytext.Statement{}
	for i := range 2000 {
		one.Put([]byte(strconv.Itoa(i)), st)
		two.Put([]byte(strconv.Itoa(i)), st)
	}
	require.Equal(t, 1500, budget.used)
	require.NotNil(t, one.Get([]byte("0")))
	require.Nil(t, one.Get([]byte("1999")))
	one.Put([]byte("0"), nil)
	require.Nil(t, one.Get([]byte("0")), "replaced")
	one.Delete([]byte("0"))
	one.Delete([]byte("0"))
	require.Equal(t, 1499, budget.used)
	one.Clear()
	two.Clear()
	require.Zero(t, budget.used)
	two.Put([]byte(strings.Repeat("n", maxName+1)), st)
	require.Zero(t, budget.used)
}

func TestPortals(t *testing.T) {
	var p Portals
	st := &querytext.Statement{}
	p.Put(nil, st)
	require.Same(t, st, p.Get(nil))
	for i := range 2 * maxPortals {
		p.Put([]byte(strconv.Itoa(i)), st)
	}
	require.Same(t, st, p.Get([]byte("1")))
	require.Nil(t, p.Get([]byte(strconv.Itoa(maxPortals))))
	p.Put([]byte("1"), nil)
	require.Nil(t, p.Get([]byte("1")))
	p.Clear()
	require.Nil(t, p.Get(nil))
}
