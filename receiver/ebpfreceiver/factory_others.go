//go:build !linux || (!amd64 && !arm64)

package ebpfreceiver

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadata"
)

var errUnsupported = errors.New("the ebpf receiver needs Linux on amd64 or arm64: remove it from the pipelines on this machine")

// NewFactory returns a factory that checks configurations and makes nothing.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(
		metadata.Type,
		createDefaultConfig,
		receiver.WithLogs(func(context.Context, receiver.Settings, component.Config, consumer.Logs) (receiver.Logs, error) {
			return nil, errUnsupported
		}, metadata.LogsStability),
		receiver.WithMetrics(func(context.Context, receiver.Settings, component.Config, consumer.Metrics) (receiver.Metrics, error) {
			return nil, errUnsupported
		}, metadata.MetricsStability),
		receiver.WithTraces(func(context.Context, receiver.Settings, component.Config, consumer.Traces) (receiver.Traces, error) {
			return nil, errUnsupported
		}, metadata.TracesStability),
	)
}
