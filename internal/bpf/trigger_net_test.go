package bpf

import (
	"encoding/binary"
	"path/filepath"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// loopback is 127.0.0.1 and a port.
func loopback(port int) sockaddr {
	s := sockaddr{family: unix.AF_INET, port: uint16(port), addr: [16]byte{127, 0, 0, 1}}
	s.raw = binary.NativeEndian.AppendUint16(nil, s.family)
	s.raw = binary.BigEndian.AppendUint16(s.raw, s.port)
	s.raw = append(s.raw, s.addr[:4]...)
	s.raw = append(s.raw, make([]byte, 8)...)
	return s
}

// unixAddress is a path, or an abstract name when it begins with NUL.
func unixAddress(path string) sockaddr {
	s := sockaddr{family: unix.AF_UNIX, path: path}
	s.raw = binary.NativeEndian.AppendUint16(nil, s.family)
	s.raw = append(s.raw, path...)
	if path[0] != 0 {
		s.raw = append(s.raw, 0)
	}
	return s
}

// socketOf makes a socket.
func socketOf(c *call, family, kind int) int {
	c.t.Helper()
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// listener listens on 127.0.0.1.
func listener(c *call) (fd, port int) {
	c.t.Helper()
	fd = socketOf(c, unix.AF_INET, unix.SOCK_STREAM)
	require.NoError(c.t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(c.t, unix.Listen(fd, 8))
	sa, err := unix.Getsockname(fd)
	require.NoError(c.t, err)
	return fd, sa.(*unix.SockaddrInet4).Port
}

// knock connects to a port of 127.0.0.1.
func knock(c *call, port int) {
	c.t.Helper()
	fd := socketOf(c, unix.AF_INET, unix.SOCK_STREAM)
	require.NoError(c.t, unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}))
}

// netTriggers make the calls about sockets.
var netTriggers = map[string]func(c *call){
	"socket": func(c *call) {
		c.ok(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, unix.IPPROTO_UDP)
		c.want = func(ev *event.Event) {
			assert.EqualValues(c.t, unix.IPPROTO_UDP, ev.Syscall.Result.Socket.Protocol)
		}
	},
	"bind": func(c *call) {
		fd := socketOf(c, unix.AF_UNIX, unix.SOCK_STREAM)
		path := filepath.Join(realTempDir(c.t), "s")
		addr := unixAddress(path)
		c.ok(fd, addr, len(addr.raw))
		c.want = func(ev *event.Event) {
			assert.Equal(c.t, path, string(ev.Syscall.Args[0].Socket.LocalPath))
		}
	},
	"listen": func(c *call) {
		fd := socketOf(c, unix.AF_INET, unix.SOCK_STREAM)
		require.NoError(c.t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
		c.ok(fd, 5)
	},
	"connect": func(c *call) {
		_, port := listener(c)
		fd := socketOf(c, unix.AF_INET, unix.SOCK_STREAM)
		addr := loopback(port)
		c.ok(fd, addr, len(addr.raw))
		local, err := unix.Getsockname(fd)
		require.NoError(c.t, err)
		c.want = func(ev *event.Event) {
			s := &ev.Syscall.Args[0].Socket
			assert.EqualValues(c.t, local.(*unix.SockaddrInet4).Port, s.LocalPort)
			assert.EqualValues(c.t, port, s.PeerPort)
			assert.Equal(c.t, [16]byte{127, 0, 0, 1}, s.LocalAddr)
			assert.Equal(c.t, [16]byte{127, 0, 0, 1}, s.PeerAddr)
			assert.EqualValues(c.t, unix.IPPROTO_TCP, s.Protocol)
		}
	},
	"accept": func(c *call) {
		fd, port := listener(c)
		knock(c, port)
		c.ok(fd, 0, 0)
	},
	"accept4": func(c *call) {
		fd, port := listener(c)
		knock(c, port)
		c.ok(fd, 0, 0, unix.SOCK_CLOEXEC)
	},
}
