package bpf

import (
	"os"
	"unsafe"

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
	"kill":   func(c *call) { c.ok(os.Getpid(), 0) },
	"tkill":  func(c *call) { c.ok(unix.Gettid(), 0) },
	"tgkill": func(c *call) { c.ok(os.Getpid(), unix.Gettid(), 0) },
	"clone": func(c *call) { // threads share their memory
		assert.Equal(c.t, -int64(unix.EINVAL), c.do(unix.CLONE_THREAD|int(unix.SIGCHLD), 0))
	},
	"clone3": func(c *call) {
		args := words{mem: make([]uint64, 11), told: 1}
		args.mem[0] = unix.CLONE_INTO_CGROUP | unix.CLONE_THREAD
		assert.Negative(c.t, c.do(args, 88))
	},
	"fork":  nil, // a process of Go cannot fork
	"vfork": nil,
	"setreuid": func(c *call) {
		c.ok(-1, 1000)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, 1000, ev.Task.EUID) }
	},
	"setregid": func(c *call) {
		c.ok(1000, -1)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, 1000, ev.Task.GID) }
	},
	"setfsuid":  func(c *call) { c.ok(1000) },
	"setfsgid":  func(c *call) { c.ok(1000) },
	"setgroups": func(c *call) { c.ok(2, unsafe.Pointer(&[]uint32{1, 2}[0])) },
	"setpgid": func(c *call) {
		child := waiting(c.t)
		c.do(child, child) // it has called exec already
	},
	"setsid": func(c *call) { c.do() }, // refused to the leader of a process group
	"capset": func(c *call) {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var caps [2]unix.CapUserData
		require.NoError(c.t, unix.Capget(&header, &caps[0]))
		caps[0].Effective &^= 1 << unix.CAP_NET_RAW
		c.ok(unsafe.Pointer(&header), unsafe.Pointer(&caps[0]))
	},
	"prctl": func(c *call) {
		name := []byte("a new name\x00")
		c.ok(unix.PR_SET_NAME, unsafe.Pointer(&name[0]), 0, 0, 0)
		c.want = func(ev *event.Event) { assert.Equal(c.t, "a new name", string(ev.Task.Comm)) }
	},
	"seccomp": func(c *call) { c.do(2, 0, unsafe.Pointer(new(uint32))) }, // is an action available?
	"setrlimit": func(c *call) {
		var now unix.Rlimit
		require.NoError(c.t, unix.Getrlimit(unix.RLIMIT_CORE, &now))
		c.ok(unix.RLIMIT_CORE, words{mem: []uint64{now.Cur, now.Max}, told: 2})
	},
	"prlimit": func(c *call) {
		var now unix.Rlimit
		require.NoError(c.t, unix.Getrlimit(unix.RLIMIT_CORE, &now))
		c.ok(0, unix.RLIMIT_CORE, words{mem: []uint64{now.Cur, now.Max}, told: 2}, words{mem: make([]uint64, 2), told: 2})
	},
	"process_vm_readv":  func(c *call) { c.do(os.Getpid(), 0, 0, 0, 0, 0) },
	"process_vm_writev": func(c *call) { c.do(os.Getpid(), 0, 0, 0, 0, 0) },
}
