package servicelatencyconnector

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/merge"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
)

// outcomeForwarded is beside the verdicts: a data point that is not merged but
// passed on as it is.
const (
	outcomeForwarded = aggregate.Full
	mergeOutcomes    = aggregate.Full + 1
)

var mergeOutcomeNames = [mergeOutcomes]string{
	aggregate.Merged:    "merged",
	aggregate.Late:      "late",
	aggregate.Duplicate: "duplicate",
	aggregate.Overlap:   "overlap",
	outcomeForwarded:    "forwarded",
}

// metricsToMetrics merges the delta streams that connectors of this type have
// written into one stream per service. Everything else passes unchanged.
type metricsToMetrics struct {
	*lifecycle
	engine  *engine
	next    consumer.Metrics
	metrics *merge.Metrics
	drop    []attribute.Pattern
	mergers sync.Pool
	counts  [mergeOutcomes]atomic.Int64
	gaps    atomic.Int64
}

func newMetricsToMetrics(cfg *Config, set connector.Settings, next consumer.Metrics) (*metricsToMetrics, error) {
	c := &metricsToMetrics{
		// A series that another gateway has taken over must fall silent here;
		// therefore only what has changed is sent.
		engine:  newEngine(cfg, set, next, newEncoder(cfg, set.BuildInfo.Version, nil), false),
		next:    next,
		metrics: merge.NewMetrics(aggregate.NewExponential(cfg.Histogram.MaxSize, cfg.Histogram.MaxScale)),
		drop:    cfg.Merge.DropResourceAttributes,
	}
	c.mergers.New = func() any { return newMerger(c) }
	telemetry, err := newTelemetry(set, modeMetricsToMetrics)
	if err != nil {
		return nil, err
	}
	telemetry.merging(c)
	telemetry.engine(c.engine, cfg)
	c.lifecycle = &lifecycle{interval: cfg.FlushInterval, flush: c.engine.flush, finish: c.engine.finish, telemetry: telemetry}
	return c, telemetry.err
}

// Capabilities says that metrics are only read, or passed on as they are.
func (*metricsToMetrics) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeMetrics merges what it can. Its error is that of the next component
// about the rest; the sender may then send everything again.
func (c *metricsToMetrics) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if !anyWritten(md) {
		return c.forward(ctx, md)
	}
	m := c.mergers.Get().(*merger)
	foreign := pmetric.NewMetrics()
	m.foreign = foreign
	for _, rm := range md.ResourceMetrics().All() {
		m.resourceMetrics(rm)
	}
	c.mergers.Put(m)
	return c.forward(ctx, foreign)
}

func (c *metricsToMetrics) forward(ctx context.Context, md pmetric.Metrics) error {
	n := md.DataPointCount()
	if n == 0 {
		return nil
	}
	if err := c.next.ConsumeMetrics(ctx, md); err != nil {
		return err
	}
	c.counts[outcomeForwarded].Add(int64(n))
	return nil
}

// anyWritten reports whether there is something to merge.
func anyWritten(md pmetric.Metrics) bool {
	for _, rm := range md.ResourceMetrics().All() {
		if written(rm) {
			return true
		}
	}
	return false
}

// written reports whether a connector of this type, as the writer of a delta
// stream, has written some of the metrics of a resource.
func written(rm pmetric.ResourceMetrics) bool {
	if _, ok := rm.Resource().Attributes().Get(writerID); !ok {
		return false
	}
	for _, sm := range rm.ScopeMetrics().All() {
		if sm.Scope().Name() == metadata.ScopeName {
			return true
		}
	}
	return false
}

// writerOf identifies the writer of a resource's metrics.
func (m *merger) writerOf(resource pcommon.Map) aggregate.Writer {
	m.key = m.key[:0]
	for _, name := range []string{writerHost, writerID} {
		if v, ok := resource.Get(name); ok {
			m.key = aggregate.AppendNamed(m.key, name, attribute.Value(v))
		}
	}
	return aggregate.Writer(m.c.engine.store.Hash(m.key))
}
