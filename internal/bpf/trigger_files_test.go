package bpf

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// fileTriggers make the calls about files and directories.
var fileTriggers = map[string]func(c *call){
	"open": func(c *call) {
		dir := realTempDir(c.t)
		c.ok(filepath.Join(dir, "f"), unix.O_CREAT|unix.O_RDWR, 0o640)
		c.want = func(ev *event.Event) {
			assert.NotZero(c.t, ev.Syscall.Result.File.Flags&event.FileCreated)
		}
	},
	"openat": func(c *call) {
		dir := realTempDir(c.t)
		touch(c.t, filepath.Join(dir, "f"))
		require.NoError(c.t, os.Symlink("f", filepath.Join(dir, "link")))
		c.ok(openDir(c.t, dir), "./link", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		c.want = func(ev *event.Event) { // the kernel's path, not the name that was used
			assert.Equal(c.t, filepath.Join(dir, "f"), string(ev.Syscall.Result.Path))
			assert.Zero(c.t, ev.Syscall.Result.File.Flags&event.FileCreated)
		}
	},
	"openat2": func(c *call) {
		dir := realTempDir(c.t)
		c.ok(openDir(c.t, dir), "f", openHow{flags: unix.O_CREAT | unix.O_WRONLY, mode: 0o600, resolve: unix.RESOLVE_BENEATH},
			int(unsafe.Sizeof(openHow{})))
	},
	"creat": func(c *call) {
		require.NoError(c.t, unix.Chdir(realTempDir(c.t)))
		c.ok("new", 0o600)
	},
	"unlink": func(c *call) {
		f := touch(c.t, filepath.Join(realTempDir(c.t), "f"))
		c.ok(f)
		assert.False(c.t, exists(f))
	},
	"unlinkat": func(c *call) {
		dir := realTempDir(c.t)
		require.NoError(c.t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
		c.ok(openDir(c.t, dir), "d", unix.AT_REMOVEDIR)
	},
	"rename": func(c *call) {
		dir := realTempDir(c.t)
		touch(c.t, filepath.Join(dir, "old"))
		require.NoError(c.t, unix.Chdir(dir))
		c.ok("old", filepath.Join(dir, "new"))
	},
	"renameat": func(c *call) {
		a, b := realTempDir(c.t), realTempDir(c.t)
		touch(c.t, filepath.Join(a, "x"))
		c.ok(openDir(c.t, a), "x", openDir(c.t, b), "y")
	},
	"renameat2": func(c *call) {
		a := realTempDir(c.t)
		touch(c.t, filepath.Join(a, "x"))
		require.NoError(c.t, unix.Chdir(a))
		c.ok(unix.AT_FDCWD, "x", openDir(c.t, realTempDir(c.t)), "y", unix.RENAME_NOREPLACE)
	},
	"link": func(c *call) {
		dir := realTempDir(c.t)
		c.ok(touch(c.t, filepath.Join(dir, "x")), filepath.Join(dir, "y"))
	},
	"linkat": func(c *call) {
		dir := realTempDir(c.t)
		touch(c.t, filepath.Join(dir, "x"))
		c.ok(openDir(c.t, dir), "x", unix.AT_FDCWD, filepath.Join(dir, "y"), unix.AT_SYMLINK_FOLLOW)
	},
	"symlink": func(c *call) {
		require.NoError(c.t, unix.Chdir(realTempDir(c.t)))
		c.ok("../any thing", "link")
	},
	"symlinkat": func(c *call) {
		c.ok("/target", openDir(c.t, realTempDir(c.t)), "link")
	},
	"mkdir": func(c *call) {
		c.ok(filepath.Join(realTempDir(c.t), "d"), 0o711)
	},
	"mkdirat": func(c *call) {
		c.ok(openDir(c.t, realTempDir(c.t)), "d", 0o1777)
	},
	"rmdir": func(c *call) {
		dir := filepath.Join(realTempDir(c.t), "d")
		require.NoError(c.t, os.Mkdir(dir, 0o700))
		c.ok(dir)
	},
	"chmod": func(c *call) {
		c.ok(touch(c.t, filepath.Join(realTempDir(c.t), "f")), 0o4755)
	},
	"fchmod": func(c *call) {
		f, err := os.Create(filepath.Join(realTempDir(c.t), "f"))
		require.NoError(c.t, err)
		defer f.Close()
		require.NoError(c.t, f.Chmod(0o640)) // facts are compared as they were before the call
		c.ok(int(f.Fd()), 0o640)
	},
	"fchmodat": func(c *call) {
		dir := realTempDir(c.t)
		touch(c.t, filepath.Join(dir, "f"))
		c.ok(openDir(c.t, dir), "f", 0o600)
	},
	"fchmodat2": func(c *call) { // ENOSYS before 6.6, and a record nevertheless
		dir := realTempDir(c.t)
		touch(c.t, filepath.Join(dir, "f"))
		c.do(openDir(c.t, dir), "f", 0o644, unix.AT_SYMLINK_NOFOLLOW)
	},
	"chdir": func(c *call) {
		dir := realTempDir(c.t)
		require.NoError(c.t, os.Mkdir(filepath.Join(dir, "below"), 0o700))
		require.NoError(c.t, unix.Chdir(dir))
		c.ok("./below/../below")
	},
	"fchdir": func(c *call) {
		c.ok(openDir(c.t, realTempDir(c.t)))
	},
	"mount": func(c *call) {
		dir := realTempDir(c.t)
		ownMounts(c)
		c.ok("none", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, 0)
	},
	"open_by_handle_at": func(c *call) {
		dir := realTempDir(c.t)
		handle, _, err := unix.NameToHandleAt(unix.AT_FDCWD, touch(c.t, filepath.Join(dir, "f")), 0)
		require.NoError(c.t, err)
		raw := binary.NativeEndian.AppendUint32(nil, uint32(handle.Size()))
		raw = binary.NativeEndian.AppendUint32(raw, uint32(handle.Type()))
		raw = append(raw, handle.Bytes()...)
		c.ok(openDir(c.t, dir), unsafe.Pointer(&raw[0]), unix.O_RDONLY)
	},
	"mknod":   func(c *call) { c.ok(filepath.Join(realTempDir(c.t), "fifo"), unix.S_IFIFO|0o600, 0) },
	"mknodat": func(c *call) { c.ok(openDir(c.t, realTempDir(c.t)), "null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) },
	"chown":   func(c *call) { c.ok(touch(c.t, filepath.Join(realTempDir(c.t), "f")), 1000, -1) },
	"lchown": func(c *call) {
		link := filepath.Join(realTempDir(c.t), "link")
		require.NoError(c.t, os.Symlink("/nowhere", link))
		c.ok(link, -1, 1000)
	},
	"fchown":   func(c *call) { f, _ := someFile(c); c.ok(int(f.Fd()), 1, 2) },
	"fchownat": func(c *call) { c.ok(openDir(c.t, realTempDir(c.t)), "", 1, 2, unix.AT_EMPTY_PATH) },
	"truncate": func(c *call) { c.ok(touch(c.t, filepath.Join(realTempDir(c.t), "f")), 1<<33) },
	"ftruncate": func(c *call) {
		f, _ := someFile(c)
		c.ok(int(f.Fd()), 1<<33)
	},
	"setxattr": func(c *call) {
		c.do(touch(c.t, filepath.Join(realTempDir(c.t), "f")), "user.x", 0, 0, unix.XATTR_CREATE)
	},
	"lsetxattr": func(c *call) {
		c.do(touch(c.t, filepath.Join(realTempDir(c.t), "f")), "user.x", 0, 0, unix.XATTR_CREATE)
	},
	"fsetxattr": func(c *call) {
		f, _ := someFile(c)
		c.do(int(f.Fd()), "user.x", 0, 0, unix.XATTR_CREATE)
	},
	"copy_file_range": func(c *call) {
		in, out := twoFiles(c)
		c.ok(int(in.Fd()), 0, int(out.Fd()), 0, 4, 0)
	},
	"splice": func(c *call) {
		in, _ := twoFiles(c)
		var pipe [2]int
		require.NoError(c.t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
		defer func() { _, _ = unix.Close(pipe[0]), unix.Close(pipe[1]) }()
		c.ok(int(in.Fd()), 0, pipe[1], 0, 4, unix.SPLICE_F_MOVE)
	},
	"sendfile": func(c *call) {
		in, out := twoFiles(c)
		c.ok(int(out.Fd()), int(in.Fd()), 0, 4)
	},
}

// twoFiles opens a file to read from and an empty one.
func twoFiles(c *call) (in, out *os.File) {
	c.t.Helper()
	in, _ = someFile(c)
	_, err := in.WriteString("text")
	require.NoError(c.t, err)
	_, err = in.Seek(0, 0)
	require.NoError(c.t, err)
	out, _ = someFile(c)
	return in, out
}
