package requests

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBurstsAreAskedFor: long segments while several requests are under way are told
// to the kernel side, again before it stops to copy all of them, and none that are
// asked one by one.
func TestBurstsAreAskedFor(t *testing.T) {
	asked := 0
	p := newTape(Config{Judge: func(socket uint64, refused uint32, class uint8, bursts bool) {
		require.EqualValues(t, 1, socket)
		require.Zero(t, refused)
		require.EqualValues(t, 1, class)
		require.True(t, bursts)
		asked++
	}})
	long := "GET /a?" + strings.Repeat("q", 1000) + " HTTP/1.1\r\nHost: x\r\n\r\n"
	p.data(1, client, send, long).data(1, client, recv, ok3)
	require.Zero(t, asked, "one by one")
	for range burstsTold {
		p.data(1, client, send, long+long).data(1, client, recv, ok3+ok3)
	}
	require.Equal(t, 1, asked)
	p.data(1, client, send, long+long).data(1, client, recv, ok3+ok3)
	require.Equal(t, 2, asked)
}
