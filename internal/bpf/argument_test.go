package bpf

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
)

// openAt opens a name by a pointer and returns what the call returned. Go's
// runtime must know that the thread may sleep: it sends signals to one that
// seems to run for long, and the kernel then begins the call anew.
func openAt(dirfd int, name unsafe.Pointer, flags int) int64 {
	r, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dirfd), uintptr(name), uintptr(flags), 0, 0, 0)
	if errno != 0 {
		return -int64(errno)
	}
	_ = unix.Close(int(r))
	return int64(r)
}

// awaitOpen finds the record of the thread's openat with that name's pointer.
func awaitOpen(t *testing.T, a *Agent, tid uint32, name unsafe.Pointer, check func(ev *event.Event)) {
	t.Helper()
	await(t, a, "openat", func(ev *event.Event) bool {
		if ev.Type != event.TypeSyscall || ev.TID != tid || ev.Syscall.Name() != "openat" ||
			ev.Syscall.Args[1].Number != uint64(uintptr(name)) {
			return false
		}
		check(ev)
		return true
	})
}

// TestPageNotResident: a name on a page that nobody has touched cannot be read
// when the call begins; the kernel itself brings it in.
func TestPageNotResident(t *testing.T) {
	eachMode(t, []string{"openat"}, func(t *testing.T, a *Agent) {
		dir := realTempDir(t)
		target := touch(t, filepath.Join(dir, "target"))
		f, err := os.Create(filepath.Join(dir, "page"))
		require.NoError(t, err)
		defer f.Close()
		_, err = f.WriteString(target + "\x00")
		require.NoError(t, err)
		onThread(t, func() {
			page, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_PRIVATE)
			require.NoError(t, err)
			defer func() { _ = unix.Munmap(page) }()
			name := unsafe.Pointer(&page[0])
			require.GreaterOrEqual(t, openAt(unix.AT_FDCWD, name, unix.O_RDONLY), int64(0))
			awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
				arg := &ev.Syscall.Args[1]
				assert.Equal(t, target, string(arg.Bytes))
				assert.NotZero(t, arg.Flags&event.ArgLate)
				assert.NotZero(t, ev.Flags&event.FlagLate)
				assert.Equal(t, target, string(ev.Syscall.Result.Path))
			})
			// now the page is there
			require.GreaterOrEqual(t, openAt(unix.AT_FDCWD, name, unix.O_RDONLY), int64(0))
			awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
				assert.Equal(t, target, string(ev.Syscall.Args[1].Bytes))
				assert.Zero(t, ev.Flags&event.FlagLate)
			})
		})
	})
}

func TestUnreadableName(t *testing.T) {
	a := share(t, false, "openat")
	onThread(t, func() {
		require.Equal(t, -int64(unix.EFAULT), openAt(unix.AT_FDCWD, nil, unix.O_RDONLY))
		awaitOpen(t, a, uint32(unix.Gettid()), nil, func(ev *event.Event) {
			assert.NotZero(t, ev.Syscall.Args[1].Flags&event.ArgUnreadable)
			assert.Nil(t, ev.Syscall.Args[1].Bytes)
			assert.Equal(t, -int64(unix.EFAULT), ev.Syscall.Return)
		})
	})
}

// cName is a NUL-terminated name that stays where it is: stacks move.
func cName(s string) unsafe.Pointer {
	heap = append([]byte(s), 0)
	return unsafe.Pointer(&heap[0])
}

// heap keeps the last cName.
var heap []byte

// TestLongNames: names of every length come whole, be they kept in the small
// place or in the large one between entry and exit.
func TestLongNames(t *testing.T) {
	eachMode(t, []string{"openat", "renameat"}, func(t *testing.T, a *Agent) {
		onThread(t, func() {
			for _, n := range []int{1, 7, 8, 63, 64, 239, 240, 241, 246, 247, 248, 249, 255, 256, 300, 2000, 4094, 4095} {
				want := "/" + strings.Repeat("x", n-1)
				name := cName(want)
				openAt(unix.AT_FDCWD, name, unix.O_RDONLY)
				awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
					assert.Equal(t, want, string(ev.Syscall.Args[1].Bytes), "length %d", n)
					assert.Zero(t, ev.Flags&(event.FlagTruncated|event.FlagLate|event.FlagNoEnter), "length %d", n)
				})
			}
			name := cName(strings.Repeat("y", 5000))
			require.Equal(t, -int64(unix.ENAMETOOLONG), openAt(unix.AT_FDCWD, name, unix.O_RDONLY))
			awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
				assert.Len(t, ev.Syscall.Args[1].Bytes, 4096)
				assert.NotZero(t, ev.Syscall.Args[1].Flags&event.ArgTruncated)
				assert.NotZero(t, ev.Flags&event.FlagTruncated)
			})
		})
	})
}

// TestDeepPath: the kernel's path of a file far below the root loses its
// beginning, and says so.
func TestDeepPath(t *testing.T) {
	a := share(t, false, "openat")
	onThread(t, func() {
		require.NoError(t, unix.Chdir(realTempDir(t)))
		for range 200 {
			require.NoError(t, unix.Mkdir("d", 0o700))
			require.NoError(t, unix.Chdir("d"))
		}
		name := cName("file")
		require.GreaterOrEqual(t, openAt(unix.AT_FDCWD, name, unix.O_CREAT|unix.O_RDWR), int64(0))
		awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
			r := &ev.Syscall.Result
			assert.NotZero(t, r.Flags&event.ArgTruncated)
			assert.True(t, strings.HasSuffix(string(r.Path), "/d/d/d/file"), "%s", r.Path)
			assert.False(t, strings.HasPrefix(string(r.Path), "/"))
			assert.NotZero(t, r.File.Flags&event.FileCreated)
		})
	})
}

