package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/sightglass/sightglass/internal/reload"
)

// hangups answer SIGHUP for an agent that runs unattended. The collector's own
// answer is to end every component and to start all anew, which loses events
// and ends the agent when something is wrong. Here
//   - the rules are read again, in place;
//   - the configuration, when it has changed, is checked first and put in force
//     by a restart of the components; a wrong one changes nothing.
type hangups struct {
	signals chan os.Signal
	notes   io.Writer
	resolve func(context.Context) (map[string]any, error) // the configuration as it is now
	check   func(context.Context) error                   // it
	running map[string]any                                // the one that runs
}

// newHangups takes SIGHUP from now on, until end.
func newHangups(ctx context.Context, set otelcol.CollectorSettings, notes io.Writer) *hangups {
	h := &hangups{
		signals: make(chan os.Signal, 1), notes: notes,
		resolve: func(ctx context.Context) (map[string]any, error) { return resolved(ctx, set) },
		check: func(ctx context.Context) error {
			col, err := otelcol.NewCollector(set)
			if err != nil {
				return err
			}
			return col.DryRun(ctx)
		},
	}
	// What cannot be resolved is told by the collector that is about to start.
	h.running, _ = h.resolve(ctx)
	signal.Notify(h.signals, syscall.SIGHUP)
	return h
}

func (h *hangups) end() { signal.Stop(h.signals) }

// resolved is the configuration with everything that it refers to.
func resolved(ctx context.Context, set otelcol.CollectorSettings) (map[string]any, error) {
	r, err := confmap.NewResolver(set.ConfigProviderSettings.ResolverSettings)
	if err != nil {
		return nil, err
	}
	conf, err := r.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	return conf.ToStringMap(), r.Shutdown(ctx)
}

// resolveTimeout bounds how long a configuration may take to be fetched.
const resolveTimeout = 10 * time.Second

// answer is what one SIGHUP does; it reports whether the collector has to be
// started anew.
func (h *hangups) answer(ctx context.Context) (restart bool) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	now, err := h.resolve(ctx)
	changed := err == nil && !reflect.DeepEqual(now, h.running)
	if changed {
		err = h.check(ctx)
	}
	if err != nil {
		fmt.Fprintf(h.notes, "SIGHUP: the configuration cannot be used, the one before stays in force: %v\n", err)
	}
	if changed && err == nil {
		h.running = now
		return true
	}
	reload.Shared().Request()
	return false
}

// follow answers signals until done is closed, and ends c when it has to be
// started anew.
func (h *hangups) follow(ctx context.Context, c *restartable, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-h.signals:
			if h.answer(ctx) {
				c.restart.Store(true)
				c.collector.Shutdown()
				return
			}
		}
	}
}

// restartable is a collector of which it is known who ended it.
type restartable struct {
	collector
	ended   atomic.Bool // by a signal that asks for it
	restart atomic.Bool // by hangups
}

// Shutdown implements collector.
func (c *restartable) Shutdown() {
	c.ended.Store(true)
	c.collector.Shutdown()
}

// again reports whether a new collector is wanted after this one.
func (c *restartable) again() bool { return c.restart.Load() && !c.ended.Load() }

// takeHangups takes SIGHUP from a collector, which begins to listen to it when it
// has started, right after state says so, and sends them to signals alone.
func takeHangups(state func() otelcol.State, signals chan<- os.Signal, done <-chan struct{}) {
	const look, after = 20 * time.Millisecond, 200 * time.Millisecond
	for wait := look; ; {
		select {
		case <-done:
			return
		case <-time.After(wait):
		}
		switch {
		case wait == after:
			signal.Ignore(syscall.SIGHUP) // ends all listening to it
			signal.Notify(signals, syscall.SIGHUP)
			return
		case state() == otelcol.StateRunning:
			wait = after
		}
	}
}
