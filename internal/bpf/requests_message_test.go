package bpf

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   uint32
}

// messagesOf describes buffers as messages, each to or from its own address.
func messagesOf(bufs [][]byte, names []unix.RawSockaddrInet4) []mmsghdr {
	all := make([]mmsghdr, len(bufs))
	for i := range all {
		h := &all[i].hdr
		if names != nil {
			h.Name, h.Namelen = (*byte)(unsafe.Pointer(&names[i])), unix.SizeofSockaddrInet4
		}
		h.Iov = &unix.Iovec{Base: &bufs[i][0], Len: uint64(len(bufs[i]))}
		h.Iovlen = 1
	}
	return all
}

// several makes a sendmmsg or recvmmsg.
func several(nr uintptr, fd int, m []mmsghdr) error {
	n, _, errno := unix.Syscall6(nr, uintptr(fd), uintptr(unsafe.Pointer(&m[0])), uintptr(len(m)), 0, 0, 0)
	if errno != 0 || int(n) != len(m) {
		return fmt.Errorf("call %d: %d of %d messages: %w", nr, n, len(m), errno)
	}
	return nil
}

// udp makes a socket that is bound to an address of 127.0.0.0/8.
func udp(last byte, port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	return fd, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, last}, Port: port})
}

// talkDatagrams asks a server at a port, in all ways that programs have: each
// datagram tells which.
func talkDatagrams() error {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	server, err := udp(1, port)
	if err != nil {
		return err
	}
	to := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}
	loose, err := udp(2, 0)
	if err != nil {
		return err
	}
	tied, err := udp(3, 0)
	if err != nil {
		return err
	}
	other, err := udp(4, 0)
	if err != nil {
		return err
	}
	otherAt, err := unix.Getsockname(other)
	if err != nil {
		return err
	}
	dual, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	b := make([]byte, 64)
	var from unix.Sockaddr
	hear := func(fd int) func() error {
		return func() error { _, from, err = unix.Recvfrom(fd, b, 0); return err }
	}
	msg := func(fd int) func() error {
		return func() error { _, _, _, from, err = unix.Recvmsg(fd, b, nil, 0); return err }
	}
	for _, do := range []func() error{
		// a watched port, by name
		func() error { return unix.Sendto(loose, []byte("Q sendto"), 0, to) },
		hear(server),
		func() error { return unix.Sendto(server, []byte("R sendto"), 0, from) },
		hear(loose),
		func() error { return unix.Sendmsg(loose, []byte("Q sendmsg"), nil, to, 0) },
		msg(server),
		func() error { return unix.Sendmsg(server, []byte("R sendmsg"), nil, from, 0) },
		msg(loose),
		// the answer's sender is not asked for
		func() error { return unix.Sendto(loose, []byte("Q unnamed"), 0, to) },
		hear(server),
		func() error { return unix.Sendto(server, []byte("R unnamed"), 0, from) },
		func() error { _, err := unix.Read(loose, b); return err },
		// connected
		func() error { return unix.Connect(tied, to) },
		func() error { _, err := unix.Write(tied, []byte("Q connected")); return err },
		hear(server),
		func() error { return unix.Sendto(server, []byte("R connected"), 0, from) },
		func() error { _, err := unix.Read(tied, b); return err },
		// a peek, which leaves the datagram, and a part of a datagram
		func() error { return unix.Sendto(loose, []byte("Q peek, and the rest"), 0, to) },
		func() error { _, _, err := unix.Recvfrom(server, b, unix.MSG_PEEK); return err },
		func() error { _, _, err := unix.Recvfrom(server, b[:6], unix.MSG_TRUNC); return err },
		// an IPv4 peer of a socket of IPv6
		func() error { return unix.Sendto(dual, []byte("Q dual"), 0, mapped(port)) },
		hear(server),
		// what looks like no message, and other ports
		func() error { return unix.Sendto(loose, []byte("no message"), 0, to) },
		hear(server),
		func() error { return unix.Sendto(loose, []byte("Q other"), 0, otherAt) },
		hear(other),
		func() error { return unix.Sendto(other, []byte("R other"), 0, from) },
		hear(loose),
		// nobody there
		func() error { return unix.Close(server) },
		func() error { _, err := unix.Write(tied, []byte("Q nobody")); return err },
		func() error {
			if _, err := unix.Read(tied, b); !errors.Is(err, unix.ECONNREFUSED) {
				return fmt.Errorf("want a refusal: %w", err)
			}
			return nil
		},
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func mapped(port int) *unix.SockaddrInet6 {
	return &unix.SockaddrInet6{Port: port, Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}}
}

// freeUDPPort is a port that nobody uses now.
func freeUDPPort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func datagramsAt(port int) Options {
	q, r := startsWith(5, "Q ", 64), startsWith(5, "R ", 64)
	q.Datagram, r.Datagram = true, true
	return Options{Signatures: []event.Signature{q, r}, DatagramPorts: []uint16{uint16(port)}}
}

// heardDatagram is what matters of a record.
type heardDatagram struct {
	text      string
	dir       event.Direction
	role      event.Role
	local     string
	peer      string
	localPort bool // is the watched one
	peerPort  bool
	err       int32
}

