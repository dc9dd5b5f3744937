package translate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
)

// told is what the record of an event says.
func told(ev *event.Event) map[string]any {
	l := NewLogs(host, "")
	l.Append(activity(ev, rootInfo), wallOffset, observed)
	return l.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw()
}

func TestAddressOfTheOtherFamily(t *testing.T) {
	six := event.Socket{Family: unix.AF_INET6, Type: unix.SOCK_DGRAM, Protocol: unix.IPPROTO_UDP}
	got := told(calls(t, "connect", 0, event.Arg{Number: 5, Socket: six}, peer4(53, 9, 8, 7, 6), num(16)))
	require.Equal(t, "9.8.7.6", got[schema.NetworkPeerAddress])
	require.Equal(t, int64(53), got[schema.NetworkPeerPort])
	require.Equal(t, "ipv4", got[schema.NetworkType])
	require.Equal(t, "udp", got[schema.NetworkTransport])
	require.Equal(t, int64(unix.AF_INET6), got[schema.SocketFamily])
	require.NotContains(t, got, schema.NetworkLocalAddress)

	bound := six
	bound.LocalPort, bound.LocalAddr = 5353, [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 1}
	got = told(calls(t, "connect", 0, event.Arg{Number: 5, Socket: bound}, peer4(53, 9, 8, 7, 6), num(16)))
	require.Equal(t, "10.0.0.1", got[schema.NetworkLocalAddress])
	require.Equal(t, "ipv4", got[schema.NetworkType])

	four := event.Socket{Family: unix.AF_INET, Type: unix.SOCK_STREAM, LocalPort: 80, LocalAddr: ip4(10, 0, 0, 1)}
	peer := event.Arg{Socket: event.Socket{Family: unix.AF_INET6, PeerPort: 443, PeerAddr: [16]byte{0: 0xfe, 1: 0x80, 15: 1}}}
	got = told(calls(t, "connect", -int64(unix.EAFNOSUPPORT), event.Arg{Number: 5, Socket: four}, peer, num(28)))
	require.Equal(t, "fe80::1", got[schema.NetworkPeerAddress])
	require.Equal(t, "10.0.0.1", got[schema.NetworkLocalAddress])
}
