//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"errors"
	"time"
)

// Limits of Shutdown. All of it together takes no longer than stopTimeout, which
// leaves others their share of the second or two that a program gets to end in.
// Within it the rings are read to their end, the consumers take what was made
// of them, and those that do not have the rest of the time to give up when
// their context ends.
const (
	stopTimeout  = time.Second
	drainTimeout = 400 * time.Millisecond
	graceTimeout = 200 * time.Millisecond

	minDeliver, minGrace = 100 * time.Millisecond, 20 * time.Millisecond // even when the time is over
)

// budget shares out what is left until a deadline: how long the consumers may
// take, and how long they then have to give up.
func budget(left time.Duration) (deliver, grace time.Duration) {
	grace = min(max(left, minGrace), graceTimeout)
	return max(left-grace, minDeliver), grace
}

// stop ends everything, in the order in which data flows.
func (run *running) stop(ctx context.Context) error {
	if run.interest != nil {
		run.interest.end()
	}
	deadline := time.Now().Add(stopTimeout)
	run.awaitDrained(ctx)
	return run.release(ctx, deadline)
}

// errStuck tells that a consumer did not return although its context ended.
var errStuck = errors.New("ebpf receiver: the next consumer does not return")

// release closes the kernel side, upon which the stages finish, and delivers
// what they have made. Consumers that take too long are cut off.
func (run *running) release(ctx context.Context, deadline time.Time) error {
	if run.interest != nil {
		run.interest.end()
	}
	errs := []error{run.kernel.Close()}
	close(run.quit)
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		run.tasks.Wait()
		for _, closeQueue := range run.queues {
			<-closeQueue()
		}
	}()
	deliver, grace := budget(time.Until(deadline))
	if !waitFor(ctx, delivered, deliver) {
		run.cut()
		if !waitFor(context.Background(), delivered, grace) {
			errs = append(errs, errStuck)
		}
	}
	run.cut()
	run.awaitHelpers(max(time.Until(deadline), grace))
	run.withdraw()
	run.report.telemetry.Shutdown()
	return errors.Join(errs...)
}

// awaitHelpers gives what makes no data a while to end. Probes have to be out by
// then: of those that are just being taken out when the process ends, the kernel
// leaves the breakpoints in the programs that run.
func (run *running) awaitHelpers(d time.Duration) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run.helpers.Wait()
		if run.tls != nil {
			run.tls.Wait()
		}
	}()
	if !waitFor(context.Background(), ended, d) {
		run.log.Debug("Probes are still being taken out.")
	}
}

// waitFor reports whether done was closed in time.
func waitFor(ctx context.Context, done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// awaitDrained waits until what happened before the call has been read.
func (run *running) awaitDrained(ctx context.Context) {
	until := run.report.clock.Boot(time.Now())
	deadline := time.NewTimer(drainTimeout)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for run.activity.drained.Load() < until {
		select {
		case <-look.C:
		case <-deadline.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
