package field

import (
	"errors"
	"net/netip"
	"strconv"
)

var (
	localAttrs = []Attr{AttrNetLocalAddress, AttrNetLocalPort, AttrSocketRole}
	bothAttrs  = []Attr{AttrNetLocalAddress, AttrNetLocalPort, AttrNetPeerAddress, AttrNetPeerPort, AttrSocketRole}
)

// fdSocketFields are the fields of a descriptor that is a socket.
var fdSocketFields = []Field{
	{Name: "fd.ip", Type: IPAddr, Flags: FilterOnly | NoCompare | TwoSided, Sides: []string{"fd.cip", "fd.sip"}, Doc: "address of either end", From: bothAttrs, Get: noValue},
	{Name: "fd.net", Type: IPNet, Flags: FilterOnly | NoCompare | TwoSided, Sides: []string{"fd.cip", "fd.sip"}, Doc: "network of either end", From: bothAttrs, Get: noValue},
	{Name: "fd.port", Type: Port, Flags: FilterOnly | NoCompare | TwoSided, Sides: []string{"fd.cport", "fd.sport"}, Doc: "port of either end", From: bothAttrs, Get: noValue},
	{Name: "fd.proto", Type: Port, Flags: FilterOnly | NoCompare | TwoSided, Sides: []string{"fd.cport", "fd.sport"}, Doc: "the same as fd.port", From: bothAttrs, Get: noValue},

	{Name: "fd.cip", Type: IPAddr, Doc: "address of the client", From: bothAttrs, Get: ip(clientEnd)},
	{Name: "fd.sip", Type: IPAddr, Doc: "address of the server, also of a listening socket", From: bothAttrs, Get: ip(serverEnd)},
	{Name: "fd.lip", Type: IPAddr, Doc: "address of this side", From: bothAttrs, Get: ip(nearEnd)},
	{Name: "fd.rip", Type: IPAddr, Doc: "address of the other side", From: bothAttrs, Get: ip(farEnd)},
	{Name: "fd.cnet", Type: IPNet, Doc: "network of the client", From: bothAttrs, Get: ip(clientEnd)},
	{Name: "fd.snet", Type: IPNet, Doc: "network of the server", From: bothAttrs, Get: ip(serverEnd)},
	{Name: "fd.lnet", Type: IPNet, Doc: "network of this side", From: bothAttrs, Get: ip(nearEnd)},
	{Name: "fd.rnet", Type: IPNet, Doc: "network of the other side", From: bothAttrs, Get: ip(farEnd)},
	{Name: "fd.cport", Type: Port, Doc: "port of the client", From: bothAttrs, Get: port(clientEnd)},
	{Name: "fd.sport", Type: Port, Doc: "port of the server, also of a listening socket", From: bothAttrs, Get: port(serverEnd)},
	{Name: "fd.lport", Type: Port, Doc: "port of this side", From: bothAttrs, Get: port(nearEnd)},
	{Name: "fd.rport", Type: Port, Doc: "port of the other side", From: bothAttrs, Get: port(farEnd)},
	{Name: "fd.cproto", Type: CharBuf, Doc: "port of the client as text", From: bothAttrs, Get: portText(clientEnd)},
	{Name: "fd.sproto", Type: CharBuf, Doc: "port of the server as text", From: bothAttrs, Get: portText(serverEnd)},
	{Name: "fd.lproto", Type: CharBuf, Doc: "port of this side as text", From: bothAttrs, Get: portText(nearEnd)},
	{Name: "fd.rproto", Type: CharBuf, Doc: "port of the other side as text", From: bothAttrs, Get: portText(farEnd)},
	{Name: "fd.cip.name", Type: CharBuf, Flags: NoCompare | DomainName, Sides: []string{"fd.cip"}, Doc: "the client's address is one of the name's", From: bothAttrs, Get: domain(clientEnd)},
	{Name: "fd.sip.name", Type: CharBuf, Flags: NoCompare | DomainName, Sides: []string{"fd.sip"}, Doc: "the server's address is one of the name's", From: bothAttrs, Get: domain(serverEnd)},
	{Name: "fd.lip.name", Type: CharBuf, Flags: NoCompare | DomainName, Sides: []string{"fd.lip"}, Doc: "this side's address is one of the name's", From: bothAttrs, Get: domain(nearEnd)},
	{Name: "fd.rip.name", Type: CharBuf, Flags: NoCompare | DomainName, Sides: []string{"fd.rip"}, Doc: "the other side's address is one of the name's", From: bothAttrs, Get: domain(farEnd)},

	{Name: "fd.l4proto", Type: CharBuf, Doc: "tcp, udp, icmp or raw; <NA> for other descriptors", From: []Attr{AttrNetTransport}, Get: func(c *Context, _ *Arg, v *Value) {
		if c.fdinfo().state != fdKnown {
			return
		}
		v.SetText("<NA>")
		if t := c.transport(); c.isIP() && t != "" {
			v.SetText(t)
		}
	}},
	{Name: "fd.sockfamily", Type: CharBuf, Doc: "ip or unix", From: []Attr{AttrNetType}, Get: func(c *Context, _ *Arg, v *Value) {
		switch {
		case c.isIP():
			v.SetText("ip")
		case c.isSocket() && c.fdinfo().state == fdKnown:
			v.SetText("unix")
		}
	}},
	{Name: "fd.is_server", Type: Boolean, Doc: "this side is the server", From: localAttrs, Get: func(c *Context, _ *Arg, v *Value) {
		if c.fdinfo().state == fdKnown {
			v.SetBool(c.socket().role == roleServer)
		}
	}},
	{Name: "fd.connected", Type: Boolean, Doc: "the socket was connected before a send or receive, or by this call", From: []Attr{AttrSocketConnected}, Get: func(c *Context, _ *Arg, v *Value) {
		if c.fdinfo().state != fdKnown {
			return
		}
		if n, ok := c.Int(AttrSocketConnected); ok {
			v.SetBool(n != 0)
			return
		}
		v.SetBool(c.does(actConnect) && c.connecting() || c.does(actAccept))
	}},
}

