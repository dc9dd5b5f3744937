package freeport

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutside(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		first, last, from, end int
	}{
		{"default", 32768, 60999, 12000, 32768},
		{"wide below", 15000, 65000, 12000, 15000},
		{"wide above", 1024, 50000, 50001, 65536},
		{"nearly all", 1024, 65535, 12000, 65536},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, end := outside(tt.first, tt.last)
			require.Equal(t, []int{tt.from, tt.end}, []int{from, end})
		})
	}
}

func TestPort(t *testing.T) {
	first, last := ephemeral()
	from, end := outside(first, last)
	port := Port(t)
	require.GreaterOrEqual(t, port, from)
	require.Less(t, port, end)
	require.True(t, free(port))

	t.Run("taken", func(t *testing.T) {
		for network, listen := range map[string]func(at string) (interface{ Close() error }, error){
			"tcp": func(at string) (interface{ Close() error }, error) { return net.Listen("tcp", at) },
			"udp": func(at string) (interface{ Close() error }, error) { return net.ListenPacket("udp", at) },
		} {
			port := Port(t)
			l, err := listen("127.0.0.1:" + strconv.Itoa(port))
			require.NoError(t, err)
			require.False(t, free(port), network)
			require.NoError(t, l.Close())
		}
	})
}

func TestAddress(t *testing.T) {
	l, err := net.Listen("tcp", Address(t))
	require.NoError(t, err)
	require.NoError(t, l.Close())
}
