package bpf

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
)

// told reports which of some paths the agent tells when they are opened.
func told(t *testing.T, a *Agent, open func(path string), paths ...string) map[string]bool {
	t.Helper()
	_, err := a.Security().Drain(func([]byte) {})
	require.NoError(t, err)
	for _, p := range paths {
		open(p)
	}
	out := map[string]bool{}
	var ev event.Event
	_, err = a.Security().Drain(func(raw []byte) {
		require.NoError(t, event.Decode(raw, &ev))
		if ev.Type != event.TypeSyscall || ev.Key.TGID != a.Self() || !strings.HasPrefix(ev.Syscall.Name(), "open") {
			return
		}
		name := string(ev.Syscall.Args[1].Bytes)
		if slices.Contains(paths, name) {
			out[name] = true
			if ev.Syscall.Return >= 0 {
				assert.NotEmpty(t, ev.Syscall.Result.Path, name)
				assert.NotZero(t, ev.Syscall.Result.File.Inode, name)
			}
		}
	})
	require.NoError(t, err)
	return out
}

func opening(flags int) func(string) {
	return func(path string) {
		if fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0); err == nil {
			_ = unix.Close(fd)
		}
	}
}

// opening2 does it by openat2.
func opening2(flags int) func(string) {
	return func(path string) {
		if fd, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{Flags: uint64(flags) | unix.O_CLOEXEC}); err == nil {
			_ = unix.Close(fd)
		}
	}
}

func onlyFor(c interest.Class, w interest.Wish) *interest.Filter {
	f := &interest.Filter{}
	f[c] = w
	return f
}

// TestFilters opens files by names that are wanted and by others.
func TestFilters(t *testing.T) {
	dir := realTempDir(t)
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("/etc/hostname", link))
	readOK := interest.ClassOf(3, unix.O_RDONLY)
	named := interest.Wish{Named: interest.BeginningsOf("/etc/hostname"+interest.Whole, "/usr/bin/", "//")}
	resolved := interest.Wish{Resolved: interest.BeginningsOf("/etc/hostname"+interest.Whole, "/proc/")}
	both := named.Or(&resolved)
	set := func(f *interest.Filter) interest.Set {
		return interest.Names("kill").With("openat", f).With("openat2", f)
	}
	paths := []string{
		"/etc/hostname", "/etc/passwd", "/etc//hostname", "/etc/../etc/passwd", "/etc/./passwd", "/usr/bin/env", "/usr/bin", "/usr/bin/",
		link, "/", "/proc/self/stat", "/etc/hostname-none", "/dev/null", strings.Repeat("/usr", 1) + "/share", "/etc/passwd/.",
	}
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		for _, tt := range []struct {
			name   string
			filter *interest.Filter
			open   func(string)
			want   []string
		}{
			{"none", &interest.Filter{}, opening(unix.O_RDONLY), nil},
			{"another class", onlyFor(interest.ClassOf(3, unix.O_WRONLY), interest.Wish{Any: true}), opening(unix.O_RDONLY), nil},
			{"failed", onlyFor(interest.ClassOf(-1, 0), interest.Wish{Any: true}), opening(unix.O_RDONLY), []string{"/etc/hostname-none", "/etc/passwd/."}},
			{"named", onlyFor(readOK, named), opening(unix.O_RDONLY), []string{
				"/etc/hostname", "/etc//hostname", "/etc/../etc/passwd", "/etc/./passwd", "/usr/bin/env", "/usr/bin", "/usr/bin/",
			}},
			{"resolved", onlyFor(readOK, resolved), opening(unix.O_RDONLY), []string{
				"/etc/hostname", "/etc//hostname", link, "/proc/self/stat",
			}},
			{"both", onlyFor(readOK, both), opening(unix.O_RDONLY), []string{
				"/etc/hostname", "/etc//hostname", "/etc/../etc/passwd", "/etc/./passwd", "/usr/bin/env", "/usr/bin", "/usr/bin/",
				link, "/proc/self/stat",
			}},
			{"openat2", onlyFor(readOK, resolved), opening2(unix.O_RDONLY), []string{
				"/etc/hostname", "/etc//hostname", link, "/proc/self/stat",
			}},
		} {
			_, err := a.SetInterest(set(tt.filter))
			require.NoError(t, err)
			got := told(t, a, tt.open, paths...)
			for _, p := range paths {
				assert.Equal(t, slices.Contains(tt.want, p), got[p], "%s: %s", tt.name, p)
			}
		}
		var st unix.Stat_t
		require.NoError(t, unix.Stat("/etc/passwd", &st))
		require.NoError(t, a.SetKnownFiles([]uint64{st.Ino}, nil))
		_, err := a.SetInterest(set(onlyFor(readOK, resolved)))
		require.NoError(t, err)
		got := told(t, a, opening(unix.O_RDONLY), "/etc/passwd", "/dev/null", "/usr/bin")
		assert.Equal(t, map[string]bool{"/etc/passwd": true}, got, "known by its inode")

		dir := realTempDir(t)
		written, other := filepath.Join(dir, "made"), filepath.Join(t.TempDir(), "other")
		require.NoError(t, unix.Stat(dir, &st))
		require.NoError(t, a.SetKnownFiles(nil, []uint64{st.Ino}))
		_, err = a.SetInterest(set(onlyFor(interest.ClassOf(3, unix.O_WRONLY), resolved)))
		require.NoError(t, err)
		got = told(t, a, opening(unix.O_WRONLY|unix.O_CREAT), written, other)
		assert.Equal(t, map[string]bool{written: true}, got, "known by the directory's inode")
		got = told(t, a, opening(unix.O_RDONLY), written)
		assert.Empty(t, got, "read only")
		require.NoError(t, a.SetKnownFiles(nil, nil))
		settle(t, a)
	})
}

