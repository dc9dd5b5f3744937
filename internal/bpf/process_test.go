package bpf

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// argv is what a record must say about a command's arguments.
func argv(args ...string) string { return strings.Join(args, "\x00") + "\x00" }

// runHelper runs a helper to its end and returns its pid.
func runHelper(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.Pid()
}

func TestExecAndExit(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		dir := realTempDir(t)
		cmd := helper(t, "seven", "first", "", "third argument")
		cmd.Dir = dir
		pid := uint32(runHelper(t, cmd))
		exe, err := filepath.EvalSymlinks(cmd.Path)
		require.NoError(t, err)
		var st unix.Stat_t
		require.NoError(t, unix.Stat(exe, &st))

		var start uint64
		await(t, a, "exec", func(ev *event.Event) bool {
			if ev.Type != event.TypeExec || ev.Key.TGID != pid {
				return false
			}
			start = ev.Key.Start
			e := &ev.Exec
			assert.Equal(t, pid, ev.TID)
			assert.Equal(t, pid, e.OldTID)
			assert.EqualValues(t, 4, e.Argc)
			assert.Equal(t, argv(cmd.Path, "first", "", "third argument"), string(e.Args))
			assert.Equal(t, exe, string(e.Path))
			assert.Equal(t, dir, string(e.Cwd))
			assert.Equal(t, cmd.Path, string(e.Filename))
			assert.Empty(t, e.Interp)
			assert.Empty(t, e.Env, "the environment is off")
			assert.Equal(t, st.Ino, e.File.Inode)
			assert.Equal(t, st.Mode, e.File.Mode)
			assert.Zero(t, e.File.Flags&(event.FileMemfd|event.FileDeleted))
			assert.Zero(t, ev.Flags&event.FlagTruncated)
			assert.Equal(t, a.Self(), ev.Task.Parent.TGID)
			assert.Equal(t, filepath.Base(cmd.Path)[:min(15, len(filepath.Base(cmd.Path)))], string(ev.Task.Comm))
			return true
		})
		await(t, a, "exit", func(ev *event.Event) bool {
			if ev.Type != event.TypeExit || ev.Key.TGID != pid {
				return false
			}
			assert.Equal(t, start, ev.Key.Start)
			assert.Equal(t, event.Exit{Code: 7}, ev.Exit)
			return true
		})
	})
}

func TestExecLongArguments(t *testing.T) {
	a := share(t, false)
	for _, size := range []int{4000, 5000, 100_000} {
		cmd := helper(t, "seven", strings.Repeat("a", size))
		pid := uint32(runHelper(t, cmd))
		full := argv(cmd.Args...)
		await(t, a, "exec", func(ev *event.Event) bool {
			if ev.Type != event.TypeExec || ev.Key.TGID != pid {
				return false
			}
			cut := len(full) > 4096
			assert.Equal(t, full[:min(len(full), 4096)], string(ev.Exec.Args))
			assert.Equal(t, cut, ev.Exec.ArgFlag&event.ArgTruncated != 0, "marked as cut")
			assert.Equal(t, cut, ev.Flags&event.FlagTruncated != 0)
			return true
		})
	}
}

func TestExecEnvironment(t *testing.T) {
	a := share(t, false)
	for _, on := range []bool{true, false} {
		require.NoError(t, a.SetExecEnvironment(on))
		cmd := helper(t, "seven")
		cmd.Env = []string{helperEnv + "=seven", "COLOUR=blue"}
		pid := uint32(runHelper(t, cmd))
		want := ""
		if on {
			want = argv(cmd.Env...)
		}
		await(t, a, "exec", func(ev *event.Event) bool {
			if ev.Type != event.TypeExec || ev.Key.TGID != pid {
				return false
			}
			assert.Equal(t, want, string(ev.Exec.Env))
			return true
		})
	}
}

