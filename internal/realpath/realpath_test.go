//go:build linux

package realpath

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// at is a root in a folder.
func at(dir, below string) Root { return Root{dir: dir, below: below} }

func tree(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, d := range []string{"etc/ssh", "tmp/deep", "srv", "proc/self"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, d), 0o700))
	}
	require.NoError(t, os.WriteFile(dir+"/etc/passwd", nil, 0o600))
	for link, target := range map[string]string{
		"tmp/x": "/etc", "tmp/relative": "../etc", "tmp/chain": "x/ssh", "tmp/file": "../etc/passwd", "tmp/above": "../../../../etc",
		"tmp/loop": "loop", "tmp/ours": "/proc/self", "tmp/slash": "/etc//", "tmp/root": "/",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, link)))
	}
	return dir
}

func TestDirectory(t *testing.T) {
	dir := tree(t)
	for _, tt := range []struct{ base, name, dir, last string }{
		{"/", "/etc/passwd", "/etc", "passwd"},
		{"/", "/tmp/x/passwd", "/etc", "passwd"},
		{"/", "/tmp/relative/passwd", "/etc", "passwd"},
		{"/", "/tmp/above/passwd", "/etc", "passwd"},
		{"/", "/tmp/slash/passwd", "/etc", "passwd"},
		{"/", "/tmp/root/etc/passwd", "/etc", "passwd"},
		{"/", "/tmp/chain/sshd_config", "/etc/ssh", "sshd_config"},
		{"/", "/tmp/chain/../passwd", "/etc", "passwd"},
		{"/", "/tmp/deep/.././/x/new", "/etc", "new"},
		{"/", "/tmp/file", "/tmp", "file"},
		{"/", "/tmp/x/", "/tmp", "x"},
		{"/", "/passwd", "/", "passwd"},
		{"/", "/../../passwd", "/", "passwd"},
		{"/tmp", "x/passwd", "/etc", "passwd"},
		{"/tmp/", "new", "/tmp", "new"},
		{"/tmp/deep", "../x/passwd", "/etc", "passwd"},
		{"/gone", "a/b", "/gone/a", "b"},
		{"/", "etc/passwd", "/etc", "passwd"},
	} {
		t.Run(tt.base+" "+tt.name, func(t *testing.T) {
			for _, below := range []string{"", "/srv/jail"} {
				base := []byte(below + tt.base)
				found, last, err := at(dir, below).Directory([]byte("before"), base, []byte(tt.name))
				require.NoError(t, err)
				want := below + tt.dir
				if below != "" && tt.dir == "/" {
					want = below
				}
				require.Equal(t, "before"+want, string(found))
				require.Equal(t, tt.last, string(last))
			}
		})
	}
}

func TestNamesThatLeadNowhere(t *testing.T) {
	r := at(tree(t), "/srv/jail")
	for _, tt := range []struct{ base, name string }{
		{"/", "/tmp/loop/x"},
		{"/", "/tmp/ours/x"},
		{"/", "/proc/self/x"},
		{"/elsewhere", "x"},
		{"/srv/jailer", "x"},
		{"", "x"},
		{"/srv/jail", ".."},
		{"/srv/jail", "/"},
		{"/srv/jail", ""},
		{"/srv/jail", "x/."},
	} {
		_, _, err := r.Directory(nil, []byte(tt.base), []byte(tt.name))
		require.Error(t, err, tt.name)
	}
}

func TestFollow(t *testing.T) {
	dir := tree(t)
	r := at(dir, "")
	for name, want := range map[string]string{"/tmp/file": "/etc/passwd", "/tmp/x": "/etc", "/etc/passwd": "/etc/passwd", "/tmp/root": "/"} {
		found, err := r.Follow(nil, []byte("/"), []byte(name))
		require.NoError(t, err)
		require.Equal(t, want, string(found))
	}
	direct, ok := r.Identity([]byte("/etc/passwd"))
	require.True(t, ok)
	require.NotZero(t, direct.Inode)
	link, ok := r.Identity([]byte("/tmp/file"))
	require.True(t, ok)
	require.NotEqual(t, direct, link, "the last link is not followed")
	_, ok = r.Identity([]byte("/gone"))
	require.False(t, ok)
	_, ok = at(dir, "/srv").Identity([]byte("/etc/passwd"))
	require.False(t, ok)
}

func TestRootOf(t *testing.T) {
	own, err := RootOf("/proc", uint32(os.Getpid()))
	require.NoError(t, err)
	require.Empty(t, own.below)
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/etc", filepath.Join(dir, "x")))
	resolved, err := filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	found, last, err := own.Directory(nil, []byte(resolved), []byte("x/hostname"))
	require.NoError(t, err)
	require.Equal(t, "/etc", string(found))
	require.Equal(t, "hostname", string(last))

	_, err = RootOf("/proc", 1<<22+1)
	require.ErrorIs(t, err, ErrGone)

	proc := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(proc, strconv.Itoa(7)), 0o700))
	require.NoError(t, os.Symlink("/srv/jail", filepath.Join(proc, "7", "root")))
	jailed, err := RootOf(proc, 7)
	require.NoError(t, err)
	require.Equal(t, "/srv/jail", jailed.below)
}

// A root in a root is where both lead.
func TestChroot(t *testing.T) {
	dir := tree(t)
	require.NoError(t, os.MkdirAll(dir+"/srv/jail/deep/etc", 0o700))
	require.NoError(t, os.Symlink("/etc", dir+"/srv/jail/link"))
	top := at(dir, "")
	require.Equal(t, "/", top.Path())
	for path, want := range map[string]string{"/srv/jail": "/srv/jail", "/srv/jail/": "/srv/jail", "/": "/"} {
		r, ok := top.Chroot(path)
		require.True(t, ok)
		require.Equal(t, want, r.Path())
	}
	jail, _ := top.Chroot("/srv/jail")
	found, last, err := jail.Directory(nil, []byte("/"), []byte("/link/passwd"))
	require.NoError(t, err)
	require.Equal(t, "/srv/jail/etc", string(found))
	require.Equal(t, "passwd", string(last))
	deep, ok := jail.Chroot("/srv/jail/deep")
	require.True(t, ok)
	_, ok = deep.Identity([]byte("/srv/jail/deep/etc"))
	require.True(t, ok)
	same, ok := jail.Chroot("/srv/jail")
	require.True(t, ok)
	require.Equal(t, jail, same)
	for _, path := range []string{"/srv", "/srv/jailer", "/"} {
		_, ok = jail.Chroot(path)
		require.False(t, ok, path)
	}
}

func FuzzDirectory(f *testing.F) {
	dir := f.TempDir()
	require.NoError(f, os.Symlink("../..", filepath.Join(dir, "up")))
	require.NoError(f, os.Symlink("/up/up", filepath.Join(dir, "a")))
	for _, seed := range []string{"/a/b", "a/../up", "//", "up/./a/x"} {
		f.Add("/", seed, "")
		f.Add("/up", seed, "/jail")
	}
	f.Fuzz(func(t *testing.T, base, name, below string) {
		found, last, err := at(dir, below).Directory(nil, []byte(base), []byte(name))
		if err != nil {
			return
		}
		require.NotEmpty(t, last)
		require.NotContains(t, string(last), "/")
		require.Greater(t, len(found), len(below)-1)
	})
}
