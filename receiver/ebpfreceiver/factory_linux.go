//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadata"
)

// NewFactory returns the factory of the ebpf receiver.
func NewFactory() receiver.Factory {
	f := new(factory)
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithLogs(f.createLogs, metadata.LogsStability),
		receiver.WithMetrics(f.createMetrics, metadata.MetricsStability),
		receiver.WithTraces(f.createTraces, metadata.TracesStability),
	)
}

// factory makes one receiver per configuration.
type factory struct{ shared sharedReceivers }

func (f *factory) createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	return f.get(set, cfg, func(r *ebpfReceiver) { r.logs = next })
}

func (f *factory) createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return f.get(set, cfg, func(r *ebpfReceiver) { r.metrics = next })
}

func (f *factory) createTraces(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
	return f.get(set, cfg, func(r *ebpfReceiver) { r.traces = next })
}

func (f *factory) get(set receiver.Settings, cfg component.Config, connect func(*ebpfReceiver)) (*sharedReceiver, error) {
	conf := cfg.(*Config)
	r, err := f.shared.get(conf, func() (component.Component, error) { return newReceiver(conf, set), nil })
	if err != nil {
		return nil, err
	}
	connect(r.Component.(*ebpfReceiver))
	return r, nil
}
