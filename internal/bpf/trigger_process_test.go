package bpf

import (
	"os"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// processTriggers make the calls about programs, identities and name spaces;
// each runs on a thread that ends with it.
var processTriggers = map[string]func(c *call){
	"execve": func(c *call) { // fails; success is told by another record
		require.NoError(c.t, unix.Chdir(realTempDir(c.t)))
		ret := c.do("no/such program", []string{"a", "", "two words"}, 0)
		assert.Equal(c.t, -int64(unix.ENOENT), ret)
	},
	"execveat": func(c *call) {
		dir := realTempDir(c.t)
		touch(c.t, dir+"/f") // not executable
		ret := c.do(openDir(c.t, dir), "f", []string{"f"}, 0, 0)
		assert.Equal(c.t, -int64(unix.EACCES), ret)
	},
	"setuid": func(c *call) {
		c.ok(65534)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, 65534, ev.Task.EUID) }
	},
	"setgid": func(c *call) {
		c.ok(65534)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, 65534, ev.Task.EGID) }
	},
	"setresuid": func(c *call) {
		c.ok(-1, 1000, -1)
		c.want = func(ev *event.Event) {
			assert.EqualValues(c.t, 0, ev.Task.UID)
			assert.EqualValues(c.t, 1000, ev.Task.EUID)
		}
	},
	"setresgid": func(c *call) {
		c.ok(1, 2, 3)
		c.want = func(ev *event.Event) {
			assert.EqualValues(c.t, 1, ev.Task.GID)
			assert.EqualValues(c.t, 2, ev.Task.EGID)
		}
	},
	"ptrace": func(c *call) {
		c.ok(unix.PTRACE_SEIZE, waiting(c.t), 0, unix.PTRACE_O_EXITKILL)
	},
	"unshare": func(c *call) {
		var before, after unix.Stat_t
		require.NoError(c.t, unix.Stat("/proc/thread-self/ns/net", &before))
		c.ok(unix.CLONE_NEWNET)
		require.NoError(c.t, unix.Stat("/proc/thread-self/ns/net", &after))
		require.NotEqual(c.t, before.Ino, after.Ino)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, after.Ino, ev.Task.NetNS) }
	},
	"setns": func(c *call) {
		f, err := os.Open("/proc/self/ns/uts")
		require.NoError(c.t, err)
		defer f.Close()
		c.ok(int(f.Fd()), unix.CLONE_NEWUTS)
	},
	"kill": func(c *call) { c.ok(os.Getpid(), 0) },
}