func datagramsOf(t *testing.T, all []event.Request, port int) (out []heardDatagram) {
	t.Helper()
	for i := range all {
		r := &all[i]
		require.NotZero(t, r.Flags&event.RequestDatagram)
		require.EqualValues(t, 5, r.Class)
		require.NotZero(t, r.LocalPort)
		require.NotZero(t, r.PeerPort)
		if r.Direction == event.Send && r.Bytes > 0 {
			require.NotZero(t, r.Enter)
		}
		n := 4
		if r.Family == unix.AF_INET6 {
			n = 16
		}
		out = append(out, heardDatagram{
			text: string(r.Payload), dir: r.Direction, role: r.Role, err: r.Error,
			local: net.IP(r.LocalAddr[:n]).String(), peer: net.IP(r.PeerAddr[:n]).String(),
			localPort: int(r.LocalPort) == port, peerPort: int(r.PeerPort) == port,
		})
	}
	return out
}

// pass is a datagram from a client to the server at 127.0.0.1, or back: what
// both ends are heard to do.
func pass(client, text string) []heardDatagram {
	c := heardDatagram{text: text, role: event.RoleClient, local: client, peer: "127.0.0.1", peerPort: true}
	s := heardDatagram{text: text, role: event.RoleServer, local: "127.0.0.1", peer: client, localPort: true}
	if text[0] == 'Q' {
		c.dir, s.dir = event.Send, event.Receive
		return []heardDatagram{c, s}
	}
	c.dir, s.dir = event.Receive, event.Send
	return []heardDatagram{s, c}
}

func TestDatagrams(t *testing.T) {
	port := freeUDPPort(t)
	got := datagramsOf(t, heard(t, datagramsAt(port), "datagrams", strconv.Itoa(port)), port)
	var want []heardDatagram
	for _, text := range []string{"Q sendto", "R sendto", "Q sendmsg", "R sendmsg", "Q unnamed", "R unnamed"} {
		want = append(want, pass("127.0.0.2", text)...)
	}
	for _, text := range []string{"Q connected", "R connected"} {
		want = append(want, pass("127.0.0.3", text)...)
	}
	peek := pass("127.0.0.2", "Q peek, and the rest")
	peek[1].text = "Q peek"
	want = append(want, peek...)
	dual := pass("127.0.0.1", "Q dual")
	dual[0].local = "::" // IPv6, and not bound to an address
	want = append(want, dual...)
	nobody := pass("127.0.0.3", "Q nobody")[0]
	refused := nobody
	refused.text, refused.dir, refused.err = "", event.Receive, -int32(unix.ECONNREFUSED)
	want = append(want, nobody, refused)
	require.Equal(t, want, got)
}

// talkMessages moves several messages with one call.
func talkMessages() error {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	server, err := udp(1, port)
	if err != nil {
		return err
	}
	client, err := udp(2, 0)
	if err != nil {
		return err
	}
	to := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: uint16(port>>8 | port<<8), Addr: [4]byte{127, 0, 0, 1}}
	texts := [][]byte{[]byte("Q A"), []byte("Q AAAA")}
	if err := several(unix.SYS_SENDMMSG, client, messagesOf(texts, []unix.RawSockaddrInet4{to, to})); err != nil {
		return err
	}
	bufs := [][]byte{make([]byte, 64), make([]byte, 64)}
	if err := several(unix.SYS_RECVMMSG, server, messagesOf(bufs, make([]unix.RawSockaddrInet4, 2))); err != nil {
		return err
	}
	one, other, err := connection()
	if err != nil {
		return err
	}
	if err := several(unix.SYS_SENDMMSG, one, messagesOf([][]byte{[]byte("S first"), []byte("and more")}, nil)); err != nil {
		return err
	}
	_, err = unix.Read(other, make([]byte, 64))
	return err
}

// TestSeveralMessages: each message of sendmmsg and recvmmsg is a record, of
// datagrams as of streams.
func TestSeveralMessages(t *testing.T) {
	port := freeUDPPort(t)
	opts := datagramsAt(port)
	s := startsWith(6, "S ", 64)
	s.Every = true
	opts.Signatures = append(opts.Signatures, s)
	all := heard(t, opts, "messages", strconv.Itoa(port))
	require.Equal(t, 7, len(all)) //nolint:testifylint // Len would print them all
	got := datagramsOf(t, all[:4], port)
	a, b := pass("127.0.0.2", "Q A"), pass("127.0.0.2", "Q AAAA")
	require.Equal(t, []heardDatagram{a[0], b[0], a[1], b[1]}, got)
	for i, want := range []struct {
		text     string
		position uint64
	}{{"S first", 0}, {"and more", 7}, {"S firstand more", 0}} {
		r := &all[4+i]
		require.Equal(t, want.text, string(r.Payload))
		require.Equal(t, want.position, r.Position)
		require.EqualValues(t, len(want.text), r.Bytes)
	}
}

// TestDatagramsOfOtherPorts: nobody is told of them.
func TestDatagramsOfOtherPorts(t *testing.T) {
	port := freeUDPPort(t)
	require.Empty(t, heard(t, datagramsAt(1), "datagrams", strconv.Itoa(port)))
}
