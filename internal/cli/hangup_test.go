package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/sightglass/sightglass/internal/reload"
)

func TestAnswerToAHangup(t *testing.T) {
	config := map[string]any{"a": 1}
	wrong := errors.New("wrong")
	for name, tt := range map[string]struct {
		now              map[string]any
		resolve, check   error
		restart, reloads bool
		note             string
	}{
		"nothing changed":         {now: map[string]any{"a": 1}, check: wrong, reloads: true},
		"a new configuration":     {now: map[string]any{"a": 2}, restart: true},
		"a wrong configuration":   {now: map[string]any{"a": 2}, check: wrong, reloads: true, note: "the one before stays in force: wrong"},
		"none that could be read": {resolve: wrong, reloads: true, note: "the one before stays in force: wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			requested, end := reload.Shared().Subscribe()
			defer end()
			var notes bytes.Buffer
			h := &hangups{
				notes: &notes, running: config,
				resolve: func(context.Context) (map[string]any, error) { return tt.now, tt.resolve },
				check:   func(context.Context) error { return tt.check },
			}
			require.Equal(t, tt.restart, h.answer(t.Context()))
			require.Equal(t, tt.reloads, len(requested) == 1)
			require.Contains(t, notes.String(), tt.note)
			require.Equal(t, tt.note == "", notes.Len() == 0)
			if tt.restart {
				require.Equal(t, tt.now, h.running)
			} else {
				require.Equal(t, config, h.running, "a later SIGHUP compares with what runs")
			}
		})
	}
}

func TestOnlyAHangupStartsAnew(t *testing.T) {
	for name, tt := range map[string]struct {
		signals []os.Signal
		again   bool
	}{
		"SIGHUP":              {[]os.Signal{syscall.SIGHUP}, true},
		"SIGTERM, SIGHUP":     {[]os.Signal{syscall.SIGTERM, syscall.SIGHUP}, false},
		"SIGTERM and nothing": {[]os.Signal{syscall.SIGTERM}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hangups{
				signals: make(chan os.Signal, 1),
				resolve: func(context.Context) (map[string]any, error) { return map[string]any{"new": true}, nil },
				check:   func(context.Context) error { return nil },
			}
			ends := make(chan struct{})
			inner := &twice{stop: ends}
			run, done := &restartable{collector: inner}, make(chan struct{})
			defer close(done)
			for _, s := range tt.signals {
				if s == syscall.SIGHUP {
					h.signals <- s
					h.follow(t.Context(), run, done)
				} else {
					run.Shutdown()
				}
			}
			<-ends
			require.Equal(t, tt.again, run.again())
		})
	}
}

// twice may be ended more than once, as a collector may.
type twice struct {
	stop  chan struct{}
	ended bool
}

func (c *twice) Run(context.Context) error { <-c.stop; return nil }
func (c *twice) GetState() otelcol.State   { return otelcol.StateRunning }

func (c *twice) Shutdown() {
	if !c.ended {
		c.ended = true
		close(c.stop)
	}
}

// The collector's own answer to SIGHUP is taken away once it listens.
func TestTheSignalIsTaken(t *testing.T) {
	h := newHangups(t.Context(), otelcol.CollectorSettings{}, &bytes.Buffer{})
	defer h.end()
	done := make(chan struct{})
	defer close(done)
	calls := 0
	takeHangups(func() otelcol.State {
		calls++
		if calls < 3 {
			return otelcol.StateStarting
		}
		return otelcol.StateRunning
	}, h.signals, done)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	select {
	case s := <-h.signals:
		require.Equal(t, syscall.SIGHUP, s)
	case <-time.After(20 * time.Second):
		t.Fatal("the signal did not come")
	}
}
