package terminalexporter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/metadata"
)

// NewFactory returns the factory of the terminal exporter. The exporters of
// one configuration share one terminal, whatever their signal.
func NewFactory() exporter.Factory {
	f := &factory{terminals: map[*Config]*terminal{}}
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config { return newDefaultConfig() },
		exporter.WithLogs(f.createLogs, metadata.LogsStability),
		exporter.WithMetrics(f.createMetrics, metadata.MetricsStability),
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
	)
}

// factory remembers the terminal of each configuration until its Shutdown.
type factory struct {
	mu        sync.Mutex
	terminals map[*Config]*terminal
}

func (f *factory) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	t, options, err := f.terminal(set, cfg)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewLogs(ctx, set, cfg, t.consumeLogs, options...)
}

func (f *factory) createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	t, options, err := f.terminal(set, cfg)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewMetrics(ctx, set, cfg, t.consumeMetrics, options...)
}

func (f *factory) createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	t, options, err := f.terminal(set, cfg)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewTraces(ctx, set, cfg, t.consumeTraces, options...)
}

// terminal returns the terminal of cfg and what all signals do with it.
func (f *factory) terminal(set exporter.Settings, cfg component.Config) (*terminal, []exporterhelper.Option, error) {
	config := cfg.(*Config)
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.terminals[config]
	if t == nil {
		var err error
		if t, err = newTerminal(config, set.TelemetrySettings, set.BuildInfo); err != nil {
			return nil, nil, err
		}
		f.terminals[config] = t
	}
	u := &user{terminal: t}
	return t, []exporterhelper.Option{
		exporterhelper.WithStart(u.start),
		exporterhelper.WithShutdown(func(ctx context.Context) error {
			f.forget(config)
			return u.shutdown(ctx)
		}),
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
	}, nil
}

func (f *factory) forget(cfg *Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.terminals, cfg)
}
