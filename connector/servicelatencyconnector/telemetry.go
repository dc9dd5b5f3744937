package servicelatencyconnector

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
)

// What the connector turns into what: the values of the attribute mode.
const (
	modeTracesToMetrics  = "traces_to_metrics"
	modeMetricsToMetrics = "metrics_to_metrics"
	modeTracesToLogs     = "traces_to_logs"
)

// telemetry reports the health of one pair. Everything that is counted per item
// is an atomic number that is read when the telemetry is.
type telemetry struct {
	builder *metadata.TelemetryBuilder
	common  []attribute.KeyValue
	all     metric.MeasurementOption
	err     error
}

func newTelemetry(set connector.Settings, mode string) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	common := []attribute.KeyValue{attribute.String("connector", set.ID.String()), attribute.String("mode", mode)}
	return &telemetry{builder: builder, common: common, all: metric.WithAttributes(common...)}, nil
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }

func (t *telemetry) check(err error) { t.err = errors.Join(t.err, err) }

// outcome returns the attributes of a count by outcome.
func (t *telemetry) outcome(name string) metric.MeasurementOption {
	attributes := append([]attribute.KeyValue{attribute.String("outcome", name)}, t.common...)
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

// byOutcome observes counters by their names.
func (t *telemetry) byOutcome(names []string, read func(i int) int64) metric.Int64Callback {
	options := make([]metric.MeasurementOption, len(names))
	for i, name := range names {
		options[i] = t.outcome(name)
	}
	return func(_ context.Context, o metric.Int64Observer) error {
		for i := range names {
			o.Observe(read(i), options[i])
		}
		return nil
	}
}

// single observes one number.
func (t *telemetry) single(read func() int64) metric.Int64Callback {
	return func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(read(), t.all)
		return nil
	}
}

func (t *telemetry) spans(counts *spanCounts) {
	t.check(t.builder.RegisterConnectorServiceLatencySpansCallback(
		t.byOutcome(outcomeNames[:], func(i int) int64 { return counts[i].Load() })))
}

var sendOutcomes = []string{"sent", "refused", "lost"}

func (t *telemetry) sending(counts ...*atomic.Int64) {
	t.check(t.builder.RegisterConnectorServiceLatencyPointsSentCallback(
		t.byOutcome(sendOutcomes, func(i int) int64 { return counts[i].Load() })))
}

func (t *telemetry) merging(c *metricsToMetrics) {
	t.check(t.builder.RegisterConnectorServiceLatencyPointsMergedCallback(
		t.byOutcome(mergeOutcomeNames[:], func(i int) int64 { return c.counts[i].Load() })))
	t.check(t.builder.RegisterConnectorServiceLatencyGapsCallback(t.single(c.gaps.Load)))
}

func (t *telemetry) serviceMap(e *edges) {
	if e == nil {
		return
	}
	t.check(t.builder.RegisterConnectorServiceLatencyEdgesCallback(
		t.byOutcome(edgeOutcomeNames[:], func(i int) int64 { return e.counts[i].Load() })))
	t.check(t.builder.RegisterConnectorServiceLatencyEdgesWaitingCallback(
		t.single(func() int64 { return int64(e.waiting.Len()) })))
}

func (t *telemetry) engine(e *engine, cfg *Config) {
	b := t.builder
	t.sending(&e.sender.sent, &e.sender.turnedDown, &e.sender.lost)
	t.check(b.RegisterConnectorServiceLatencySeriesCallback(t.single(e.store.Series)))
	t.check(b.RegisterConnectorServiceLatencySeriesLimitCallback(
		t.single(func() int64 { return int64(cfg.CardinalityLimit.Total) })))
	t.check(b.RegisterConnectorServiceLatencySeriesExpiredCallback(t.single(e.expired.Load)))
	t.check(b.RegisterConnectorServiceLatencyServicesCallback(
		t.single(func() int64 { return int64(e.registry.Len()) })))
	t.check(b.RegisterConnectorServiceLatencyMemoryCallback(t.single(e.bytes.Load)))
	e.observe = func(seconds float64) {
		b.ConnectorServiceLatencyFlushDuration.Record(context.Background(), seconds, t.all)
	}
}
