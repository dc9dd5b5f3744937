package servicelatencyconnector

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
)

// firstFlush is how soon data shows up after a start.
const firstFlush = time.Second

// lifecycle starts and ends a pair's flushing and its telemetry.
type lifecycle struct {
	interval  time.Duration
	flush     func(context.Context, time.Time) bool // true once something has been sent
	finish    func(context.Context)                 // the last flush
	telemetry *telemetry

	cancel  context.CancelFunc // nil = not running
	stopped chan struct{}
}

// Start begins to flush.
func (l *lifecycle) Start(context.Context, component.Host) error {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.stopped = cancel, make(chan struct{})
	go l.run(ctx)
	return nil
}

// run flushes until ctx ends. Until something has been sent it looks every
// second, so that the first data does not wait for a whole interval.
func (l *lifecycle) run(ctx context.Context) {
	defer close(l.stopped)
	pause := min(firstFlush, l.interval)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if l.flush(ctx, time.Now()) {
			pause = l.interval
		}
		timer.Reset(pause)
	}
}

// Shutdown flushes a last time. It may be called without Start and twice. When
// ctx ends before a flush under way does, the last interval is not sent.
func (l *lifecycle) Shutdown(ctx context.Context) error {
	defer l.telemetry.shutdown()
	if l.cancel == nil {
		return nil
	}
	l.cancel()
	l.cancel = nil
	select {
	case <-l.stopped:
	case <-ctx.Done():
		return fmt.Errorf("a flush did not end in time, the last interval is not sent: %w", ctx.Err())
	}
	l.finish(ctx)
	return nil
}
