package securitypolicyprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// counts are what became of the records of one batch. The slices have one
// entry per name of activityEvents.
type counts struct {
	evaluated, foreign, redacted, lost int64
	kept, filtered                     []int64
}

func (c *counts) reset() {
	if c.kept == nil {
		c.kept, c.filtered = make([]int64, len(activityEvents)), make([]int64, len(activityEvents))
	}
	c.evaluated, c.foreign, c.redacted, c.lost = 0, 0, 0, 0
	clear(c.kept)
	clear(c.filtered)
}

// counters report about the component. Options are made once, because a
// batch should cost no allocation.
type counters struct {
	t       *metadata.TelemetryBuilder
	byEvent [][]metric.AddOption // by index into activityEvents
}

func newCounters(t *metadata.TelemetryBuilder) *counters {
	c := &counters{t: t}
	for _, name := range activityEvents {
		c.byEvent = append(c.byEvent, addOptions(attribute.String("event_name", name)))
	}
	return c
}

func addOptions(attrs ...attribute.KeyValue) []metric.AddOption {
	return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
}

func (c *counters) add(ctx context.Context, n *counts, took time.Duration) {
	c.t.ProcessorSecurityPolicyEvaluationDuration.Record(ctx, took.Seconds())
	addSome(ctx, c.t.ProcessorSecurityPolicyEvaluated, n.evaluated, nil)
	addSome(ctx, c.t.ProcessorSecurityPolicyForeign, n.foreign, nil)
	addSome(ctx, c.t.ProcessorSecurityPolicyRedacted, n.redacted, nil)
	addSome(ctx, c.t.ProcessorSecurityPolicyLostSecrets, n.lost, nil)
	for i, options := range c.byEvent {
		addSome(ctx, c.t.ProcessorSecurityPolicyKept, n.kept[i], options)
		addSome(ctx, c.t.ProcessorSecurityPolicyFiltered, n.filtered[i], options)
	}
}

func (c *counters) addMatches(ctx context.Context, armed *armed, hits []hit) {
	for i := range hits {
		options := armed.options[hits[i].rule]
		addSome(ctx, c.t.ProcessorSecurityPolicyMatched, hits[i].matched, options.matched)
		addSome(ctx, c.t.ProcessorSecurityPolicyFollowed, hits[i].followed, options.followed)
		addSome(ctx, c.t.ProcessorSecurityPolicySuppressed, hits[i].suppressed, options.suppressed)
	}
}

func addSome(ctx context.Context, counter metric.Int64Counter, n int64, options []metric.AddOption) {
	if n > 0 {
		counter.Add(ctx, n, options...)
	}
}
