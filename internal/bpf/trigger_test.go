package bpf

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// sockaddr is an address argument: what the kernel is given, and what it must
// be read as.
type sockaddr struct {
	raw    []byte
	family uint16
	port   uint16
	addr   [16]byte
	path   string
}

// openHow is the third argument of openat2.
type openHow struct{ flags, mode, resolve uint64 }

// call makes one system call from a thread of its own and remembers everything
// that its record has to say.
type call struct {
	t      *testing.T
	spec   *syscalls.Spec
	agent  *Agent
	number uint16

	tid    uint32
	began  uint64 // ns since boot: the thread may have made a call like this before
	values [syscalls.MaxArgs]any
	regs   [syscalls.MaxArgs]uint64
	before [syscalls.MaxArgs]facts // descriptors, as they were before
	cwd    string
	ret    int64
	result facts
	want   func(ev *event.Event) // further expectations
	pin    runtime.Pinner
}

// newCall prepares a call on the current thread, which is the call's own.
func newCall(t *testing.T, a *Agent, spec *syscalls.Spec) *call {
	t.Helper()
	c := &call{t: t, spec: spec, agent: a, tid: uint32(unix.Gettid())}
	if n := spec.Numbers.Native(runtime.GOARCH); len(n) > 0 {
		c.number = n[0]
	}
	t.Cleanup(c.pin.Unpin)
	return c
}

// onThread runs f on a thread that ends with it, with a working directory of
// its own: what f does to the thread's identity stays there.
func onThread(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			t.Errorf("a working directory of its own: %v", err)
			return
		}
		f()
	}()
	<-done
}

// do makes the call. Arguments are what the row's kinds ask for: int for
// numbers and descriptors, string, []string, sockaddr, openHow, memory, or a
// pointer as unsafe.Pointer. It reports what it saw before and after.
func (c *call) do(args ...any) int64 {
	c.t.Helper()
	require.Len(c.t, args, len(c.spec.Args), "the trigger must give every argument of the row")
	copy(c.values[:], args)
	for i, v := range args {
		c.regs[i] = c.register(v)
		if kind := c.spec.Args[i].Kind; kind == syscalls.KindFD || kind == syscalls.KindDirFD || kind == syscalls.KindClosing {
			c.before[i] = descriptorFacts(v.(int))
		}
	}
	c.cwd, _ = os.Readlink("/proc/thread-self/cwd")
	var now unix.Timespec
	require.NoError(c.t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &now))
	c.began = uint64(now.Nano())
	r, _, errno := unix.Syscall6(uintptr(c.number), uintptr(c.regs[0]), uintptr(c.regs[1]), uintptr(c.regs[2]),
		uintptr(c.regs[3]), uintptr(c.regs[4]), uintptr(c.regs[5]))
	c.ret = int64(r)
	if errno != 0 {
		c.ret = -int64(errno)
	}
	if c.ret < 0 {
		return c.ret
	}
	switch c.spec.Result {
	case syscalls.ResultFile, syscalls.ResultSocket, syscalls.ResultDescriptor:
		c.result = descriptorFacts(int(c.ret))
		c.t.Cleanup(func() { _ = unix.Close(int(r)) })
	case syscalls.ResultCwd:
		c.result.path, _ = os.Readlink("/proc/thread-self/cwd")
	default:
	}
	return c.ret
}

// ok is do for a call that must succeed.
func (c *call) ok(args ...any) {
	c.t.Helper()
	ret := c.do(args...)
	require.GreaterOrEqual(c.t, ret, int64(0), "%s: %v", c.spec.Name, unix.Errno(-ret))
}

func (c *call) register(v any) uint64 {
	switch v := v.(type) {
	case int:
		return uint64(v)
	case string:
		b := append([]byte(v), 0)
		return c.pointer(unsafe.Pointer(&b[0]))
	case sockaddr:
		return c.pointer(unsafe.Pointer(&v.raw[0]))
	case openHow:
		p := &v
		return c.pointer(unsafe.Pointer(p))
	case []string:
		list := make([]unsafe.Pointer, len(v)+1)
		for i, s := range v {
			b := append([]byte(s), 0)
			list[i] = unsafe.Pointer(&b[0])
			c.pin.Pin(&b[0])
		}
		return c.pointer(unsafe.Pointer(&list[0]))
	case memory:
		return c.pointer(v.pointer(c))
	case unsafe.Pointer:
		return uint64(uintptr(v))
	default:
		c.t.Fatalf("argument of type %T", v)
		return 0
	}
}

func (c *call) pointer(p unsafe.Pointer) uint64 {
	c.pin.Pin(p)
	return uint64(uintptr(p))
}

// verify waits for the call's record and compares all of it.
func (c *call) verify() {
	c.t.Helper()
	await(c.t, c.agent, c.spec.Name, func(ev *event.Event) bool {
		if !c.matches(ev) {
			return false
		}
		c.compare(ev)
		return true
	})
}

