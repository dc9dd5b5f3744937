package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/otelcol"
)

// interruptGrace is how long the collector may take to end after Ctrl-C; what
// is not sent by then is lost. A SIGTERM sets no limit: who sends it (systemd,
// the kubelet) has one of his own. To a collector that still starts, which can
// take long on a busy machine and has nothing to send, the limit applies anyway.
const interruptGrace = 1500 * time.Millisecond

// echo is how long further signals are taken for copies of the first: wrappers
// such as timeout send one to the process and one to its group.
const echo = 300 * time.Millisecond

// Errors of an end that was not clean.
var (
	errUnstarted   = errors.New("ended while it was still starting")
	errUnfinished  = errors.New("ended before everything was sent: a back end does not answer, or this machine is too busy")
	errInterrupted = errors.New("ended at once by a second signal; what was not sent is lost")
)

// collector is what otelcol.Collector does.
type collector interface {
	Run(ctx context.Context) error
	Shutdown()
	GetState() otelcol.State
}

// endingSignals are SIGINT, SIGTERM and more, until stop is called.
func endingSignals(more ...os.Signal) (signals chan os.Signal, stop func()) {
	signals = make(chan os.Signal, 2)
	signal.Notify(signals, append(more, os.Interrupt, syscall.SIGTERM)...)
	return signals, func() { signal.Stop(signals) }
}

// untilSignal runs c until it ends by itself or SIGINT or SIGTERM asks for it. A
// SIGHUP is the business of hangups.
func untilSignal(ctx context.Context, c collector) error {
	signals, stop := endingSignals()
	defer stop()
	return untilOneOf(ctx, signals, time.After, c)
}

// untilOneOf runs c until it ends by itself or one of the signals asks for it. It
// returns within interruptGrace of any signal but SIGTERM, of that too if c still
// starts then, and at once on a second one that is no echo, even if c has not ended;
// the process is expected to end then, and with it everything in the kernel that
// belongs to it.
func untilOneOf(ctx context.Context, signals <-chan os.Signal, after func(time.Duration) <-chan time.Time, c collector) error {
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()

	var limit, meant <-chan time.Time
	for hurry, stopping, impatient := false, false, false; ; {
		select {
		case err := <-ended:
			return err
		case s := <-signals:
			if impatient {
				return errInterrupted
			}
			hurry = hurry || s != syscall.SIGTERM
			if limit == nil && (hurry || c.GetState() == otelcol.StateStarting) {
				limit = after(interruptGrace)
			}
			if !stopping {
				stopping, meant = true, after(echo)
				go c.Shutdown() // a collector that still starts ends when it has
			}
		case <-meant:
			impatient = true
		case <-limit:
			if c.GetState() == otelcol.StateStarting {
				return errUnstarted
			}
			if hurry {
				return errUnfinished
			}
			limit = nil // it has begun to end
		}
	}
}
