package servicelatencyconnector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
)

// engine holds the series of one pair of signals and flushes them into the next
// consumer. Recording is concurrent; everything about flushing belongs to the
// goroutine of a loop, and to Shutdown after that has ended.
type engine struct {
	logger   *zap.Logger
	store    *aggregate.Store
	registry *aggregate.Registry
	flusher  *aggregate.Flusher
	sender   *sender
	prepare  func(now time.Time) // the pair's work before a flush; may be nil
	drain    func()              // and before the last one; may be nil
	observe  func(seconds float64)

	mu       sync.Mutex
	overfull []*aggregate.Owner // whose first overflow is still to be logged

	expired atomic.Int64
	bytes   atomic.Int64
}

// newEngine wires an engine. repeat sends cumulative series in every interval,
// changed or not.
func newEngine(cfg *Config, set connector.Settings, next consumer.Metrics, enc *encoder, repeat bool) *engine {
	rest := aggregate.AppendNamed(nil, "service.name", aggregate.StringValue(overflowService))
	e := &engine{
		logger: set.Logger,
		store: aggregate.NewStore(aggregate.Limits{
			Series:    cfg.CardinalityLimit.Total,
			PerOwner:  cfg.CardinalityLimit.PerService,
			Exemplars: cfg.Exemplars.MaxPerSeries,
			Forget:    uint64(cfg.SeriesExpiration),
		}),
		registry: aggregate.NewRegistry(cfg.CardinalityLimit.Services, rest),
	}
	temporality := aggregate.Cumulative
	if cfg.Temporality == Delta {
		temporality = aggregate.Delta
	}
	e.flusher = aggregate.NewFlusher(e.store, e.registry, aggregate.FlusherOptions{
		Temporality: temporality, Repeat: repeat, Expire: uint64(cfg.SeriesExpiration), Start: nanos(time.Now()),
	})
	e.sender = newSender(set.Logger, next, enc, e.flusher.Release, temporality == aggregate.Delta, cfg.CardinalityLimit.Total)
	return e
}

// overflowService is the name of the service that collects the requests of all
// services beyond the limit.
const overflowService = "sightglass.overflow"

func nanos(t time.Time) uint64 { return uint64(t.UnixNano()) }

// flush sends what has been counted until now. It reports whether anything has
// been sent since the start.
func (e *engine) flush(ctx context.Context, now time.Time) bool {
	if e.prepare != nil {
		e.prepare(now)
	}
	e.sender.retry(ctx)
	e.flusher.Collect(nanos(now), func(in aggregate.Interval) { e.sender.add(ctx, in) })
	e.sender.finish(ctx)
	e.expired.Add(int64(e.flusher.Expired()))
	e.bytes.Store(int64(e.flusher.Bytes()))
	e.explainOverflow()
	if e.observe != nil {
		e.observe(time.Since(now).Seconds())
	}
	return e.sender.sent.Load() > 0
}

// finish sends the rest when the loop has ended.
func (e *engine) finish(ctx context.Context) {
	if e.drain != nil {
		e.drain()
	}
	e.flush(ctx, time.Now())
	e.sender.giveUp()
}

// record counts a sample in a series of its own; false if there is no room.
func (e *engine) record(o *aggregate.Owner, m *aggregate.Metric, key []byte, sample *aggregate.Sample) bool {
	return o != e.registry.Rest() && e.store.Record(o, m, key, sample)
}

// recordOverflow counts a sample in the series for those without room, whose
// key lacks only the mark. It returns the key for reuse of its memory.
func (e *engine) recordOverflow(o *aggregate.Owner, m *aggregate.Metric, key []byte, sample *aggregate.Sample) []byte {
	key = aggregate.AppendNamed(key, request.OverflowName, aggregate.BoolValue(true))
	e.store.RecordOverflow(o, m, key, sample)
	e.reportOverflow(o)
	return key
}

// reportOverflow has the first overflow of an owner explained in the log, by
// the goroutine that knows the series.
func (e *engine) reportOverflow(o *aggregate.Owner) {
	if !o.WarnOnce() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.overfull = append(e.overfull, o)
}

func (e *engine) explainOverflow() {
	e.mu.Lock()
	overfull := e.overfull
	e.overfull = nil
	e.mu.Unlock()
	for _, o := range overfull {
		if o == e.registry.Rest() {
			e.logger.Warn("There are more services than cardinality_limit::services allows; the others are counted together. "+
				"Raise the limit, or shorten resource_attributes if replicas appear as services of their own.",
				zap.Int("services", e.registry.Len()))
			continue
		}
		metric, attribute, values := e.flusher.Widest(o)
		e.logger.Warn("A service has reached a cardinality limit; further series are counted together, marked otel.metric.overflow. "+
			"Raise cardinality_limit, or leave out the widest attribute by exclude_dimensions.",
			zap.String("service", serviceName(o)), zap.String("widest_metric", metric),
			zap.String("widest_attribute", attribute), zap.Int("values", values))
	}
}

func serviceName(o *aggregate.Owner) string {
	for name, v := range o.Attributes() {
		if name == "service.name" {
			return v.Str()
		}
	}
	return ""
}
