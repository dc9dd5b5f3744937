package critical

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// told is one change that was told.
type told struct {
	Change
	by []string
}

// watched is an Integrity of a folder that a test drives by hand.
type watched struct {
	*Integrity[string]
	root string
	out  []told
}

func watch(t *testing.T) *watched {
	t.Helper()
	w := &watched{root: t.TempDir()}
	require.NoError(t, os.MkdirAll(w.root+"/etc/sudoers.d", 0o700))
	w.Integrity = NewIntegrity(w.root, func(c Change, by []string) { w.out = append(w.out, told{c, by}) })
	return w
}

func (w *watched) write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(w.root, path), []byte(content), 0o600))
}

// does notes the deed of somebody, who is a process of the name's own.
func (w *watched) does(path, who string, now time.Time) {
	key := event.ProcessKey{TGID: crc32.ChecksumIEEE([]byte(who))}
	w.note(path, Author{Process: key}, now, func() string { return who })
}

// edit is what is told of a deed.
func (w *watched) edit(path string, by ...string) []told {
	w.out = nil
	now := time.Now()
	for _, b := range by {
		w.does(path, b, now)
	}
	w.settle(now.Add(settleTime))
	return w.out
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func TestChanges(t *testing.T) {
	w := watch(t)
	passwd := w.root + "/etc/passwd"
	w.write(t, "etc/passwd", "root")
	w.look(time.Now())
	require.Empty(t, w.out, "the first look has nothing to compare with")

	w.write(t, "etc/passwd", "root and eve")
	got := w.edit("/etc/passwd", "vi")
	require.Len(t, got, 1)
	require.Equal(t, []string{"vi"}, got[0].by)
	require.Equal(t, "/etc/passwd", got[0].Path)
	require.Equal(t, []string{KindContent}, got[0].Kinds)
	require.Equal(t, int64(4), got[0].Before.Size)
	require.Equal(t, sum("root"), got[0].Before.Hash)
	require.Equal(t, int64(12), got[0].After.Size)
	require.Equal(t, sum("root and eve"), got[0].After.Hash)

	require.NoError(t, os.Chmod(passwd, 0o666))
	got = w.edit("/etc/passwd", "chmod")
	require.Len(t, got, 1)
	require.Equal(t, []string{KindMode}, got[0].Kinds)
	require.Equal(t, uint32(unix.S_IFREG|0o600), got[0].Before.Mode)
	require.Equal(t, uint32(unix.S_IFREG|0o666), got[0].After.Mode)

	w.write(t, "etc/new", "other")
	require.NoError(t, os.Rename(w.root+"/etc/new", passwd))
	got = w.edit("/etc/passwd", "mv")
	require.Equal(t, []string{KindContent, KindMode}, got[0].Kinds)
	require.Equal(t, sum("other"), got[0].After.Hash)

	require.NoError(t, os.Remove(passwd))
	got = w.edit("/etc/passwd", "rm")
	require.Equal(t, []string{KindDeleted}, got[0].Kinds)
	require.Equal(t, sum("other"), got[0].Before.Hash)
	require.Equal(t, State{}, got[0].After)

	require.NoError(t, os.Symlink("shadow", passwd))
	got = w.edit("/etc/passwd", "ln")
	require.Equal(t, []string{KindCreated}, got[0].Kinds)
	require.Equal(t, uint32(unix.S_IFLNK), got[0].After.Mode&unix.S_IFMT)
	require.Empty(t, got[0].After.Hash, "a link is not followed")
	require.Empty(t, w.edit("/etc/passwd", "cat"), "nothing has changed")
}

func TestWhoChangedIt(t *testing.T) {
	w := watch(t)
	w.look(time.Now())
	w.write(t, "etc/shadow", "a")
	got := w.edit("/etc/shadow", "eve", "b", "c", "b", "b", "d", "touch")
	require.Equal(t, []string{"eve", "b", "d", "touch"}, got[0].by, "the first and the last ones")

	w.out = nil
	w.write(t, "etc/shadow", "ab")
	w.look(time.Now())
	require.Len(t, w.out, 1, "it was open still")
	require.Len(t, w.out[0].by, 4)

	w.write(t, "etc/shadow", "abc")
	got = w.edit("/etc/shadow", "mallory")
	require.Equal(t, []string{"mallory"}, got[0].by, "the others were about the change before")

	w.out = nil
	w.write(t, "etc/shadow", "abcd")
	w.look(time.Now().Add(2 * authorsKept))
	require.Len(t, w.out, 1)
	require.Empty(t, w.out[0].by, "nobody was seen")
	w.write(t, "etc/sudoers.d/x", "x")
	w.look(time.Now())
	require.Len(t, w.out, 2, "a file that is new")
}

func TestDeedsAreWaitedFor(t *testing.T) {
	w := watch(t)
	w.look(time.Now())
	w.write(t, "etc/shadow", "a")
	now := time.Now()
	w.does("/etc/shadow", "x", now)
	require.True(t, w.settle(now.Add(settleTime/2)), "there may be more")
	w.look(now)
	require.Empty(t, w.out)
	require.False(t, w.settle(now.Add(settleTime)))
	require.Len(t, w.out, 1)
}

// A program that writes a file all the time is looked at seldom, and what it
// does is put together once for many of its deeds.
func TestWritingOnAndOn(t *testing.T) {
	w := watch(t)
	w.look(time.Now())
	w.write(t, "etc/shadow", "a")
	start, made := time.Now(), 0
	touch := func(at time.Duration, by Author) {
		w.note("/etc/shadow", by, start.Add(at), func() string { made++; return strconv.Itoa(made) })
	}
	for at := time.Duration(0); at < longest; at += deedKept / 100 {
		touch(at, Author{Call: 1})
		require.True(t, w.settle(start.Add(at)))
	}
	require.LessOrEqual(t, made, int(longest/deedKept)+1)
	w.settle(start.Add(longest))
	require.Len(t, w.out, 1, "it is not put off for ever")
	require.Equal(t, []string{strconv.Itoa(made)}, w.out[0].by)

	before := made
	touch(longest, Author{Call: 2})
	touch(longest, Author{Call: 2, Image: 1})
	touch(longest, Author{Call: 2, Image: 1})
	require.Equal(t, before+2, made, "another call and another program are other deeds")
}

func TestReadingIsBounded(t *testing.T) {
	w := watch(t)
	w.write(t, "etc/sudoers.d/large", strings.Repeat("x", maxHashed+1))
	w.write(t, "etc/sudoers.d/small", "x")
	w.look(time.Now())
	require.Empty(t, w.states["/etc/sudoers.d/large"].Hash)
	require.NotEmpty(t, w.states["/etc/sudoers.d/small"].Hash)
	w.budget = 0
	w.write(t, "etc/sudoers.d/small", "yy")
	got := w.edit("/etc/sudoers.d/small", "x")
	require.Equal(t, []string{KindContent}, got[0].Kinds)
	require.Empty(t, got[0].After.Hash)
	w.budget = hashedAtOnce
	require.NoError(t, os.Chmod(w.root+"/etc/sudoers.d/small", 0o640))
	require.Equal(t, []string{KindMode}, w.edit("/etc/sudoers.d/small", "x")[0].Kinds, "a hash that was not known tells nothing")

	for i := range maxFiles + 3 {
		w.does("/etc/sudoers.d/"+strconv.Itoa(i), "x", time.Now())
	}
	require.Equal(t, uint64(4), w.Dropped(), "one file was there")
}

func TestRunTellsAndEnds(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(root+"/etc", 0o700))
	changes := make(chan Change, 8)
	g := NewIntegrity(root, func(c Change, _ []int) { changes <- c })
	quit, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); g.Run(quit) }()
	require.Eventually(t, func() bool { return g.thread.Load() != 0 }, time.Minute, time.Millisecond)
	require.False(t, g.Reads(0))
	require.Eventually(t, func() bool { // the first look may come before or after the file
		require.NoError(t, os.WriteFile(root+"/etc/passwd", []byte(time.Now().String()), 0o600))
		g.Touched("/etc/passwd", Author{}, func() int { return 1 })
		select {
		case c := <-changes:
			return c.Path == "/etc/passwd"
		case <-time.After(2 * settleTime):
			return false
		}
	}, time.Minute, time.Millisecond)
	require.NoError(t, os.Remove(root+"/etc/passwd"))
	g.Touched("/etc/passwd", Author{}, func() int { return 1 })
	close(quit)
	<-done
	require.Equal(t, []string{KindDeleted}, (<-changes).Kinds, "what waits is told at the end")
}

func TestWatched(t *testing.T) {
	for path, want := range map[string]bool{
		"/etc/passwd": true, "/etc/sudoers.d/x": true, "/home/ada/.ssh/authorized_keys": true, "/etc/motd": false,
		"/etc/sudoers.d": false, "/home/ada/x": false, "/srv/etc/passwd": false, "": false, "/usr/bin/sudo": true,
	} {
		require.Equal(t, want, Watched(path), path)
	}
	for _, p := range patterns {
		require.True(t, strings.HasPrefix(p, Beginnings()[0]) || Watched(strings.ReplaceAll(p, "*", "x")), p)
	}
}
