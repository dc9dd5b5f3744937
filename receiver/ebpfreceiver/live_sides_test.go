package ebpfreceiver

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/schema"
)

// connection is a pair of sockets of this process that are connected by TCP, by
// calls alone: the libraries' own sockets are read and written without sendto.
func connection(t *testing.T) (made, accepted int) {
	t.Helper()
	socket := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	listening := socket()
	require.NoError(t, unix.Bind(listening, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(listening, 1))
	at, err := unix.Getsockname(listening)
	require.NoError(t, err)
	made = socket()
	require.NoError(t, unix.Connect(made, at))
	accepted, _, err = unix.Accept4(listening, unix.SOCK_CLOEXEC)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(accepted) })
	return made, accepted
}

// TestLiveSides: who made a connection is known of one that is older than the
// agent, and where both ports are of those that the kernel hands out.
func TestLiveSides(t *testing.T) {
	made, accepted := connection(t)
	l := newLive(t, nil)
	h := l.registry.Register("test", interest.Names("sendto", "shutdown"))
	t.Cleanup(h.Release)
	l.start(t)
	require.NoError(t, unix.Send(made, []byte("ask"), 0))
	require.NoError(t, unix.Send(accepted, []byte("answer"), 0))
	require.NoError(t, unix.Shutdown(accepted, unix.SHUT_RDWR))
	for _, tt := range []struct {
		call string
		fd   int
		side string
	}{{"sendto", made, "client"}, {"sendto", accepted, "server"}, {"shutdown", accepted, "server"}} {
		f := l.find(t, schema.EventSyscall, func(f found) bool {
			return f.text(schema.SyscallName) == tt.call && f.text(schema.Self) == "true" && f.text(schema.FileDescriptor) == strconv.Itoa(tt.fd)
		})
		require.Equal(t, tt.side, f.text(schema.SocketRole), "%s by %d", tt.call, tt.fd)
		require.Equal(t, "true", f.text(schema.SocketConnected))
	}
}
