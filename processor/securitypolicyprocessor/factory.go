package securitypolicyprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// NewFactory makes the factory of the security_policy processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithLogs(createLogs, metadata.LogsStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		MinimumPriority: "debug",
		RuleMatching:    matchFirst,
		Keep:            defaultKeep(),
		HTTPOutput:      defaultHTTPOutput(),
		RateLimit:       RateLimitConfig{Burst: 300, Interval: time.Minute},
		Redact:          RedactConfig{Enabled: true},
		ReloadInterval:  5 * time.Second,
	}
}

func createLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	p, err := newProcessor(set, cfg.(*Config), next)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, p.processLogs,
		// What passes on is copied, because most records do not: a receiver
		// with several pipelines then need not clone everything for this one.
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		processorhelper.WithStart(p.start),
		processorhelper.WithShutdown(p.shutdown))
}