// Which end of a socket a field is about.
func clientEnd(s *socket) (end, bool) { return s.client(), s.connected() }
func nearEnd(s *socket) (end, bool)   { return s.near(), s.connected() }
func farEnd(s *socket) (end, bool)    { return s.far(), s.connected() }

func serverEnd(s *socket) (end, bool) {
	if s.bound() {
		return s.local, true
	}
	return s.server(), s.connected()
}

func ip(side func(*socket) (end, bool)) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		s := c.socket()
		// A datagram leaves a socket that is not connected from whatever address
		// the route has: with a peer, "any address" is none.
		if e, ok := side(s); ok && (!s.connected() || !e.addr.IsUnspecified()) {
			v.SetIP(e.addr)
		}
	}
}

func port(side func(*socket) (end, bool)) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if e, ok := side(c.socket()); ok {
			v.SetUint(uint64(e.port))
		}
	}
}

// domain is the name among those that rules use that has the address.
func domain(side func(*socket) (end, bool)) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if e, ok := side(c.socket()); ok && c.Names != nil {
			if name, ok := c.Names.NameOf(e.addr); ok {
				v.SetText(name)
			}
		}
	}
}

func portText(side func(*socket) (end, bool)) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if e, ok := side(c.socket()); ok {
			start := len(c.buf)
			c.buf = strconv.AppendUint(c.buf, uint64(e.port), 10)
			v.SetText(c.own(start))
		}
	}
}

// SocketKnown reports whether the event has a descriptor about which something
// is known, and whether that is an IP socket.
func (c *Context) SocketKnown() (known, isIP bool) {
	return c.fdinfo().state == fdKnown, c.isIP()
}

// ParseIP reads an address as a rule or a test gives it.
func ParseIP(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, err
	}
	if a.Zone() != "" {
		return netip.Addr{}, errors.New("an address of a rule has no zone")
	}
	return a.Unmap(), nil
}