// matches finds the call among others of the thread.
func (c *call) matches(ev *event.Event) bool {
	if ev.Type != event.TypeSyscall || ev.TID != c.tid || ev.Time < c.began || ev.Syscall.Name() != c.spec.Name {
		return false
	}
	if eintr := -int64(unix.EINTR); ev.Syscall.Return == eintr && c.ret != eintr {
		return false // a signal of Go's runtime came in between, and the kernel began the call anew
	}
	for i := range c.spec.Args {
		if ev.Syscall.Args[i].Number != c.wantNumber(i) {
			return false
		}
	}
	return true
}

func (c *call) wantNumber(i int) uint64 {
	switch k := c.spec.Args[i].Kind; {
	case k >= syscalls.KindPath, k == syscalls.KindAddress, k == syscalls.KindInt64, k == syscalls.KindUint64:
		return c.regs[i]
	default:
		return uint64(uint32(c.regs[i]))
	}
}

func (c *call) compare(ev *event.Event) {
	t := c.t
	s := &ev.Syscall
	assert.Equal(t, c.ret, s.Return, "return value")
	assert.Equal(t, event.ABINative, s.ABI)
	assert.Equal(t, len(c.spec.Args), s.NumArgs)
	assert.Equal(t, c.agent.Self(), ev.Key.TGID)
	assert.NotZero(t, ev.Flags&event.FlagSelf, "the test is the agent itself")
	assert.Zero(t, ev.Flags&event.FlagNoEnter)
	assert.Equal(t, c.spec.Timed, s.Enter != 0, "time of entry")
	assert.LessOrEqual(t, s.Enter, ev.Time)
	for i := range c.spec.Args {
		c.compareArg(i, &s.Args[i])
	}
	c.compareResult(&s.Result)
	if c.needsCwd() {
		assert.Equal(t, c.cwd, string(s.Cwd), "working directory")
	} else if c.spec.Result != syscalls.ResultCwd {
		assert.Nil(t, s.Cwd, "no working directory is needed")
	}
	if c.want != nil {
		c.want(ev)
	}
}

// needsCwd tells whether a relative path of the call starts at the working
// directory.
func (c *call) needsCwd() bool {
	if c.spec.Result == syscalls.ResultCwd && c.ret == 0 {
		return false
	}
	for i, a := range c.spec.Args {
		p, ok := c.values[i].(string)
		if !ok || a.Kind != syscalls.KindPath || strings.HasPrefix(p, "/") {
			continue
		}
		if i == 0 || c.spec.Args[i-1].Kind != syscalls.KindDirFD || c.values[i-1] == any(unix.AT_FDCWD) {
			return true
		}
	}
	return false
}

func (c *call) compareArg(i int, a *event.Arg) {
	t := c.t
	name := c.spec.Args[i].Name
	switch v := c.values[i].(type) {
	case string:
		assert.Equal(t, v, string(a.Bytes), name)
	case []string:
		want := ""
		for _, s := range v {
			want += s + "\x00"
		}
		assert.Equal(t, want, string(a.Bytes), name)
	case openHow:
		assert.Equal(t, [6]uint64{v.flags, v.mode, v.resolve}, a.Words, name)
	case sockaddr:
		c.compareSockaddr(i, v, &a.Socket)
	case memory:
		v.compare(t, name, a, c.ret)
	}
	switch c.spec.Args[i].Kind {
	case syscalls.KindFD, syscalls.KindClosing:
		compareDescriptor(t, name, &c.before[i], a, c.ret >= 0 && c.spec.Name == "connect" || c.spec.Name == "bind")
	case syscalls.KindDirFD:
		c.compareBase(i, a)
	default:
		assert.Empty(t, a.Path, name)
	}
}

// compareBase: a directory's path comes along when the next argument begins
// there.
func (c *call) compareBase(i int, a *event.Arg) {
	next, _ := c.values[i+1].(string)
	want := c.before[i].path
	if strings.HasPrefix(next, "/") {
		want = ""
	}
	assert.Equal(c.t, want, string(a.Path), c.spec.Args[i].Name)
}

func (c *call) compareSockaddr(i int, want sockaddr, got *event.Socket) {
	t := c.t
	assert.Equal(t, want.family, got.Family)
	port, addr, path := got.PeerPort, got.PeerAddr, got.PeerPath
	if c.spec.Args[i].Local {
		port, addr, path = got.LocalPort, got.LocalAddr, got.LocalPath
	}
	assert.Equal(t, want.port, port)
	assert.Equal(t, want.addr, addr)
	assert.Equal(t, want.path, string(path))
}

func (c *call) compareResult(a *event.Arg) {
	t := c.t
	if c.ret < 0 {
		assert.Empty(t, a.Path)
		assert.Zero(t, a.File)
		return
	}
	switch c.spec.Result {
	case syscalls.ResultFile, syscalls.ResultSocket, syscalls.ResultDescriptor:
		compareDescriptor(t, "result", &c.result, a, false)
	case syscalls.ResultCwd:
		assert.Equal(t, c.result.path, string(a.Path), "new working directory")
	default:
	}
}

// realTempDir is a temporary directory without symbolic links in its path.
func realTempDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	return dir
}

// openDir opens a directory for use as dirfd.
func openDir(t *testing.T, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// touch makes an empty file.
func touch(t *testing.T, path string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	return path
}

// exists tells whether a name is there.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}
