package servicelatencyconnector

import (
	"context"

	"go.opentelemetry.io/collector/component"
)

// lifecycle starts and ends a pair's engine and telemetry.
type lifecycle struct {
	engine    *engine
	telemetry *telemetry
}

// Start begins to flush.
func (l *lifecycle) Start(context.Context, component.Host) error {
	l.engine.start()
	return nil
}

// Shutdown flushes a last time. It may be called without Start and twice.
func (l *lifecycle) Shutdown(ctx context.Context) error {
	err := l.engine.shutdown(ctx)
	l.telemetry.shutdown()
	return err
}
