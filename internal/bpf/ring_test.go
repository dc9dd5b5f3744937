package bpf

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
)

// storm makes many captured calls on several threads.
func storm(t *testing.T, threads, calls int) {
	t.Helper()
	var group sync.WaitGroup
	for range threads {
		group.Go(func() {
			for range calls {
				_ = unix.Kill(os.Getpid(), 0)
			}
		})
	}
	group.Wait()
}

// TestNoRecordIsUnaccountedFor overloads a tiny ring: what was read, what was
// left out and what was lost is what was produced.
func TestNoRecordIsUnaccountedFor(t *testing.T) {
	eachLoad(t, Options{Syscalls: []string{"kill"}, SecurityRing: os.Getpagesize()}, func(t *testing.T, a *Agent) {
		var stop atomic.Bool
		drained := make(chan error)
		go func() {
			for !stop.Load() {
				if _, err := a.Security().Drain(func([]byte) {}); err != nil {
					drained <- err
					return
				}
				time.Sleep(time.Millisecond)
			}
			drained <- nil
		}()
		storm(t, 4, 5000)
		stop.Store(true)
		require.NoError(t, <-drained)
		stats := settle(t, a)
		total := stats.Total()
		assert.GreaterOrEqual(t, total.Produced, uint64(20000))
		assert.NotZero(t, total.Lost[securityLossReasonLOSS_RING_FULL], "the ring was too small")
		assert.NotZero(t, stats.Received)
		assert.Equal(t, total.Produced, stats.Received+total.TotalFiltered()+total.TotalLost())
		t.Logf("received %d, filtered %d, lost %d, produced %d",
			stats.Received, total.TotalFiltered(), total.TotalLost(), total.Produced)
	})
}

// settle switches the capture of calls off and drains until the counters stand
// still.
func settle(t *testing.T, a *Agent) ClassStats {
	t.Helper()
	_, err := a.SetInterest(interest.Set{})
	require.NoError(t, err)
	deadline := time.Now().Add(patience)
	for {
		_, err := a.Security().Drain(func([]byte) {})
		require.NoError(t, err)
		st, err := a.Stats()
		require.NoError(t, err)
		c := st.Classes[Security]
		total := c.Total()
		if c.Received+total.TotalFiltered()+total.TotalLost() == total.Produced {
			return c
		}
		require.True(t, time.Now().Before(deadline), "%d records of %d are missing",
			total.Produced-c.Received-total.TotalFiltered()-total.TotalLost(), total.Produced)
	}
}

func TestRunDrainsAndPauses(t *testing.T) {
	a := load(t, Options{Syscalls: []string{"kill"}})
	var records, pauses atomic.Int64
	ended := make(chan error)
	go func() {
		ended <- a.Security().Run(func([]byte) { records.Add(1) }, func(int) { pauses.Add(1) })
	}()
	storm(t, 2, 2000)
	require.Eventually(t, func() bool { return records.Load() >= 4000 && pauses.Load() > 0 }, patience, time.Millisecond)
	require.NoError(t, a.Security().Close())
	require.NoError(t, <-ended)
}

// TestReaderIsWokenBeforeTheRingIsFull: an idle reader waits up to 100 ms; a
// burst that fills the ring meanwhile calls it.
func TestReaderIsWokenBeforeTheRingIsFull(t *testing.T) {
	a := load(t, Options{Syscalls: []string{"kill"}, SecurityRing: 1 << 20})
	src := a.Security()
	_, err := src.Drain(func([]byte) {})
	require.NoError(t, err)
	require.True(t, src.use())
	defer src.release()
	woken := make(chan error)
	go func() {
		_, err := src.waiter.wait(time.Now().Add(time.Hour))
		woken <- err
	}()
	ended := make(chan struct{})
	go func() {
		storm(t, 2, 1500) // a third of the ring
		close(ended)
	}()
	defer func() { <-ended }()
	select {
	case err := <-woken:
		require.NoError(t, err)
	case <-time.After(patience):
		t.Fatal("nobody woke the reader")
	}
}

func TestInterestAtRunTime(t *testing.T) {
	a := share(t, false)
	calls := func() int {
		n := 0
		var ev event.Event
		_, err := a.Security().Drain(func(raw []byte) {
			require.NoError(t, event.Decode(raw, &ev))
			if ev.Type == event.TypeSyscall && ev.Key.TGID == a.Self() && ev.Syscall.Name() == "kill" {
				n++
			}
		})
		require.NoError(t, err)
		return n
	}
	storm(t, 1, 10)
	assert.Zero(t, calls(), "nobody wants it")
	unknown, err := a.SetInterest(interest.Names("kill", "no_such_call", "another"))
	require.NoError(t, err)
	assert.Equal(t, []string{"another", "no_such_call"}, unknown)
	storm(t, 1, 10)
	assert.Equal(t, 10, calls())
	_, err = a.SetInterest(interest.Names("openat"))
	require.NoError(t, err)
	storm(t, 1, 10)
	assert.Zero(t, calls())
}

func TestSelf(t *testing.T) {
	a := share(t, false)
	require.EqualValues(t, os.Getpid(), a.Self())
	cmd := helper(t, "wait")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	pid := uint32(cmd.Process.Pid)
	await(t, a, "exec before it is known", func(ev *event.Event) bool {
		return ev.Type == event.TypeExec && ev.Key.TGID == pid && ev.Flags&event.FlagSelf == 0
	})
	require.NoError(t, a.SetSelf(pid))
	t.Cleanup(func() { assert.NoError(t, a.SetSelf()) })
	require.Error(t, a.SetSelf(1, 2, 3, 4))
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	await(t, a, "exit of the agent's own", func(ev *event.Event) bool {
		return ev.Type == event.TypeExit && ev.Key.TGID == pid && ev.Flags&event.FlagSelf != 0
	})
}

// TestSelfInsidePIDNamespace: an agent in a container knows its id as the host
// sees it, although getpid says another.
func TestSelfInsidePIDNamespace(t *testing.T) {
	requireRoot(t)
	cmd := helper(t, "self")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	var out strings.Builder
	cmd.Stdout = &out
	require.NoError(t, cmd.Run())
	var self, own int
	_, err := fmt.Sscan(out.String(), &self, &own)
	require.NoError(t, err)
	assert.Equal(t, cmd.Process.Pid, self)
	assert.Equal(t, 1, own)
}

// TestDrainAllocatesNothing per record.
func TestDrainAllocatesNothing(t *testing.T) {
	a := share(t, false, "kill")
	drain := func() int {
		n, err := a.Security().Drain(func([]byte) {})
		require.NoError(t, err)
		return n
	}
	storm(t, 1, 100)
	drain()
	storm(t, 1, 1000)
	records := 0
	allocs := testing.AllocsPerRun(1, func() { records += drain() }) //nolint:forbidigo // the records come once
	assert.GreaterOrEqual(t, records, 1000)
	assert.Less(t, allocs, 100.0)
}

func TestReadRecordsOfATornStream(t *testing.T) {
	require.Error(t, readRecords(tornReader{}, func([]byte) {}))
}

// tornReader ends inside a header.
type tornReader struct{}

func (tornReader) Read(p []byte) (int, error) {
	if len(p) > 5 {
		return 5, nil
	}
	return 0, errors.New("torn")
}
