package bpf

import (
	"os"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// someFile opens a new file.
func someFile(c *call) (f *os.File, path string) {
	c.t.Helper()
	path = realTempDir(c.t) + "/f"
	f, err := os.Create(path)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = f.Close() })
	return f, path
}

// unusedFD is a number that no descriptor has.
const unusedFD = 900

// descriptorTriggers make the calls that make and copy descriptors.
var descriptorTriggers = map[string]func(c *call){
	"dup": func(c *call) {
		f, path := someFile(c)
		c.ok(int(f.Fd()))
		c.want = func(ev *event.Event) { assert.Equal(c.t, path, string(ev.Syscall.Result.Path)) }
	},
	"dup2": func(c *call) { // of a socket
		c.ok(socketOf(c, unix.AF_INET, unix.SOCK_STREAM), unusedFD)
		c.want = func(ev *event.Event) { assert.EqualValues(c.t, unix.AF_INET, ev.Syscall.Result.Socket.Family) }
	},
	"dup3": func(c *call) {
		f, _ := someFile(c)
		c.ok(int(f.Fd()), unusedFD, unix.O_CLOEXEC)
	},
	"fcntl": func(c *call) {
		f, _ := someFile(c)
		c.ok(int(f.Fd()), unix.F_SETFD, unix.FD_CLOEXEC)
	},
	"close": func(c *call) {
		fd, err := unix.Open(touch(c.t, realTempDir(c.t)+"/f"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		require.NoError(c.t, err)
		c.ok(fd)
	},
	"pipe": func(c *call) {
		pair := words32{mem: make([]uint32, 2), told: 2}
		c.ok(pair)
		closeBoth(c, pair)
		c.want = func(ev *event.Event) {
			assert.EqualValues(c.t, unix.S_IFIFO, ev.Syscall.Result.File.Mode&unix.S_IFMT)
			assert.NotZero(c.t, ev.Syscall.Result.File.Inode)
		}
	},
	"pipe2": func(c *call) {
		pair := words32{mem: make([]uint32, 2), told: 2}
		c.ok(pair, unix.O_CLOEXEC|unix.O_NONBLOCK)
		closeBoth(c, pair)
	},
	"memfd_create": func(c *call) {
		c.ok("some name", unix.MFD_CLOEXEC)
		c.want = func(ev *event.Event) {
			assert.NotZero(c.t, ev.Syscall.Result.File.Flags&event.FileMemfd)
			assert.Equal(c.t, "memfd:some name", string(ev.Syscall.Result.Path))
		}
	},
	"eventfd":        func(c *call) { c.ok(3) },
	"eventfd2":       func(c *call) { c.ok(3, unix.EFD_CLOEXEC) },
	"signalfd":       func(c *call) { c.ok(-1, unsafe.Pointer(new(uint64)), 8) },
	"signalfd4":      func(c *call) { c.ok(-1, unsafe.Pointer(new(uint64)), 8, unix.SFD_CLOEXEC) },
	"timerfd_create": func(c *call) { c.ok(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC) },
	"inotify_init":   func(c *call) { c.ok() },
	"inotify_init1":  func(c *call) { c.ok(unix.IN_CLOEXEC) },
	"epoll_create":   func(c *call) { c.ok(1) },
	"epoll_create1":  func(c *call) { c.ok(unix.EPOLL_CLOEXEC) },
	"userfaultfd":    func(c *call) { c.do(unix.O_CLOEXEC) }, // not every kernel has it
	"bpf": func(c *call) {
		attr := [4]uint32{unix.BPF_MAP_TYPE_ARRAY, 4, 4, 1}
		c.ok(unix.BPF_MAP_CREATE, unsafe.Pointer(&attr), int(unsafe.Sizeof(attr)))
	},
	"perf_event_open": func(c *call) {
		attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_DUMMY}
		attr.Size = uint32(unsafe.Sizeof(attr))
		c.do(unsafe.Pointer(&attr), 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	},
	"pidfd_open": func(c *call) { c.ok(os.Getpid(), 0) },
	"pidfd_getfd": func(c *call) {
		f, _ := someFile(c)
		self, err := unix.PidfdOpen(os.Getpid(), 0)
		require.NoError(c.t, err)
		defer func() { _ = unix.Close(self) }()
		c.ok(self, int(f.Fd()), 0)
	},
	"io_uring_setup": func(c *call) {
		c.do(4, words32{mem: make([]uint32, 30), told: 6})
	},
	"io_uring_enter":    func(c *call) { f, _ := someFile(c); c.do(int(f.Fd()), 1, 0, 0, 0, 0) },
	"io_uring_register": func(c *call) { f, _ := someFile(c); c.do(int(f.Fd()), 1, 0, 0) },
}