func TestExecScript(t *testing.T) {
	a := share(t, false)
	exe, err := os.Executable()
	require.NoError(t, err)
	script := filepath.Join(realTempDir(t), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!"+exe+" opt\n"), 0o700))
	cmd := exec.CommandContext(t.Context(), script, "x")
	cmd.Env = append(os.Environ(), helperEnv+"=seven")
	pid := uint32(runHelper(t, cmd))
	await(t, a, "exec of a script", func(ev *event.Event) bool {
		if ev.Type != event.TypeExec || ev.Key.TGID != pid {
			return false
		}
		assert.Equal(t, script, string(ev.Exec.Filename))
		assert.Equal(t, exe, string(ev.Exec.Interp))
		assert.Equal(t, argv(exe, "opt", script, "x"), string(ev.Exec.Args))
		return true
	})
}

func TestExecMemfdAndDeleted(t *testing.T) {
	a := share(t, false)
	exe, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	t.Run("memfd", func(t *testing.T) {
		fd, err := unix.MemfdCreate("hidden", unix.MFD_CLOEXEC)
		require.NoError(t, err)
		f := os.NewFile(uintptr(fd), "memfd")
		defer f.Close()
		_, err = f.Write(exe)
		require.NoError(t, err)
		cmd := helper(t, "seven")
		cmd.Path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
		pid := uint32(runHelper(t, cmd))
		await(t, a, "exec of a memfd", func(ev *event.Event) bool {
			if ev.Type != event.TypeExec || ev.Key.TGID != pid {
				return false
			}
			assert.Equal(t, "memfd:hidden", string(ev.Exec.Path))
			assert.NotZero(t, ev.Exec.PathFlag&event.ArgDetached)
			assert.NotZero(t, ev.Exec.File.Flags&event.FileMemfd)
			return true
		})
	})
	t.Run("deleted", func(t *testing.T) {
		path := filepath.Join(realTempDir(t), "gone")
		require.NoError(t, os.WriteFile(path, exe, 0o700))
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		defer unix.Close(fd)
		require.NoError(t, os.Remove(path))
		cmd := helper(t, "seven")
		cmd.Path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
		pid := uint32(runHelper(t, cmd))
		await(t, a, "exec of a deleted file", func(ev *event.Event) bool {
			if ev.Type != event.TypeExec || ev.Key.TGID != pid {
				return false
			}
			assert.Equal(t, path, string(ev.Exec.Path))
			assert.NotZero(t, ev.Exec.PathFlag&event.ArgDeleted)
			assert.NotZero(t, ev.Exec.File.Flags&event.FileDeleted)
			assert.Zero(t, ev.Exec.File.Flags&event.FileMemfd)
			return true
		})
	})
}

// TestExecOfThread: a thread that is not the leader takes the leader's id.
func TestExecOfThread(t *testing.T) {
	a := share(t, false)
	pid := uint32(runHelper(t, helper(t, "threadexec")))
	await(t, a, "exec of a thread", func(ev *event.Event) bool {
		if ev.Type != event.TypeExec || ev.Key.TGID != pid || !bytes.Equal(ev.Exec.Args, []byte(argv("threadexec"))) {
			return false
		}
		assert.Equal(t, pid, ev.TID)
		assert.NotEqual(t, pid, ev.Exec.OldTID)
		return true
	})
	await(t, a, "exit", func(ev *event.Event) bool {
		return ev.Type == event.TypeExit && ev.Key.TGID == pid && ev.Exit.Code == 7
	})
}

// TestThreadsAreNoProcesses: threads come and go without forks and exits, and
// are counted.
func TestThreadsAreNoProcesses(t *testing.T) {
	a := share(t, false)
	before := securityTotal(t, a)
	pid := uint32(runHelper(t, helper(t, "threads")))
	forks, exits := 0, 0
	await(t, a, "exit of the process", func(ev *event.Event) bool {
		if ev.Key.TGID != pid {
			return false
		}
		switch ev.Type {
		case event.TypeFork:
			forks++
		case event.TypeExit:
			exits++
			assert.Equal(t, event.Exit{Code: 3}, ev.Exit)
		default:
		}
		return ev.Type == event.TypeExit
	})
	assert.Equal(t, 1, forks)
	assert.Equal(t, 1, exits)
	thread := securityFilterReasonFILTER_THREAD
	after := securityTotal(t, a)
	assert.GreaterOrEqual(t, after.Filtered[thread]-before.Filtered[thread], uint64(8))
}

func TestExitBySignal(t *testing.T) {
	a := share(t, false)
	cmd := helper(t, "wait")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	require.NoError(t, cmd.Start())
	pid := uint32(cmd.Process.Pid)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	await(t, a, "exit by signal", func(ev *event.Event) bool {
		if ev.Type != event.TypeExit || ev.Key.TGID != pid {
			return false
		}
		assert.EqualValues(t, unix.SIGKILL, ev.Exit.Signal)
		assert.Zero(t, ev.Exit.Code)
		return true
	})
}

// TestForkStorm: every process that begins has its fork before its exec before its
// exit, and nothing is missing.
func TestForkStorm(t *testing.T) {
	a := share(t, false)
	began := uint64(bootTime())
	before := securityTotal(t, a)
	const helpers, each = 5, 20
	for range helpers {
		cmd := helper(t, "forks")
		require.NoError(t, cmd.Start())
		defer func() { assert.NoError(t, cmd.Wait()) }()
	}
	stage := map[event.ProcessKey]event.Type{}
	complete := 0
	deadline := time.Now().Add(3 * patience)
	var ev event.Event
	for complete < helpers*each && time.Now().Before(deadline) {
		_, err := a.Security().Drain(func(raw []byte) {
			require.NoError(t, event.Decode(raw, &ev))
			if ev.Key.Start < began {
				return // somebody else's, whose fork may be long gone
			}
			before := stage[ev.Key]
			switch ev.Type {
			case event.TypeFork:
				assert.Zero(t, before)
			case event.TypeExec:
				assert.Contains(t, []event.Type{event.TypeFork, event.TypeExec}, before)
			case event.TypeExit:
				if before == event.TypeExec && ev.Exit.Code == 7 {
					complete++
				}
			default:
				return
			}
			stage[ev.Key] = ev.Type
		})
		require.NoError(t, err)
		time.Sleep(time.Millisecond)
	}
	assert.Equal(t, helpers*each, complete)
	after := securityTotal(t, a)
	assert.Equal(t, before.TotalLost(), after.TotalLost())
}

// securityTotal are the counters of all CPUs.
func securityTotal(t *testing.T, a *Agent) Counters {
	t.Helper()
	st, err := a.Stats()
	require.NoError(t, err)
	return st.Classes[Security].Total()
}

// TestExecPipes: which pipes a program reads and writes is told by the kernel,
// however soon it ends.
func TestExecPipes(t *testing.T) {
	eachMode(t, nil, func(t *testing.T, a *Agent) {
		in, feed, err := os.Pipe()
		require.NoError(t, err)
		defer in.Close()
		defer feed.Close()
		inode := func(f *os.File) uint64 {
			var st unix.Stat_t
			require.NoError(t, unix.Fstat(int(f.Fd()), &st))
			return st.Ino
		}
		for _, piped := range []bool{true, false} {
			cmd := helper(t, "seven")
			var want [2]uint64
			if piped {
				cmd.Stdin, cmd.Stdout = in, feed
				want = [2]uint64{inode(in), inode(feed)}
			}
			pid := uint32(runHelper(t, cmd))
			await(t, a, "exec", func(ev *event.Event) bool {
				if ev.Type != event.TypeExec || ev.Key.TGID != pid {
					return false
				}
				assert.Equal(t, want, [2]uint64{ev.Exec.Input, ev.Exec.Output})
				return true
			})
		}
	})
}
