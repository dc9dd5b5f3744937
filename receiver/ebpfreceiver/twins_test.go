//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// A proc file system with a process for each program.
func twinsOf(t *testing.T, self []byte, programs ...[]byte) *twins {
	t.Helper()
	dir := t.TempDir()
	agent := filepath.Join(dir, "agent")
	require.NoError(t, os.WriteFile(agent, self, 0o600))
	for i, content := range programs {
		file := filepath.Join(dir, "tmp"+strconv.Itoa(i))
		require.NoError(t, os.WriteFile(file, content, 0o600))
		at := filepath.Join(dir, strconv.Itoa(i+1))
		require.NoError(t, os.Mkdir(at, 0o755))
		require.NoError(t, os.Symlink(file, filepath.Join(at, "exe")))
	}
	return newTwins(dir, agent)
}

func ran(typ event.Type, pid uint32, name string) *event.Event {
	return &event.Event{
		Header: event.Header{Type: typ, Key: process.Key{TGID: pid, Start: 1}}, Task: event.Task{Comm: []byte(name)},
	}
}

func opened(t *testing.T, tw *twins, pid uint32, flags uint64) *event.Event {
	t.Helper()
	row, ok := syscalls.Index("openat")
	require.True(t, ok)
	ev := ran(event.TypeSyscall, pid, "agent")
	ev.Syscall.Index, ev.Syscall.NumArgs = uint16(row), 4
	ev.Syscall.Args[2].Number = flags
	ev.Syscall.Result.File = event.File{Inode: 7, Device: tw.device}
	return ev
}

func TestTwinsOfTheAgent(t *testing.T) {
	program := bytes.Repeat([]byte("program "), 100_000)
	near := bytes.Clone(program)
	near[len(near)-1] = 'x'
	tw := twinsOf(t, program, program, near, program[1:], program)
	for pid := range uint32(6) { // no process 0, none 5
		name := "agent"
		if pid == 4 {
			name = "other"
		}
		tw.see(ran(event.TypeExec, pid, name))
	}
	require.Len(t, tw.known, 1)
	require.True(t, tw.reads(opened(t, tw, 1, unix.O_RDONLY|unix.O_CLOEXEC)))
	require.False(t, tw.reads(opened(t, tw, 1, unix.O_WRONLY)), "what it writes is told")
	require.False(t, tw.reads(opened(t, tw, 1, unix.O_RDONLY|unix.O_CREAT)))
	elsewhere := opened(t, tw, 1, unix.O_RDONLY)
	elsewhere.Syscall.Result.File.Device++
	require.False(t, tw.reads(elsewhere), "what it reads elsewhere is told")
	require.False(t, tw.reads(opened(t, tw, 2, unix.O_RDONLY)), "one byte is another")
	require.False(t, tw.reads(ran(event.TypeExec, 1, "agent")), "that it started is told")

	tw.see(ran(event.TypeExec, 1, "sh"))
	require.False(t, tw.reads(opened(t, tw, 1, unix.O_RDONLY)), "it is another program")
	tw.see(ran(event.TypeProcess, 1, "agent"))
	require.True(t, tw.reads(opened(t, tw, 1, unix.O_RDONLY)), "it ran before")
	tw.see(ran(event.TypeExit, 1, "agent"))
	require.Empty(t, tw.known)
}

func TestTwinsAreComparedSeldom(t *testing.T) {
	program := []byte("program")
	tw := twinsOf(t, program, []byte("pretend"), program)
	now := time.Now()
	tw.now = func() time.Time { return now }
	for range maxComparisons {
		tw.see(ran(event.TypeExec, 1, "agent"))
	}
	tw.see(ran(event.TypeExec, 2, "agent"))
	require.Empty(t, tw.known)
	now = now.Add(comparisonsTime)
	tw.see(ran(event.TypeExec, 2, "agent"))
	require.Len(t, tw.known, 1)
}
