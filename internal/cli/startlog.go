package cli

import (
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// What the collector logs when every component has started, and when all have ended.
const (
	isReady  = "Everything is ready. Begin running and processing data."
	hasEnded = "Shutdown complete."
)

// quietStart keeps the collector from telling, until all has started, what it is
// about to do, and from telling a failure twice: the command ends with the reason,
// which would stand below a dozen lines that say nothing. What components log
// passes, and at level debug everything does.
func quietStart(info component.BuildInfo) zap.Option {
	silent := map[string]bool{
		"Internal metrics telemetry disabled":       true,
		"Internal trace telemetry disabled":         true,
		"Starting " + info.Command + "...":          true,
		"Starting extensions...":                    true,
		"Extension is starting...":                  true,
		"Extension started.":                        true,
		"error found during service initialization": true,
		"Failed to start extension":                 true,
		"Failed to start component":                 true,
		"Starting shutdown...":                      true,
		"Stopping extensions...":                    true,
		hasEnded:                                    true,
	}
	return zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return startCore{core, silent, new(atomic.Bool)}
	})
}

// startCore is a core without some messages until isReady. It and those made of it
// by With may be used from any goroutine.
type startCore struct {
	zapcore.Core
	silent map[string]bool
	ready  *atomic.Bool
}

// With implements zapcore.Core.
func (c startCore) With(fields []zapcore.Field) zapcore.Core {
	c.Core = c.Core.With(fields)
	return c
}

// Check implements zapcore.Core.
func (c startCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.ready.Load() {
		if e.Message == isReady {
			c.ready.Store(true)
		}
		if c.silent[e.Message] && !c.Enabled(zapcore.DebugLevel) {
			return checked
		}
	}
	return c.Core.Check(e, checked)
}