// TestMountedPath: the kernel's path goes over mount points.
func TestMountedPath(t *testing.T) {
	eachMode(t, []string{"openat"}, func(t *testing.T, a *Agent) {
		dir := realTempDir(t)
		for _, d := range []string{"a", "b"} {
			require.NoError(t, os.Mkdir(filepath.Join(dir, d), 0o700))
		}
		touch(t, filepath.Join(dir, "a", "file"))
		onThread(t, func() {
			require.NoError(t, unix.Unshare(unix.CLONE_NEWNS))
			require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
			require.NoError(t, unix.Mount(filepath.Join(dir, "a"), filepath.Join(dir, "b"), "", unix.MS_BIND, ""))
			want := filepath.Join(dir, "b", "file")
			name := cName(want)
			require.GreaterOrEqual(t, openAt(unix.AT_FDCWD, name, unix.O_RDONLY), int64(0))
			awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
				assert.Equal(t, want, string(ev.Syscall.Result.Path))
			})
		})
	})
}

// TestOverlayLayers tells the image's files from those written on top of it.
func TestOverlayLayers(t *testing.T) {
	a := share(t, false, "openat")
	dir := realTempDir(t)
	for _, d := range []string{"lower", "upper", "work", "merged"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, d), 0o700))
	}
	touch(t, filepath.Join(dir, "lower", "image"))
	touch(t, filepath.Join(dir, "upper", "written"))
	onThread(t, func() {
		require.NoError(t, unix.Unshare(unix.CLONE_NEWNS))
		require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		options := "lowerdir=" + dir + "/lower,upperdir=" + dir + "/upper,workdir=" + dir + "/work"
		if err := unix.Mount("overlay", dir+"/merged", "overlay", 0, options); err != nil {
			t.Skip("this kernel mounts no overlay here:", err)
		}
		for file, want := range map[string]event.FileFlags{"image": event.FileLower, "written": event.FileUpper} {
			name := cName(filepath.Join(dir, "merged", file))
			require.GreaterOrEqual(t, openAt(unix.AT_FDCWD, name, unix.O_RDONLY), int64(0))
			awaitOpen(t, a, uint32(unix.Gettid()), name, func(ev *event.Event) {
				assert.Equal(t, want, ev.Syscall.Result.File.Flags&(event.FileLower|event.FileUpper), file)
			})
		}
	})
}

// TestNameChangedDuringTheCall: what counts is the name that the kernel was
// given. A FIFO keeps the call inside the kernel while another thread writes an
// innocent name over it.
func TestNameChangedDuringTheCall(t *testing.T) {
	eachMode(t, []string{"openat"}, func(t *testing.T, a *Agent) {
		fifo := filepath.Join(realTempDir(t), "fifo")
		require.NoError(t, unix.Mkfifo(fifo, 0o600))
		name := cName(fifo)
		buffer := heap
		opened := make(chan uint32)
		go func() {
			runtime.LockOSThread()
			opened <- uint32(unix.Gettid())
			assert.GreaterOrEqual(t, openAt(unix.AT_FDCWD, name, unix.O_RDONLY), int64(0))
			close(opened)
		}()
		tid := <-opened
		waitBlocked(t, tid, unix.SYS_OPENAT)
		copy(buffer, "/etc/innocent\x00")
		w, err := os.OpenFile(fifo, os.O_RDWR, 0) // never blocks
		require.NoError(t, err)
		defer w.Close()
		<-opened
		awaitOpen(t, a, tid, name, func(ev *event.Event) {
			assert.GreaterOrEqual(t, ev.Syscall.Return, int64(0))
			assert.Equal(t, fifo, string(ev.Syscall.Args[1].Bytes))
			assert.Equal(t, fifo, string(ev.Syscall.Result.Path))
			assert.Zero(t, ev.Flags&event.FlagLate)
		})
	})
}

// TestCallBegunBefore: a call that began before it was wanted is told at its
// end, with what the registers and the memory say then.
func TestCallBegunBefore(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		c := &call{t: t}
		fd, port := listener(c)
		accepted := make(chan uint32)
		go func() {
			runtime.LockOSThread()
			accepted <- uint32(unix.Gettid())
			peer, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
			assert.NoError(t, err)
			_ = unix.Close(peer)
			close(accepted)
		}()
		tid := <-accepted
		waitBlocked(t, tid, unix.SYS_ACCEPT4)
		_, err := a.SetInterest(interest.Names("accept4"))
		require.NoError(t, err)
		knock(c, port)
		<-accepted
		await(t, a, "accept4", func(ev *event.Event) bool {
			if ev.Type != event.TypeSyscall || ev.TID != tid {
				return false
			}
			assert.NotZero(t, ev.Flags&event.FlagNoEnter)
			assert.Zero(t, ev.Syscall.Enter)
			assert.EqualValues(t, port, ev.Syscall.Result.Socket.LocalPort)
			return true
		})
	})
}

// waitBlocked waits until a thread sleeps inside a call. Go's own calls, which
// wake other threads before, do not count.
func waitBlocked(t *testing.T, tid uint32, number int) {
	t.Helper()
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(filepath.Join("/proc/self/task", itoa(tid), "syscall"))
		return err == nil && strings.HasPrefix(string(b), strconv.Itoa(number)+" ")
	}, patience, 1e6)
}
