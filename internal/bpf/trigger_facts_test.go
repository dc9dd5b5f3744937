package bpf

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// facts is what the test itself knows of an argument or result, to compare with
// the record.
type facts struct {
	path   string // of a descriptor, by /proc; "" when not compared
	stat   *unix.Stat_t
	socket *socketFacts
}

type socketFacts struct {
	family, kind        uint16
	localPort, peerPort uint16
	localAddr, peerAddr [16]byte
	localPath, peerPath string
}

// descriptorFacts asks /proc and the socket calls about a descriptor.
func descriptorFacts(fd int) facts {
	var f facts
	if fd == unix.AT_FDCWD {
		f.path, _ = os.Readlink("/proc/thread-self/cwd")
		return f
	}
	f.path, _ = os.Readlink(fmt.Sprintf("/proc/thread-self/fd/%d", fd))
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return f
	}
	f.stat = &st
	if st.Mode&unix.S_IFMT == unix.S_IFSOCK {
		f.socket = askSocket(fd)
	}
	return f
}

func askSocket(fd int) *socketFacts {
	s := &socketFacts{}
	domain, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	kind, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	s.family, s.kind = uint16(domain), uint16(kind)
	if sa, err := unix.Getsockname(fd); err == nil {
		s.localPort, s.localAddr, s.localPath = splitSockaddr(sa)
	}
	if sa, err := unix.Getpeername(fd); err == nil {
		s.peerPort, s.peerAddr, s.peerPath = splitSockaddr(sa)
	}
	return s
}

func splitSockaddr(sa unix.Sockaddr) (port uint16, addr [16]byte, path string) {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		copy(addr[:], sa.Addr[:])
		return uint16(sa.Port), addr, ""
	case *unix.SockaddrInet6:
		return uint16(sa.Port), sa.Addr, ""
	case *unix.SockaddrUnix:
		return 0, addr, sa.Name
	default:
		return 0, addr, ""
	}
}

// compareDescriptor compares what the record says is behind a descriptor.
// Changing: the call itself gave the socket addresses, so that they differ from
// what was there before it.
func compareDescriptor(t *testing.T, name string, want *facts, got *event.Arg, changing bool) {
	t.Helper()
	if want.socket != nil {
		compareSocket(t, want.socket, &got.Socket, changing)
		return
	}
	if want.stat == nil {
		assert.Empty(t, got.Path, name)
		return
	}
	if strings.HasPrefix(want.path, "/") && !strings.HasPrefix(want.path, "/memfd:") {
		assert.Equal(t, want.path, string(got.Path), name)
		assert.Zero(t, got.Flags&event.ArgDetached, name)
	} else {
		assert.NotZero(t, got.Flags&event.ArgDetached, "%s is %s", name, want.path)
	}
	assert.Equal(t, want.stat.Ino, got.File.Inode, name)
	mode := got.File.Mode
	if want.stat.Mode&unix.S_IFMT == 0 { // of what is no file to users, and may be one to the kernel
		mode &^= unix.S_IFMT
	}
	assert.Equal(t, want.stat.Mode, mode, name)
	assert.Equal(t, unix.Major(want.stat.Dev), got.File.Major(), name)
	assert.Equal(t, unix.Minor(want.stat.Dev), got.File.Minor(), name)
}

func compareSocket(t *testing.T, want *socketFacts, got *event.Socket, changing bool) {
	t.Helper()
	assert.Equal(t, want.family, got.Family)
	assert.Equal(t, want.kind, got.Type)
	assert.NotZero(t, got.NetNS)
	if changing {
		return
	}
	assert.Equal(t, want.localPort, got.LocalPort)
	assert.Equal(t, want.localAddr, got.LocalAddr)
	assert.Equal(t, want.peerPort, got.PeerPort)
	assert.Equal(t, want.peerAddr, got.PeerAddr)
	assert.Equal(t, want.localPath, strings.Replace(string(got.LocalPath), "\x00", "@", 1))
	assert.Equal(t, want.peerPath, strings.Replace(string(got.PeerPath), "\x00", "@", 1))
}
