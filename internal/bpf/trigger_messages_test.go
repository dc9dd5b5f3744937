package bpf

import (
	"encoding/binary"
	"strings"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// udpSocket is bound to a port of 127.0.0.1.
func udpSocket(c *call) (fd, port int) {
	c.t.Helper()
	fd = socketOf(c, unix.AF_INET, unix.SOCK_DGRAM)
	require.NoError(c.t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	sa, err := unix.Getsockname(fd)
	require.NoError(c.t, err)
	return fd, sa.(*unix.SockaddrInet4).Port
}

// mail puts a datagram into a new socket and tells who sent it.
func mail(c *call, text string) (fd int, sender sockaddr) {
	c.t.Helper()
	fd, port := udpSocket(c)
	out, mine := udpSocket(c)
	require.NoError(c.t, unix.Sendto(out, []byte(text), 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}))
	return fd, loopback(mine)
}

// sizeOf is room for the length of an address, which is told to the kernel.
func sizeOf(n uint32) data { return binary.NativeEndian.AppendUint32(nil, n) }

// messageTriggers make the calls that move data over sockets.
var messageTriggers = map[string]func(c *call){
	"sendto": func(c *call) {
		_, port := udpSocket(c)
		fd, _ := udpSocket(c)
		addr, text := loopback(port), data(strings.Repeat("long enough to be cut ", 8))
		c.ok(fd, text, len(text), unix.MSG_DONTWAIT, addr, len(addr.raw))
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, len(text), ev.Syscall.Return) }
	},
	"sendmsg": func(c *call) {
		_, port := udpSocket(c)
		fd, _ := udpSocket(c)
		c.ok(fd, &message{name: loopback(port), parts: [2][]byte{[]byte("hello "), []byte("world")}}, unix.MSG_DONTWAIT)
	},
	"sendmmsg": func(c *call) {
		_, port := udpSocket(c)
		fd, _ := udpSocket(c)
		c.ok(fd, &message{name: loopback(port), parts: [2][]byte{[]byte("one")}}, 1, 0)
	},
	"recvfrom": func(c *call) {
		fd, sender := mail(c, "some text")
		c.ok(fd, make(room, 100), 100, 0, from{raw: new([128]byte), want: sender},
			unsafe.Pointer(&sizeOf(128)[0]))
	},
	"recvmsg": func(c *call) {
		fd, sender := mail(c, "some text")
		c.ok(fd, &message{name: sender, parts: [2][]byte{make([]byte, 100)}, filled: true}, 0)
	},
	"recvmmsg": func(c *call) {
		fd, sender := mail(c, "some text")
		c.want = func(ev *event.Event) { assert.False(c.t, ev.Syscall.Args[0].Socket.Bound, "port 0 is no choice") }
		c.ok(fd, &message{name: sender, parts: [2][]byte{make([]byte, 100)}, filled: true}, 1, 0, 0)
	},
	"shutdown": func(c *call) {
		free, chosen := udpSocket(c)
		require.NoError(c.t, unix.Close(free))
		fd := socketOf(c, unix.AF_INET, unix.SOCK_DGRAM)
		require.NoError(c.t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: chosen}))
		assert.Equal(c.t, -int64(unix.ENOTCONN), c.do(fd, unix.SHUT_WR))
		c.want = func(ev *event.Event) { assert.True(c.t, ev.Syscall.Args[0].Socket.Bound) }
	},
	"setsockopt": func(c *call) {
		on := int32(1)
		c.ok(socketOf(c, unix.AF_INET, unix.SOCK_DGRAM), unix.SOL_SOCKET, unix.SO_REUSEADDR, unsafe.Pointer(&on), 4)
	},
	"getsockopt": func(c *call) {
		value := make(data, 4)
		c.ok(socketOf(c, unix.AF_INET, unix.SOCK_DGRAM), unix.SOL_SOCKET, unix.SO_ERROR, unsafe.Pointer(&value[0]),
			unsafe.Pointer(&sizeOf(4)[0]))
	},
	"socketpair": func(c *call) {
		pair := words32{mem: make([]uint32, 2), told: 2}
		c.ok(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0, pair)
		closeBoth(c, pair)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, unix.AF_UNIX, ev.Syscall.Result.Socket.Family) }
	},
}

func closeBoth(c *call, pair words32) {
	for _, fd := range pair.mem {
		c.t.Cleanup(func() { _ = unix.Close(int(fd)) })
	}
}