// TestFiltersLoseNothing opens paths made at random under filters made at random:
// whatever a beginning fits must be told.
func TestFiltersLoseNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	parts := []string{"etc", "usr", "bin", "shadow", "lib", "x", "longernames", "eightchr", ".x", "a.", "..", ".", "", "systemd", "share"}
	path := func() string {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString("/" + parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	a := share(t, false)
	for range 40 {
		var named []string
		for range 1 + r.IntN(5) {
			p := path()
			named = append(named, p[:1+r.IntN(len(p))]+[]string{"", "/", interest.Whole}[r.IntN(3)])
		}
		w := interest.Wish{Named: interest.BeginningsOf(named...), Resolved: interest.BeginningsOf(named...)}
		f := &interest.Filter{}
		for c := range f {
			f[c] = w
		}
		_, err := a.SetInterest(interest.Names("kill").With("openat", f))
		require.NoError(t, err)
		var paths []string
		for range 60 {
			paths = append(paths, path())
		}
		got := told(t, a, opening(unix.O_RDONLY), paths...)
		for _, p := range paths {
			plain := strings.TrimSuffix(p, "/") + interest.Whole
			if !interest.IsPlain([]byte(p)) || w.Named.Match([]byte(plain)) {
				require.True(t, got[p], "%q is left out by %q", p, named)
			}
		}
	}
}

// TestFiltersOfSockets sends over sockets of each kind: what is left out is
// exactly one kind.
func TestFiltersOfSockets(t *testing.T) {
	socket := func(family, kind int) int {
		fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	server := socket(unix.AF_INET, unix.SOCK_DGRAM)
	require.NoError(t, unix.Bind(server, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(server)
	require.NoError(t, err)
	to := name.(*unix.SockaddrInet4)
	free, bound := socket(unix.AF_INET, unix.SOCK_DGRAM), socket(unix.AF_INET, unix.SOCK_DGRAM)
	require.NoError(t, unix.Connect(bound, to))
	six := socket(unix.AF_INET6, unix.SOCK_DGRAM)
	require.NoError(t, unix.Connect(six, &unix.SockaddrInet6{Addr: [16]byte{10: 0xff, 0xff, 127, 0, 0, 1}, Port: to.Port}))
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) })
	const none = -1 // no descriptor
	sends := func() {
		for range 2 { // what one send has left must not count for the next
			require.NoError(t, unix.Sendto(free, []byte("a"), 0, to))
			require.NoError(t, unix.Send(bound, []byte("b"), 0))
			require.NoError(t, unix.Send(six, []byte("c"), 0))
			require.NoError(t, unix.Send(pair[0], []byte("d"), 0))
			require.Error(t, unix.Send(none, []byte("e"), 0))
		}
	}
	kinds := map[int32]uint64{
		int32(free): interest.SocketOther, int32(bound): interest.SocketConnected, int32(six): interest.SocketConnected,
		int32(pair[0]): interest.SocketUnix, none: interest.SocketOther,
	}
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		for _, out := range []uint64{interest.SocketOther, interest.SocketConnected, interest.SocketUnix} {
			f := interest.Everything()
			f[interest.ClassOf(0, out)], f[interest.ClassOf(-1, out)] = interest.Wish{}, interest.Wish{}
			_, err := a.SetInterest(interest.Set{}.With("sendto", f))
			require.NoError(t, err)
			_, err = a.Security().Drain(func([]byte) {})
			require.NoError(t, err)
			sends()
			got := map[int32]int{}
			var ev event.Event
			_, err = a.Security().Drain(func(raw []byte) {
				require.NoError(t, event.Decode(raw, &ev))
				if ev.Type != event.TypeSyscall || ev.Key.TGID != a.Self() || ev.Syscall.Name() != "sendto" {
					return
				}
				fd := &ev.Syscall.Args[0]
				if _, mine := kinds[fd.Int()]; !mine {
					return
				}
				got[fd.Int()]++
				assert.Equal(t, kinds[fd.Int()], interest.SocketKind(fd.Socket.Family, fd.Socket.PeerPort))
				assert.NotEmpty(t, ev.Syscall.Args[1].Bytes)
				assert.Zero(t, ev.Flags&(event.FlagLate|event.FlagNoEnter))
			})
			require.NoError(t, err)
			for fd, kind := range kinds {
				want := 2
				if kind == out {
					want = 0
				}
				assert.Equal(t, want, got[fd], "%d without kind %d", fd, out)
			}
		}
		settle(t, a)
	})
}
