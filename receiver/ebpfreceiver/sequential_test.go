//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
)

func threadOf(pid int) requests.Thread {
	return requests.Thread{Process: event.ProcessKey{TGID: uint32(pid)}, TID: uint32(pid)}
}

func TestThreadJudge(t *testing.T) {
	sleep := exec.Command("sleep", "60")
	require.NoError(t, sleep.Start())
	t.Cleanup(func() { _ = sleep.Process.Kill(); _ = sleep.Wait() })

	j := newThreadJudge("/proc")
	plain, ours, gone := threadOf(sleep.Process.Pid), threadOf(os.Getpid()), threadOf(1<<30)
	ended := plain // a thread that is over: the process tells
	ended.TID = 1 << 30
	verdict, pending := j.of(plain)
	assert.Equal(t, unknown, verdict, "nobody asked")
	assert.False(t, pending)
	for _, th := range []requests.Thread{plain, ours, gone, ended, plain} {
		j.serves(th)
	}
	for th, want := range map[requests.Thread]scheduling{plain: sequential, ours: goroutines, gone: scheduled, ended: sequential} {
		assert.Eventually(t, func() bool { verdict, pending = j.of(th); return !pending }, time.Minute, time.Millisecond)
		assert.Equal(t, want, verdict, th)
	}
	another := ours
	another.TID = 1 << 30
	verdict, _ = j.of(another)
	assert.Equal(t, goroutines, verdict, "it goes for all threads of a process")
	j.stop()
	<-j.done
}

func TestThreadJudgeByName(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/7/task/7", 0o700))
	require.NoError(t, os.MkdirAll(dir+"/7/task/8", 0o700))
	require.NoError(t, os.WriteFile(dir+"/7/task/7/comm", []byte("java\n"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/7/task/8/comm", []byte("ForkJoinPool-1-\n"), 0o600))
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(sleep, dir+"/7/exe"))
	j := newThreadJudge(dir)
	defer j.stop()
	assert.Equal(t, sequential, j.judge(threadOf(7)))
	carrier := threadOf(7)
	carrier.TID = 8
	assert.Equal(t, scheduled, j.judge(carrier), "a carrier of virtual threads")
}

func TestThreadJudgeIsBounded(t *testing.T) {
	j := newThreadJudge("/proc")
	defer j.stop()
	for i := range uint32(5 * maxJudged) {
		j.note(requests.Thread{Process: event.ProcessKey{TGID: i}, TID: i}, goroutines)
	}
	assert.LessOrEqual(t, len(j.recent)+len(j.before), 2*(maxJudged+1))
}
