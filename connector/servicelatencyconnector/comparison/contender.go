package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector"
)

// contender is a connector with the configuration that makes it comparable: one
// exponential histogram with exemplars per service, route, method and status.
type contender struct {
	name    string
	factory connector.Factory
	config  map[string]any
}

const contestants = 2

func contenders(flush, temporality string) [contestants]contender {
	theirs := map[string]string{"delta": "AGGREGATION_TEMPORALITY_DELTA", "cumulative": "AGGREGATION_TEMPORALITY_CUMULATIVE"}
	return [contestants]contender{
		{"service_latency", servicelatencyconnector.NewFactory(), map[string]any{
			"metrics_flush_interval":  flush,
			"aggregation_temporality": temporality,
			"series_expiration":       "10h",
			"cardinality_limit":       map[string]any{"total": 1_000_000, "per_service": 1_000_000, "services": 10_000},
		}},
		{"span_metrics", spanmetricsconnector.NewFactory(), map[string]any{
			"metrics_flush_interval":  flush,
			"aggregation_temporality": theirs[temporality],
			"histogram":               map[string]any{"unit": "s", "exponential": map[string]any{"max_size": 160}},
			"exemplars":               map[string]any{"enabled": true, "max_per_data_point": 2},
			"dimensions": []any{
				map[string]any{"name": "http.request.method"},
				map[string]any{"name": "http.route"},
				map[string]any{"name": "http.response.status_code"},
				map[string]any{"name": "error.type"},
			},
			"exclude_dimensions":              []any{"span.name", "status.code"},
			"resource_metrics_key_attributes": []any{"service.name", "service.namespace"},
		}},
	}
}

// sink counts data points and throws them away.
type sink struct{ points atomic.Int64 }

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	s.points.Add(int64(md.DataPointCount()))
	return nil
}

func (c *contender) start(next consumer.Metrics) (connector.Traces, error) {
	cfg := c.factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(c.config).Unmarshal(cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if err := confmap.Validate(cfg); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	set := connectortest.NewNopSettings(c.factory.Type())
	set.ID = component.NewID(c.factory.Type())
	started, err := c.factory.CreateTracesToMetrics(context.Background(), set, cfg, next)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return started, started.Start(context.Background(), componenttest.NewNopHost())
}

func stop(c connector.Traces) { _ = c.Shutdown(context.Background()) }

// progress tells what is being measured.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
