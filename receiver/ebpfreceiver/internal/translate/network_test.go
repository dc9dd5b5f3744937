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

func TestListeningSockets(t *testing.T) {
	socket := func(family, typ, protocol uint16) event.Arg {
		return event.Arg{Number: 3, Socket: event.Socket{Family: family, Type: typ, Protocol: protocol, LocalPort: 80}}
	}
	to := func(family, port uint16) event.Arg {
		return event.Arg{Socket: event.Socket{Family: family, LocalPort: port}}
	}
	tcp := socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP)
	udp := socket(unix.AF_INET6, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	local := event.Arg{Number: 3, Socket: event.Socket{Family: unix.AF_UNIX, Type: unix.SOCK_STREAM, LocalPath: []byte("/run/x")}}
	unknown := event.Arg{Number: 3, Socket: event.Socket{Family: unix.AF_INET, LocalPort: 80}}
	for _, tt := range []struct {
		name      string
		ev        *event.Event
		listens   bool
		transport any
	}{
		{"listen", calls(t, "listen", 0, tcp, num(128)), true, "tcp"},
		{"listen, unix", calls(t, "listen", 0, local, num(128)), true, "unix"},
		{"listen, mptcp", calls(t, "listen", 0, socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP), num(1)), true, "tcp"},
		{"listen, of a type that is not known", calls(t, "listen", 0, unknown, num(128)), true, "tcp"},
		{"listen that failed", calls(t, "listen", -98, tcp, num(128)), false, "tcp"},
		{"bind, udp", calls(t, "bind", 0, udp, to(unix.AF_INET6, 53), num(28)), true, "udp"},
		{"bind, udp, to any port", calls(t, "bind", 0, udp, to(unix.AF_INET6, 0), num(28)), false, "udp"},
		{"bind, udp, that failed", calls(t, "bind", -98, udp, to(unix.AF_INET6, 53), num(28)), false, "udp"},
		{"bind, tcp", calls(t, "bind", 0, tcp, to(unix.AF_INET, 80), num(16)), false, "tcp"},
		{"bind, unix", calls(t, "bind", 0, local, event.Arg{}, num(16)), false, "unix"},
		{"bind, raw", calls(t, "bind", 0, socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP), to(unix.AF_INET, 1), num(16)), false, nil},
		{"bind, netlink", calls(t, "bind", 0, event.Arg{Number: 3}, event.Arg{Socket: event.Socket{Family: unix.AF_NETLINK}}, num(12)), false, nil},
	} {
		want := schema.EventSyscall
		if tt.listens {
			want = schema.EventNetworkListen
		}
		require.Equal(t, want, SyscallEventName(&tt.ev.Syscall), tt.name)
		require.Equal(t, tt.transport, told(tt.ev)[schema.NetworkTransport], tt.name)
	}
}
