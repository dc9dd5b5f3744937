package field

import (
	"net/netip"
	"strconv"
)

// sockState says whether the socket was worked out.
type sockState uint8

const (
	sockUnknown sockState = iota
	sockDone
)

// end is one side of a socket.
type end struct {
	addr netip.Addr
	port uint16
}

// role is this process' part in a connection.
type role uint8

const (
	roleNone role = iota
	roleClient
	roleServer
)

// socket is the event's descriptor as an IP or unix socket.
type socket struct {
	local, remote end
	raw           end // the local one as the socket has it
	role          role
}

// connected reports whether both ends are known and who is who.
func (s *socket) connected() bool {
	return s.role != roleNone && s.local.addr.IsValid() && s.remote.addr.IsValid()
}

// bound reports whether this is a server's socket without a peer.
func (s *socket) bound() bool {
	return s.role == roleServer && s.local.addr.IsValid() && !s.remote.addr.IsValid() && s.local.port > 0
}

func (s *socket) client() end {
	if s.role == roleServer {
		return s.remote
	}
	return s.local
}

func (s *socket) server() end {
	if s.role == roleServer {
		return s.local
	}
	return s.remote
}

// near is the local side as Falco has it: the client's, where both ends are
// this host.
func (s *socket) near() end {
	if s.sameHost() {
		return s.client()
	}
	return s.local
}

func (s *socket) far() end {
	if s.sameHost() {
		return s.server()
	}
	return s.remote
}

func (s *socket) sameHost() bool {
	return s.local.addr == s.remote.addr || s.remote.addr.IsLoopback()
}

func (c *Context) isSocket() bool {
	f := c.fdinfo()
	if f.state != fdKnown {
		return c.does(actAccept|actConnect) && f.state == fdGuessed
	}
	return f.kind != nil && (f.kind.name == "ipv4" || f.kind.name == "ipv6" || f.kind.name == "unix")
}

// isIP reports whether the descriptor is an IP socket.
func (c *Context) isIP() bool {
	f := c.fdinfo()
	return f.state == fdKnown && f.kind != nil && (f.kind.char == "4" || f.kind.char == "6")
}

// address reads an address; a unix socket's path is none.
func (c *Context) address(a Attr) (netip.Addr, bool) {
	s, ok := c.String(a)
	if !ok || s == "" || s[0] == '/' || s[0] == '@' {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(s)
	return addr.WithZone("").Unmap(), err == nil
}

// socket works out both ends, once. It is the zero socket for other
// descriptors.
func (c *Context) socket() *socket {
	f := c.fdinfo()
	if f.sockState == sockDone {
		return &f.sock
	}
	f.sockState = sockDone
	if !c.isIP() {
		return &f.sock
	}
	f.sock.local = c.end(AttrNetLocalAddress, AttrNetLocalPort)
	f.sock.remote = c.end(AttrNetPeerAddress, AttrNetPeerPort)
	if c.does(actConnect) && !c.connecting() {
		f.sock.remote = end{} // refused: the socket keeps what it was
	}
	f.sock.raw = f.sock.local
	if r := f.sock.remote.addr; f.sock.local.addr.IsUnspecified() && r.IsLoopback() {
		f.sock.local.addr = r // whence else
	}
	f.sock.role = c.role(&f.sock)
	return &f.sock
}

func (c *Context) end(addr, port Attr) end {
	a, _ := c.address(addr)
	p, _ := c.Int(port)
	return end{addr: a, port: uint16(p)}
}

const eInProgress = 115

// connecting reports whether a connect succeeded or is under way.
func (c *Context) connecting() bool {
	n, ok := c.Int(AttrSyscallReturn)
	return ok && (n >= 0 || n == -eInProgress)
}

// role is this side's part: told by the source, else by the call.
func (c *Context) role(s *socket) role {
	if r, ok := c.String(AttrSocketRole); ok {
		if r == "server" {
			return roleServer
		}
		return roleClient
	}
	switch {
	case c.does(actAccept | actServe):
		return roleServer
	case c.does(actConnect), s.remote.addr.IsValid():
		return roleClient
	default:
		return roleNone
	}
}

// transport is fd.l4proto for an IP socket, empty when it is undecided.
func (c *Context) transport() string {
	if s := c.socket(); !s.connected() && !s.bound() {
		return ""
	}
	t, _ := c.String(AttrNetTransport)
	return t
}

// socketName is fd.name of a socket: client->server, the bound address, the
// path of a unix socket.
func (c *Context) socketName() string {
	if !c.isIP() {
		return c.unixName()
	}
	s := c.socket()
	start := len(c.buf)
	switch {
	case s.connected():
		c.buf = appendEnd(c.buf, s.client())
		c.buf = append(c.buf, "->"...)
		c.buf = appendEnd(c.buf, s.server())
	case s.local.addr.IsValid() && (s.bound() || c.does(actServe)):
		c.buf = appendEnd(c.buf, s.local)
	}
	return c.own(start)
}

// unixName is the path. Falco also prints two kernel pointers before it, which
// are neither known here nor worth knowing.
func (c *Context) unixName() string {
	if s, ok := c.String(AttrNetPeerAddress); ok && s != "" {
		return s
	}
	s, _ := c.String(AttrNetLocalAddress)
	return s
}

// appendEnd writes address and port; IPv6 has no brackets here.
func appendEnd(dst []byte, e end) []byte {
	dst = e.addr.AppendTo(dst)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, uint64(e.port), 10)
}
