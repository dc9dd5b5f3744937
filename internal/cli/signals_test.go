package cli

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/otelcol"
)

// fake is a collector; run gets a channel that Shutdown closes.
type fake struct {
	stop  chan struct{}
	run   func(stop <-chan struct{}) error
	state otelcol.State
}

func newFake(run func(stop <-chan struct{}) error) *fake {
	return &fake{make(chan struct{}), run, otelcol.StateRunning}
}

func (f *fake) Run(context.Context) error { return f.run(f.stop) }
func (f *fake) Shutdown()                 { close(f.stop) }
func (f *fake) GetState() otelcol.State   { return f.state }

// signalTest has signals and a clock of the test's own.
type signalTest struct {
	signals chan os.Signal
	limit   chan time.Time
	echo    chan time.Time
	asked   chan time.Duration // limits that were asked for
}

func newSignalTest(signals ...os.Signal) *signalTest {
	s := &signalTest{make(chan os.Signal, 2), make(chan time.Time, 1), make(chan time.Time), make(chan time.Duration, 2)}
	for _, one := range signals {
		s.signals <- one
	}
	return s
}

func (s *signalTest) run(ctx context.Context, c collector) error {
	after := func(d time.Duration) <-chan time.Time {
		if d == echo {
			return s.echo
		}
		s.asked <- d
		return s.limit
	}
	return untilOneOf(ctx, s.signals, after, c)
}

func untilStopped(stop <-chan struct{}) error {
	<-stop
	return nil
}

func TestEndsByItself(t *testing.T) {
	want := errors.New("done")
	require.Equal(t, want, newSignalTest().run(t.Context(), newFake(func(<-chan struct{}) error { return want })))
}

func TestSignalEndsCleanly(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		s := newSignalTest(sig)
		require.NoError(t, s.run(t.Context(), newFake(untilStopped)))
		if sig == syscall.SIGTERM {
			require.Empty(t, s.asked, "SIGTERM sets no limit")
		}
	}
}

func TestInterruptDoesNotWaitForever(t *testing.T) {
	for state, want := range map[otelcol.State]error{
		otelcol.StateStarting: errUnstarted,
		otelcol.StateClosing:  errUnfinished,
	} {
		s := newSignalTest(os.Interrupt)
		s.limit <- time.Time{}
		stuck := make(chan struct{})
		defer close(stuck)
		c := newFake(func(<-chan struct{}) error { <-stuck; return nil })
		c.state = state
		require.ErrorIs(t, s.run(t.Context(), c), want)
		require.Equal(t, interruptGrace, <-s.asked)
	}
	require.Less(t, interruptGrace, 2*time.Second)
}

// TestTerminationDoesNotWaitForAStart: a start that takes long does not keep the process from ending; a
// collector that runs, or has just begun to, gets all the time that it needs.
func TestTerminationDoesNotWaitForAStart(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	s := newSignalTest(syscall.SIGTERM)
	s.limit <- time.Time{}
	c := newFake(func(<-chan struct{}) error { <-stuck; return nil })
	c.state = otelcol.StateStarting
	require.ErrorIs(t, s.run(t.Context(), c), errUnstarted)
	require.Equal(t, interruptGrace, <-s.asked)
}

// startedLate is a collector that has started when it is asked a second time.
type startedLate struct {
	*fake
	asked int
}

func (c *startedLate) GetState() otelcol.State {
	if c.asked++; c.asked == 1 {
		return otelcol.StateStarting
	}
	return otelcol.StateClosing
}

func TestTerminationWaitsForWhatHasStarted(t *testing.T) {
	s := newSignalTest(syscall.SIGTERM)
	c := &startedLate{fake: newFake(func(stop <-chan struct{}) error {
		<-stop
		s.limit <- time.Time{}
		for len(s.limit) > 0 { // until the limit was looked at
			runtime.Gosched()
		}
		return nil
	})}
	require.NoError(t, s.run(t.Context(), c))
	require.Equal(t, 2, c.asked)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	s := newSignalTest(syscall.SIGTERM)
	c := newFake(func(stop <-chan struct{}) error {
		<-stop
		s.echo <- time.Time{} // taken only after the first signal
		s.signals <- syscall.SIGTERM
		<-stuck
		return nil
	})
	require.ErrorIs(t, s.run(t.Context(), c), errInterrupted)
}

func TestEchoOfASignalIsIgnored(t *testing.T) {
	s := newSignalTest(os.Interrupt, os.Interrupt)
	c := newFake(func(stop <-chan struct{}) error {
		<-stop
		for len(s.signals) > 0 {
			runtime.Gosched()
		}
		return nil
	})
	require.NoError(t, s.run(t.Context(), c))
	require.Len(t, s.asked, 1)
}

func TestUntilSignalHearsTheProcess(t *testing.T) {
	c := newFake(func(stop <-chan struct{}) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		return untilStopped(stop)
	})
	require.NoError(t, untilSignal(t.Context(), c))
}
