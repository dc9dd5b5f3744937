package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func itoa(n int) string { return strconv.Itoa(n) }

type userHost struct {
	t          *testing.T
	root, proc string
	users      *Users
	now        time.Time
}

func newUserHost(t *testing.T) *userHost {
	t.Helper()
	h := &userHost{t: t, root: t.TempDir(), proc: t.TempDir(), now: time.Unix(1000, 0)}
	h.users = NewUsers(h.root, h.proc)
	h.users.now = func() time.Time { return h.now }
	h.file(h.root, "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n# comment\nbroken\nweb:x:33:33::/var/www:/usr/sbin/nologin\nagain:x:33:33::/:/\n")
	h.file(h.root, "etc/group", "root:x:0:\nwww-data:x:33:web\n")
	return h
}

func (h *userHost) file(root, name, text string) {
	h.t.Helper()
	name = filepath.Join(root, name)
	require.NoError(h.t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(h.t, os.WriteFile(name, []byte(text), 0o600))
}

func TestUsersOfHostAndContainer(t *testing.T) {
	h := newUserHost(t)
	inside := filepath.Join(h.proc, "42/root")
	h.file(inside, "etc/passwd", "app:x:33:33::/app:/bin/sh\n")

	u, ok := h.users.Lookup(0, 1, 33)
	require.True(t, ok)
	require.Equal(t, User{Name: "web", Home: "/var/www", Shell: "/usr/sbin/nologin"}, u)
	g, ok := h.users.Group(0, 1, 33)
	require.True(t, ok)
	require.Equal(t, "www-data", g)

	u, ok = h.users.Lookup(7, 42, 33)
	require.True(t, ok)
	require.Equal(t, "app", u.Name)
	_, ok = h.users.Lookup(7, 42, 0)
	require.False(t, ok, "an id that only the host names")
	_, ok = h.users.Group(7, 42, 33)
	require.False(t, ok)
}

func TestUsersFollowChangesAndOutliveTheProcess(t *testing.T) {
	h := newUserHost(t)
	inside := filepath.Join(h.proc, "42/root")
	h.file(inside, "etc/passwd", "app:x:1000:1000::/:/\n")
	name := func() string { u, _ := h.users.Lookup(7, 42, 1000); return u.Name }
	require.Equal(t, "app", name())
	h.file(inside, "etc/passwd", "renamed:x:1000:1000::/:/\n")
	require.Equal(t, "app", name(), "files are looked at every %v", userRecheck)
	h.now = h.now.Add(userRecheck)
	require.Equal(t, "renamed", name())
	require.NoError(t, os.RemoveAll(filepath.Join(h.proc, "42")))
	h.now = h.now.Add(userRecheck)
	require.Equal(t, "renamed", name())
}

// Who makes a user and logs in as it must not be nobody.
func TestNewUsersOfTheHostAreKnownAtOnce(t *testing.T) {
	h := newUserHost(t)
	_, ok := h.users.Lookup(0, 1, 1000)
	require.False(t, ok)
	h.file(h.root, "etc/passwd", "new:x:1000:1000::/home/new:/bin/sh\n")
	h.file(h.root, "etc/group", "new:x:1000:\n")
	_, ok = h.users.Lookup(0, 1, 1000)
	require.False(t, ok, "files are not looked at for each id that nobody has")
	h.now = h.now.Add(userRetry)
	group, ok := h.users.Group(0, 1, 1000)
	require.True(t, ok)
	require.Equal(t, "new", group)
	u, ok := h.users.Lookup(0, 1, 1000)
	require.True(t, ok)
	require.Equal(t, "new", u.Name)
}

func TestUsersAreAskedOfTheNextProcessWhenOneHasEnded(t *testing.T) {
	h := newUserHost(t)
	_, ok := h.users.Lookup(7, 41, 1000)
	require.False(t, ok, "it has ended")
	h.file(filepath.Join(h.proc, "42/root"), "etc/passwd", "app:x:1000:1000::/:/\n")
	u, ok := h.users.Lookup(7, 42, 1000)
	require.True(t, ok)
	require.Equal(t, "app", u.Name)
	u, _ = h.users.Lookup(7, 41, 1000)
	require.Equal(t, "app", u.Name)
}

// A runtime's process has the host's root until it enters that of its container.
func TestUsersOfAContainerAreNotTheHosts(t *testing.T) {
	h := newUserHost(t)
	link := filepath.Join(h.proc, "42/root")
	require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
	require.NoError(t, os.Symlink(h.root, link))
	_, ok := h.users.Lookup(7, 42, 33)
	require.False(t, ok, "that would be the host's")
	require.NoError(t, os.Remove(link))
	h.file(link, "etc/passwd", "app:x:33:33::/:/\n")
	h.now = h.now.Add(userRetry)
	u, ok := h.users.Lookup(7, 42, 33)
	require.True(t, ok)
	require.Equal(t, "app", u.Name)
}

func TestUsersOfAHostileContainer(t *testing.T) {
	h := newUserHost(t)
	for name, make := range map[string]func(file string) error{
		"link to the host's file": func(f string) error { return os.Symlink(filepath.Join(h.root, "etc/passwd"), f) },
		"link upwards":            func(f string) error { return os.Symlink("../../../../../../etc/passwd", f) },
		"fifo":                    func(f string) error { return unix.Mkfifo(f, 0o600) },
		"directory":               func(f string) error { return os.Mkdir(f, 0o700) },
		"magic link":              func(f string) error { return os.Symlink("/proc/self/root/etc/passwd", f) },
	} {
		t.Run(name, func(t *testing.T) {
			pid := 100 + len(name)
			etc := filepath.Join(h.proc, itoa(pid), "root/etc")
			require.NoError(t, os.MkdirAll(etc, 0o755))
			require.NoError(t, make(filepath.Join(etc, "passwd")))
			_, ok := h.users.Lookup(uint32(pid), uint32(pid), 0)
			require.False(t, ok)
		})
	}
}

// TestUsersOfAContainerThatHoldsItsFilesBack is about a root file system that
// the container serves itself.
func TestUsersOfAContainerThatHoldsItsFilesBack(t *testing.T) {
	h := newUserHost(t)
	answer := make(chan struct{})
	h.users.read = func(root string, known userFiles) userFiles {
		if root != h.root {
			<-answer
			known.users = map[uint32]User{33: {Name: "late"}}
			return known
		}
		return readUsers(root, known)
	}
	for ns := uint32(1); ns <= 3*maxUserReaders; ns++ {
		_, ok := h.users.Lookup(ns, 42, 33)
		require.False(t, ok)
	}
	require.EqualValues(t, maxUserReaders, h.users.reading.Load(), "no more than these are stuck")
	u, ok := h.users.Lookup(0, 1, 33)
	require.True(t, ok)
	require.Equal(t, "web", u.Name, "the host's names do not suffer")
	h.now = h.now.Add(userRecheck)
	h.users.Lookup(1, 42, 33)
	require.EqualValues(t, maxUserReaders, h.users.reading.Load(), "one reader per name space")

	close(answer)
	require.Eventually(t, func() bool {
		u, ok := h.users.Lookup(1, 42, 33)
		return ok && u.Name == "late" && h.users.reading.Load() == 0
	}, time.Minute, time.Millisecond)
	h.now = h.now.Add(userRecheck)
	require.Eventually(t, func() bool {
		_, ok := h.users.Lookup(3*maxUserReaders, 42, 33)
		return ok
	}, time.Minute, time.Millisecond)
}

func TestWaitingForContainersIsBounded(t *testing.T) {
	h := newUserHost(t)
	h.users.window, h.users.waited = h.now, maxUserWaits
	h.file(filepath.Join(h.proc, "42/root"), "etc/passwd", "app:x:33:33::/app:/bin/sh\n")
	require.Eventually(t, func() bool {
		_, ok := h.users.Lookup(7, 42, 33)
		return ok
	}, time.Minute, time.Millisecond, "names come without being waited for")
	require.Equal(t, maxUserWaits, h.users.waited)
}

func TestUserTablesAreBounded(t *testing.T) {
	h := newUserHost(t)
	for ns := uint32(1); ns < 2*maxUserTables; ns++ {
		h.now = h.now.Add(time.Millisecond)
		h.users.Lookup(ns, 42, 0)
	}
	require.LessOrEqual(t, len(h.users.tables), maxUserTables)
	require.Len(t, parsePasswd([]byte(manyUsers(2*maxUsers))), maxUsers)
}

func manyUsers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("u" + itoa(i) + ":x:" + itoa(i) + ":0::/:/\n")
	}
	return b.String()
}

func TestUserLookupsDoNotAllocate(t *testing.T) {
	h := newUserHost(t)
	h.users.Lookup(0, 1, 0)
	require.Zero(t, alloctest.PerRun(100, func() { h.users.Lookup(0, 1, 33) }))
}

func FuzzParsePasswd(f *testing.F) {
	f.Add([]byte("root:x:0:0:root:/root:/bin/bash\n"))
	f.Add([]byte(":::::::\n#\n\xff:x:99999999999:0:::\n"))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		parsePasswd(raw)
		parseGroup(raw)
	})
}
