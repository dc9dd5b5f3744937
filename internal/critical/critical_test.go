package critical

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/event"
)

// opened is what the kernel tells of a file that is opened by a path.
func opened(t *testing.T, path string) *event.File {
	t.Helper()
	var st unix.Stat_t
	require.NoError(t, unix.Stat(path, &st))
	return &event.File{Inode: st.Ino, Device: unix.Major(st.Dev)<<20 | unix.Minor(st.Dev), Mode: st.Mode}
}

func TestNamesOfLinks(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"etc/shadow", "etc/motd", "home/ada/.ssh/id_ed25519", "srv/target"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(file)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), nil, 0o600))
	}
	require.NoError(t, os.Link(root+"/etc/shadow", root+"/srv/x"))
	require.NoError(t, os.Symlink("/srv/target", root+"/etc/sudoers"))
	f := New(root)
	require.Nil(t, f.Name(opened(t, root+"/etc/shadow"), nil), "nothing was looked for")
	f.Refresh()
	require.Equal(t, "/etc/shadow", string(f.Name(opened(t, root+"/etc/shadow"), nil)))
	require.Equal(t, "/etc/shadow", string(f.Name(opened(t, root+"/srv/x"), nil)))
	require.Equal(t, "/home/ada/.ssh/id_ed25519", string(f.Name(opened(t, root+"/home/ada/.ssh/id_ed25519"), nil)))
	require.Nil(t, f.Name(opened(t, root+"/etc/motd"), nil))
	require.Nil(t, f.Name(opened(t, root+"/srv/target"), nil), "a symbolic link makes no file critical")
	require.Nil(t, f.Name(&event.File{}, nil), "nothing is known of the file")

	require.NoError(t, os.WriteFile(root+"/etc/shadow.new", nil, 0o600))
	require.NoError(t, os.Rename(root+"/etc/shadow.new", root+"/etc/shadow"))
	f.Refresh()
	require.Equal(t, "/etc/shadow", string(f.Name(opened(t, root+"/etc/shadow"), nil)))
	require.Nil(t, f.Name(opened(t, root+"/srv/x"), nil), "the link keeps the old file")
}

// Who edits accounts replaces their files, and inode numbers are used again.
func TestStaleNamesAreNotGiven(t *testing.T) {
	root := t.TempDir()
	passwd, shadow := root+"/etc/passwd", root+"/etc/shadow"
	require.NoError(t, os.Mkdir(root+"/etc", 0o700))
	require.NoError(t, os.WriteFile(passwd, nil, 0o600))
	f := New(root)
	f.Refresh()
	require.NoError(t, os.Rename(passwd, shadow))
	require.Nil(t, f.Name(opened(t, shadow), []byte("/etc/shadow")), "there is no passwd any more")
	require.NoError(t, os.WriteFile(passwd, nil, 0o600))
	require.Nil(t, f.Name(opened(t, shadow), []byte("/etc/shadow")), "passwd is another file")
	require.NoError(t, os.Symlink(shadow, passwd+".new"))
	require.NoError(t, os.Rename(passwd+".new", passwd))
	require.Nil(t, f.Name(opened(t, shadow), []byte("/etc/shadow")), "a symbolic link is not followed")
	f.Refresh()
	require.Nil(t, f.Name(opened(t, shadow), []byte("/etc/shadow")), "it was opened by its name")
	require.Equal(t, "/etc/shadow", string(f.Name(opened(t, shadow), []byte("/srv/link"))))
}

func TestFilesAreBounded(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(root+"/etc/pam.d", 0o700))
	for i := range maxFiles + 10 {
		require.NoError(t, os.WriteFile(filepath.Join(root, "etc/pam.d", strconv.Itoa(i)), nil, 0o600))
	}
	f := New(root)
	f.Refresh()
	require.Len(t, *f.names.Load(), maxFiles)
	files, _ := f.Inodes()
	require.Len(t, files, maxFiles)
}

func TestPatterns(t *testing.T) {
	for _, p := range slices.Concat(patterns, directories) {
		_, err := filepath.Match(p, "")
		require.NoError(t, err)
		require.True(t, filepath.IsAbs(p))
	}
}

func TestNameDoesNotAllocate(t *testing.T) {
	f := New("/")
	f.Refresh()
	file := opened(t, "/etc/passwd")
	require.Zero(t, alloctest.PerRun(100, func() { f.Name(file, []byte("/etc/passwd")) }))
}

func TestRunEnds(t *testing.T) {
	quit := make(chan struct{})
	close(quit)
	looks := 0
	f := New(t.TempDir())
	f.Run(quit, func() {
		looks++
		require.True(t, f.Reads(uint32(unix.Gettid())))
	})
	require.False(t, f.Reads(uint32(unix.Gettid())))
	require.Positive(t, looks)
	files, directories := f.Inodes()
	require.Empty(t, files)
	require.Len(t, directories, 1, "the root itself")
}

func TestDirectories(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"etc/cron.d", "home/ada/.ssh", "srv"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o700))
	}
	f := New(root)
	id := func(path string) identity {
		o := opened(t, root+path)
		return identity{Major: o.Major(), Minor: o.Minor(), Inode: o.Inode}
	}
	require.Nil(t, f.Directory(id("/etc")), "nothing was looked for")
	f.Refresh()
	for _, dir := range []string{"/", "/etc", "/etc/cron.d", "/home/ada", "/home/ada/.ssh"} {
		require.Equal(t, dir, string(f.Directory(id(dir))))
	}
	require.Nil(t, f.Directory(id("/srv")))
	_, inodes := f.Inodes()
	require.Contains(t, inodes, id("/etc/cron.d").Inode)
	require.NotContains(t, inodes, id("/srv").Inode)
}

// A file that is made through a mount has the mount's path and the directory's
// inode.
func TestNamesOfWrittenFiles(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"etc/cron.d", "srv"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o700))
	}
	f := New(root)
	in := func(dir string) *event.File {
		o := opened(t, root+dir)
		o.Directory = uint32(o.Inode)
		return o
	}
	require.Nil(t, f.Written(in("/etc/cron.d"), []byte("/mnt/x")), "nothing was looked for")
	f.Refresh()
	for _, tt := range []struct{ dir, path, want string }{
		{"/etc/cron.d", "/mnt/x", "/etc/cron.d/x"},
		{"/etc/cron.d", "/x", "/etc/cron.d/x"},
		{"/etc/cron.d", "/etc/cron.d/x", ""},
		{"/etc/cron.d", "x", ""},
		{"/", "/mnt/x", "/x"},
		{"/", "/x", ""},
		{"/srv", "/mnt/x", ""},
	} {
		require.Equal(t, tt.want, string(f.Written(in(tt.dir), []byte(tt.path))), tt)
	}
	other := in("/etc/cron.d")
	other.Device++
	require.Nil(t, f.Written(other, []byte("/mnt/x")), "the same number on another device")
	require.Nil(t, f.Written(opened(t, root+"/etc/cron.d"), []byte("/mnt/x")), "read only")
	file := in("/etc/cron.d")
	require.Zero(t, alloctest.PerRun(100, func() { f.Written(file, []byte("/etc/cron.d/x")) }))
}
