package bpf

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// TestTaskFacts compares what a record says about its thread with /proc.
func TestTaskFacts(t *testing.T) {
	eachMode(t, []string{"kill"}, func(t *testing.T, a *Agent) {
		onThread(t, func() {
			tid := uint32(unix.Gettid())
			status := procStatus(t)
			require.NoError(t, unix.Kill(os.Getpid(), 0))
			await(t, a, "kill", func(ev *event.Event) bool {
				if ev.Type != event.TypeSyscall || ev.TID != tid {
					return false
				}
				compareTask(t, a, ev, status)
				return true
			})
		})
	})
}

// procStatus is /proc/thread-self/status.
func procStatus(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("/proc/thread-self/status")
	require.NoError(t, err)
	fields := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.Fields(value)
	}
	return fields
}

func compareTask(t *testing.T, a *Agent, ev *event.Event, status map[string][]string) {
	t.Helper()
	task := &ev.Task
	assert.Equal(t, a.Self(), ev.Key.TGID)
	assert.EqualValues(t, os.Getpid(), task.VPID)
	assert.EqualValues(t, unix.Gettid(), task.VTID)
	assert.Equal(t, []string{fmt.Sprint(task.UID), fmt.Sprint(task.EUID)}, status["Uid"][:2])
	assert.Equal(t, []string{fmt.Sprint(task.GID), fmt.Sprint(task.EGID)}, status["Gid"][:2])
	assert.Equal(t, status["PPid"][0], fmt.Sprint(task.Parent.TGID))
	assert.Equal(t, status["Name"][0], string(task.Comm))
	assert.False(t, task.Kthread)
	for name, got := range map[string]uint32{"mnt": task.MountNS, "pid": task.PIDNS, "net": task.NetNS} {
		var st unix.Stat_t
		require.NoError(t, unix.Stat("/proc/thread-self/ns/"+name, &st))
		assert.EqualValues(t, st.Ino, got, name)
	}
	for file, got := range map[string]uint32{"loginuid": task.LoginUID, "sessionid": task.Session} {
		if b, err := os.ReadFile("/proc/thread-self/" + file); err == nil {
			assert.Equal(t, strings.TrimSpace(string(b)), fmt.Sprint(got), file)
		}
	}
	assert.Equal(t, procStart(t), ev.Key.Start/uint64(time.Second/100), "start in clock ticks")
	assert.EqualValues(t, unix.Getpgrp(), task.PGID)
	var now Clock
	assert.WithinDuration(t, time.Now(), now.Time(ev.Time), time.Minute)
}

// procStart is when this process began, in hundredths of a second since boot.
func procStart(t *testing.T) uint64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/stat")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(b), ") ")
	var start uint64
	_, err = fmt.Sscan(strings.Fields(rest)[19], &start)
	require.NoError(t, err)
	return start
}

func TestSeed(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		pid := uint32(waiting(t))
		exe, err := os.Readlink("/proc/self/exe")
		require.NoError(t, err)
		cwd, err := os.Getwd()
		require.NoError(t, err)
		var ev event.Event
		found, kthreads, total := 0, 0, 0
		require.NoError(t, a.Seed(func(raw []byte) {
			require.NoError(t, event.Decode(raw, &ev))
			require.Equal(t, event.TypeProcess, ev.Type)
			total++
			if ev.Task.Kthread {
				kthreads++
			}
			if ev.Key.TGID != pid {
				return
			}
			found++
			assert.Equal(t, exe, string(ev.Exec.Path))
			assert.Equal(t, cwd, string(ev.Exec.Cwd))
			assert.Equal(t, a.Self(), ev.Task.Parent.TGID)
			assert.NotZero(t, ev.Exec.File.Inode)
		}))
		assert.Equal(t, 1, found)
		assert.Greater(t, total, kthreads)
		t.Logf("%d processes, %d of the kernel, %s", total, kthreads, runtime.GOARCH)
	})
}
