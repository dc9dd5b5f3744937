package bpf

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// helperEnv makes the test binary play a part instead of running tests: guests
// of the kernel matrix have no other program.
const helperEnv = "SIGHTGLASS_TEST_HELPER"

func TestMain(m *testing.M) {
	if part := os.Getenv(helperEnv); part != "" {
		os.Exit(playHelper(part))
	}
	code := m.Run()
	closeShared()
	os.Exit(code)
}

// playHelper is the child process; its result is the exit status.
func playHelper(part string) int {
	switch part {
	case "wait": // until standard input ends
		var b [1]byte
		_, _ = os.Stdin.Read(b[:])
		return 0
	case "seven":
		return 7
	case "threads":
		helperThreads(8)
		return 3
	case "threadexec": // execs from a thread that is not the leader
		helperThreadExec()
		return 99
	case "forks":
		return helperForks(20)
	case "self":
		return helperSelf()
	case "probe":
		return helperProbe()
	default:
		if play := talks[part]; play != nil {
			return talk(play)
		}
		fmt.Fprintln(os.Stderr, "unknown part", part)
		return 98
	}
}

// helperThreads starts threads and lets them end.
func helperThreads(n int) {
	done := make(chan struct{})
	for range n {
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			time.Sleep(time.Millisecond)
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
}

func helperThreadExec() {
	env := []string{helperEnv + "=seven"} // of two entries the first would count
	failed := make(chan error)
	for range 2 { // the main goroutine waits, so that at least one is on another thread
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() == os.Getpid() {
				select {}
			}
			failed <- unix.Exec("/proc/self/exe", []string{"threadexec"}, env)
		}()
	}
	fmt.Fprintln(os.Stderr, <-failed)
}

func helperForks(n int) int {
	for range n {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{helperEnv + "=seven"}
		if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 7 {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// helperSelf loads an agent and tells who it takes itself for.
func helperSelf() int {
	a, err := Load(Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer a.Close()
	fmt.Println(a.Self(), os.Getpid())
	return 0
}

// helper prepares the test binary to play a part.
func helper(tb testing.TB, part string, args ...string) *exec.Cmd {
	tb.Helper()
	exe, err := os.Executable()
	require.NoError(tb, err)
	cmd := exec.CommandContext(tb.Context(), exe, args...)
	cmd.Env = append(os.Environ(), helperEnv+"="+part)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	tb.Cleanup(func() {
		if tb.Failed() && stderr.Len() > 0 {
			tb.Logf("%s: %s", part, stderr.String())
		}
	})
	return cmd
}

// waiting starts a helper that lives until the test ends.
func waiting(tb testing.TB) int {
	tb.Helper()
	cmd := helper(tb, "wait")
	stdin, err := cmd.StdinPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}
