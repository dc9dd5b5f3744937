package main

import (
	"encoding/hex"
	"errors"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

var networkVerbs = map[string]verb{
	"connect":      simple(connect),
	"send":         simple(send),
	"sendmsg":      simple(sendmsg),
	"serve":        simple(serve),
	"download":     simple(download),
	"packet":       simple(packet),
	"redirect":     simple(redirect),
	"bind-shell":   simple(bindShell),
	"listen-unix":  simple(listenUnix),
	"connect-unix": simple(connectUnix),
}

// socket makes a socket of a network (tcp, udp) for an address (host:port).
func socket(network, to string) (int, unix.Sockaddr, error) {
	peer, err := netip.ParseAddrPort(to)
	if err != nil {
		return 0, nil, err
	}
	kind := unix.SOCK_STREAM
	if network == "udp" {
		kind = unix.SOCK_DGRAM
	}
	var family int
	var sa unix.Sockaddr
	if peer.Addr().Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: int(peer.Port()), Addr: peer.Addr().As4()}
	} else {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: int(peer.Port()), Addr: peer.Addr().As16()}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	return fd, sa, err
}

// connect NETWORK HOST:PORT, without waiting for the answer.
func connect(_ *actor, args []string) error {
	fd, sa, err := socket(args[0], args[1])
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Connect(fd, sa); !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return nil
}

// send HOST:PORT: a datagram, on a socket that is not connected.
func send(_ *actor, args []string) error {
	fd, sa, err := socket("udp", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Sendto(fd, []byte("x"), 0, sa)
}

func sendmsg(_ *actor, args []string) error {
	fd, sa, err := socket("udp", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Sendmsg(fd, []byte("x"), nil, sa, 0)
}

// serve HOST:PORT: listens, is connected to, and accepts.
func serve(_ *actor, args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	client, err := net.Dial("tcp", args[0])
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	server, err := l.Accept()
	if err != nil {
		return err
	}
	return server.Close()
}

// download NETWORK HOST:PORT HEX: receives those bytes from a server that it is
// itself.
func download(_ *actor, args []string) error {
	content, err := hex.DecodeString(args[2])
	if err != nil {
		return err
	}
	if args[0] == "udp" {
		return datagram(args[1], content)
	}
	l, err := net.Listen(args[0], args[1])
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	fd, sa, err := socket(args[0], args[1])
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetNonblock(fd, false); err != nil {
		return err
	}
	if err := unix.Connect(fd, sa); err != nil {
		return err
	}
	server, err := l.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	if _, err := server.Write(content); err != nil {
		return err
	}
	_, _, err = unix.Recvfrom(fd, make([]byte, len(content)), 0)
	return err
}

// datagram receives what another socket sends to the address.
func datagram(address string, content []byte) error {
	fd, sa, err := socket("udp", address)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Bind(fd, sa); err != nil {
		return err
	}
	client, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if _, err := client.Write(content); err != nil {
		return err
	}
	_, _, err = unix.Recvfrom(fd, make([]byte, len(content)), 0)
	return err
}

// packet: a raw socket below all protocols.
func packet(*actor, []string) error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// redirect: a connection becomes the standard input, as a reverse shell does.
func redirect(*actor, []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	fd, sa, err := socket("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Connect(fd, sa); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return unix.Dup2(fd, 0)
}

// bindShell: the copy of an accepted connection becomes the standard output.
func bindShell(*actor, []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	server, err := l.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	file, err := server.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return unix.Dup3(int(file.Fd()), 1, 0)
}

// listenUnix PATH: a socket of the file system that stays until this process ends.
func listenUnix(a *actor, args []string) error {
	l, err := net.Listen("unix", args[0])
	a.held = append(a.held, l)
	return err
}

func connectUnix(_ *actor, args []string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Connect(fd, &unix.SockaddrUnix{Name: args[0]})
}
