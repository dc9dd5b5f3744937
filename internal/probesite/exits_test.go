package probesite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExits has a function that ends in another one on its usual way, and one
// that only returns.
func TestExits(t *testing.T) {
	code := realCode(t)
	recv, ok := code["libgnutls-3.7.9-debian12 gnutls_record_recv"]
	require.True(t, ok)
	exits, err := recv.Exits(modern)
	require.NoError(t, err)
	var tails int
	for _, e := range exits {
		if e.Tail {
			tails++
			require.True(t, e.AtCall)
			require.Equal(t, Emulated, e.Cost)
		}
	}
	require.NotZero(t, tails)
	read := code["libssl-3.0.19-debian12 SSL_read"]
	returns, err := read.Returns(modern)
	require.NoError(t, err)
	exits, err = read.Exits(modern)
	require.NoError(t, err)
	require.Len(t, exits, len(returns))
	require.False(t, exits[0].Tail)
}
