package bpf

import (
	"os"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// ownMounts gives the thread a mount name space of its own.
func ownMounts(c *call) {
	c.t.Helper()
	require.NoError(c.t, unix.Unshare(unix.CLONE_NEWNS))
	require.NoError(c.t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// systemTriggers make the calls about mounts, modules, keys and memory. What
// would change the machine is asked for in a way that fails.
var systemTriggers = map[string]func(c *call){
	"umount2": func(c *call) {
		dir := realTempDir(c.t)
		ownMounts(c)
		require.NoError(c.t, unix.Mount("none", dir, "tmpfs", 0, ""))
		c.ok(dir, unix.MNT_DETACH)
	},
	"fsopen": func(c *call) { _ = unix.Close(int(c.do("tmpfs", unix.FSOPEN_CLOEXEC))) },
	"move_mount": func(c *call) {
		ownMounts(c)
		assert.Negative(c.t, c.do(openDir(c.t, realTempDir(c.t)), "no such", unix.AT_FDCWD, "/tmp", 0))
	},
	"chroot": func(c *call) { c.ok("/") },
	"pivot_root": func(c *call) {
		ownMounts(c)
		assert.Negative(c.t, c.do("/proc/self/no such", "/tmp"))
	},
	"init_module": func(c *call) {
		image := data("no module at all")
		assert.Negative(c.t, c.do(image, len(image), "option=1"))
	},
	"finit_module": func(c *call) {
		f, _ := someFile(c)
		assert.Negative(c.t, c.do(int(f.Fd()), "option=1", 1))
	},
	"delete_module": func(c *call) { assert.Negative(c.t, c.do("no_such_module", unix.O_NONBLOCK)) },
	"quotactl":      func(c *call) { assert.Negative(c.t, c.do(0x800002<<8, "/dev/no_such", 0, 0)) },
	"add_key": func(c *call) {
		payload := data("secret")
		c.do("user", "sightglass:test", payload.pointer(c), len(payload), -1) // the thread's keyring
	},
	"request_key": func(c *call) { assert.Negative(c.t, c.do("user", "sightglass:no such", "", 0)) },
	"keyctl":      func(c *call) { c.do(0, -1, 0, 0, 0) }, // get id
	"mmap": func(c *call) {
		f, _ := someFile(c)
		c.ok(0, os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE, int(f.Fd()), 0)
	},
	"mprotect": func(c *call) {
		page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
		require.NoError(c.t, err)
		c.t.Cleanup(func() { _ = unix.Munmap(page) })
		c.ok(data(page).pointer(c), len(page), unix.PROT_READ|unix.PROT_WRITE)
	},
}
