package bpf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// stashSlots is how many threads find a slot of their own (bpf/lib/stash.h).
const stashSlots = 8192

// TestTakenSlot has one thread wait inside an open while another one, which the
// same slot would serve, opens files: both are told with the arguments of their
// entries.
func TestTakenSlot(t *testing.T) {
	eachMode(t, []string{"openat"}, func(t *testing.T, a *Agent) {
		fifo := filepath.Join(t.TempDir(), "fifo")
		require.NoError(t, unix.Mkfifo(fifo, 0o600))
		tid, opened := make(chan int, 1), make(chan error, 1)
		go func() {
			runtime.LockOSThread() // ends with the goroutine
			tid <- unix.Gettid()
			fd, err := unix.Open(fifo, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err == nil {
				err = unix.Close(fd)
			}
			opened <- err
		}()
		waiting := <-tid
		require.Eventually(t, func() bool { // it has entered the call
			call, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", waiting))
			return err == nil && strings.HasPrefix(string(call), strconv.Itoa(unix.SYS_OPENAT)+" ")
		}, patience, time.Millisecond)
		other := processLike(t, waiting)
		w, err := unix.Open(fifo, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		require.NoError(t, <-opened)
		require.NoError(t, unix.Close(w))

		told := map[uint32]int{}
		var ev event.Event
		_, err = a.Security().Drain(func(raw []byte) {
			require.NoError(t, event.Decode(raw, &ev))
			if ev.Type != event.TypeSyscall {
				return
			}
			// other strings may lie in pages that are not resident yet
			switch path := string(ev.Syscall.Args[1].Bytes); {
			case ev.TID == uint32(waiting) && path == fifo, ev.TID == uint32(other) && path == resident:
				told[ev.TID]++
				assert.Zero(t, ev.Flags&(event.FlagNoEnter|event.FlagLate), path)
			case ev.TID == uint32(other):
				assert.Zero(t, ev.Flags&event.FlagNoEnter, path)
			}
		})
		require.NoError(t, err)
		assert.NotZero(t, told[uint32(waiting)], "more than one when signals interrupt it")
		assert.NotZero(t, told[uint32(other)])
	})
}

// resident is a path that a program gets on its stack.
const resident = "/etc/hostname"

// processLike runs a program that opens files and whose id leads to the slot of
// thread tid.
func processLike(t *testing.T, tid int) int {
	t.Helper()
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Skip(err)
	}
	const last = "/proc/sys/kernel/ns_last_pid"
	limit, err := os.ReadFile("/proc/sys/kernel/pid_max")
	require.NoError(t, err)
	most, err := strconv.Atoi(string(limit[:len(limit)-1]))
	require.NoError(t, err)
	for n := range 60 {
		want := (tid + (n%3+1)*stashSlots) % most
		if want <= 300 || want%stashSlots != tid%stashSlots {
			continue // the kernel's own are skipped
		}
		if err := os.WriteFile(last, []byte(strconv.Itoa(want-1)), 0); err != nil {
			t.Skipf("cannot choose the id of a process: %v", err)
		}
		cmd := exec.CommandContext(t.Context(), cat, resident)
		require.NoError(t, cmd.Run())
		if cmd.Process.Pid%stashSlots == tid%stashSlots {
			return cmd.Process.Pid
		}
	}
	t.Skip("other programs took the ids")
	return 0
}
