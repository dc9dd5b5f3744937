package translate

import (
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// sockets writes the socket that a call is about.
func (l *Logs) sockets(attrs pcommon.Map, c call, name string) {
	s, fd, ok := socketOf(c)
	if !ok {
		return
	}
	attrs.PutInt(schema.FileDescriptor, fd)
	attrs.PutInt(schema.SocketFamily, int64(s.Family))
	if s.Type != 0 {
		attrs.PutInt(schema.SocketType, int64(s.Type))
	}
	if name == schema.EventNetworkListen && s.Type == 0 && c.spec.Name == "listen" {
		s.Type = unix.SOCK_STREAM // others refuse to listen
	}
	if t := transport(&s); t != "" {
		attrs.PutStr(schema.NetworkTransport, t)
	}
	l.addresses(attrs, &s)
	if s.NetNS != 0 {
		attrs.PutInt(schema.NetworkNamespace, int64(s.NetNS))
	}
	if c.spec.Result == syscalls.ResultSocket {
		l.peers.forget(peerOf{l.self, int32(fd)})
	}
	switch {
	case name == schema.EventNetworkConnect:
		attrs.PutStr(schema.SocketRole, "client")
		if c.Return == 0 {
			attrs.PutBool(schema.SocketConnected, true)
		}
	case name == schema.EventNetworkAccept:
		attrs.PutStr(schema.SocketRole, "server")
		if c.Return >= 0 {
			attrs.PutBool(schema.SocketConnected, true)
		}
	case moves(c.spec):
		l.message(attrs, c, &s)
	case c.spec.Name != "bind" && c.spec.Name != "listen":
		held(attrs, &s)
	}
}

// held writes what a call that neither connects nor speaks shows of its socket:
// the side, once that is decided, and whether there is a peer.
func held(attrs pcommon.Map, s *event.Socket) {
	switch {
	case s.Family != unix.AF_INET && s.Family != unix.AF_INET6:
	case s.PeerPort != 0:
		attrs.PutStr(schema.SocketRole, sideOf(s))
		attrs.PutBool(schema.SocketConnected, true)
	case s.Bound || s.State == unix.BPF_TCP_LISTEN:
		attrs.PutStr(schema.SocketRole, "server")
	}
}

// socketOf puts together what the arguments and the result tell: the accepted
// socket, or the descriptor's with the address that was passed.
func socketOf(c call) (s event.Socket, fd int64, ok bool) {
	if arg, number := c.held(); arg != nil {
		s, fd = arg.Socket, number
	}
	if addr := c.address(); addr != nil {
		merge(&s, &addr.Socket)
	}
	return s, fd, s.Family != 0
}

// address is the argument with an address, nil when the call has none or it is
// not known.
func (c call) address() *event.Arg {
	for i := range c.spec.Args[:min(len(c.spec.Args), c.NumArgs)] {
		switch c.spec.Args[i].Kind {
		case syscalls.KindSockaddr, syscalls.KindSockaddrFrom, syscalls.KindMessage, syscalls.KindMessageOut,
			syscalls.KindMessagesOut:
			if c.Args[i].Socket.Family != 0 {
				return &c.Args[i]
			}
		default:
		}
	}
	return nil
}

// merge lets the address that the program passed stand where the socket has
// none, or, for the peer, instead of what the socket was told before.
func merge(s, addr *event.Socket) {
	if s.Family == 0 {
		s.Family = addr.Family
	}
	if s.Family != addr.Family {
		mapped := *addr
		mapAddresses(s)
		mapAddresses(&mapped)
		addr = &mapped
	}
	if addr.PeerPort != 0 || addr.PeerAddr != [16]byte{} || len(addr.PeerPath) > 0 {
		s.PeerPort, s.PeerAddr, s.PeerPath = addr.PeerPort, addr.PeerAddr, addr.PeerPath
	}
	if s.LocalPort == 0 && s.LocalAddr == [16]byte{} && len(s.LocalPath) == 0 {
		s.LocalPort, s.LocalAddr, s.LocalPath = addr.LocalPort, addr.LocalAddr, addr.LocalPath
	}
}

// mapAddresses turns a socket of IPv4 into one of IPv6 with the same addresses:
// a program may pass the address of one family to a socket of the other.
func mapAddresses(s *event.Socket) {
	if s.Family != unix.AF_INET {
		return
	}
	s.Family = unix.AF_INET6
	for _, a := range [2]*[16]byte{&s.LocalAddr, &s.PeerAddr} {
		if *a != [16]byte{} {
			*a = netip.AddrFrom4([4]byte(a[:4])).As16()
		}
	}
}

// addresses writes both ends of a socket.
func (l *Logs) addresses(attrs pcommon.Map, s *event.Socket) {
	switch s.Family {
	case unix.AF_UNIX:
		attrs.PutStr(schema.NetworkType, "unix")
		attrs.PutStr(schema.FileDescriptorType, "unix")
		l.unixPath(attrs, schema.NetworkLocalAddress, s.LocalPath)
		l.unixPath(attrs, schema.NetworkPeerAddress, s.PeerPath)
	case unix.AF_INET, unix.AF_INET6:
		local, peer := address(s.Family, &s.LocalAddr), address(s.Family, &s.PeerAddr)
		kind := "ipv6"
		if local.Is4() && peer.Is4() || s.Family == unix.AF_INET || local.IsUnspecified() && peer.Is4() || peer.IsUnspecified() && local.Is4() {
			kind = "ipv4"
		}
		attrs.PutStr(schema.NetworkType, kind)
		attrs.PutStr(schema.FileDescriptorType, kind)
		if s.LocalPort != 0 || !local.IsUnspecified() {
			attrs.PutStr(schema.NetworkLocalAddress, l.ip(local))
			attrs.PutInt(schema.NetworkLocalPort, int64(s.LocalPort))
		}
		if s.PeerPort != 0 || !peer.IsUnspecified() {
			attrs.PutStr(schema.NetworkPeerAddress, l.ip(peer))
			attrs.PutInt(schema.NetworkPeerPort, int64(s.PeerPort))
		}
	case unix.AF_NETLINK:
		attrs.PutStr(schema.FileDescriptorType, "netlink")
	}
}

// address reads an address; an IPv4 address inside an IPv6 one is IPv4, as on
// the wire.
func address(family uint16, raw *[16]byte) netip.Addr {
	if family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(raw[:4]))
	}
	return netip.AddrFrom16(*raw).Unmap()
}

func (l *Logs) ip(a netip.Addr) string {
	l.buf = a.AppendTo(l.buf[:0])
	return l.texts.text(l.buf)
}

// unixPath writes the name of a unix socket; abstract ones begin with "@", as
// everywhere.
func (l *Logs) unixPath(attrs pcommon.Map, key string, path []byte) {
	if len(path) == 0 {
		return
	}
	if path[0] == 0 {
		l.buf = append(append(l.buf[:0], '@'), path[1:]...)
		path = l.buf
	}
	attrs.PutStr(key, l.texts.text(path))
}

// transport is the protocol above the network, by the conventions.
func transport(s *event.Socket) string {
	switch s.Family {
	case unix.AF_UNIX:
		return "unix"
	case unix.AF_INET, unix.AF_INET6:
	default:
		return ""
	}
	switch {
	case s.Protocol == unix.IPPROTO_TCP, s.Protocol == unix.IPPROTO_MPTCP, s.Protocol == 0 && s.Type == unix.SOCK_STREAM:
		return "tcp"
	case s.Protocol == unix.IPPROTO_UDP, s.Protocol == 0 && s.Type == unix.SOCK_DGRAM:
		return "udp"
	default:
		return ""
	}
}
