package servicelatencyconnector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/identity"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/sampling"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/servicemap"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/sighting"
	"github.com/sightglass/sightglass/internal/schema"
)

// What becomes of a span: the outcomes of reading it, and these.
const (
	outcomeOverflow     = request.OutcomeIncomplete + 1 + iota // counted, but not in a series of its own
	outcomeInstrumented                                        // the process reports the request itself
	outcomes
)

// outcomeNames are the values of the attribute outcome in the connector's own telemetry.
var outcomeNames = [outcomes]string{
	request.OutcomeCounted:    "counted",
	request.OutcomeIgnored:    "ignored",
	request.OutcomeInvalid:    "invalid",
	request.OutcomeIncomplete: "incomplete",
	outcomeOverflow:           "overflow",
	outcomeInstrumented:       "instrumented",
}

// spanCounts counts spans by outcome.
type spanCounts [outcomes]atomic.Int64

// tracesToMetrics counts spans as requests of services.
type tracesToMetrics struct {
	*lifecycle
	engine     *engine
	catalog    *request.Catalog
	identities *identity.Reader
	sightings  *sighting.Table
	prefer     bool // what processes report themselves
	exemplars  ExemplarFilter
	keeper     sampling.Keeper // what is exported behind
	edges      *edges          // nil = off
	objectives *objectives     // nil = none
	messages   *messages       // nil = off
	workers    sync.Pool
	counts     *spanCounts
}

func newTracesToMetrics(cfg *Config, set connector.Settings, next consumer.Metrics) (*tracesToMetrics, error) {
	w := newWriter()
	stamp := func(resource pcommon.Map) { w.stamp(resource, cfg.Temporality) }
	c := &tracesToMetrics{
		engine:     newEngine(cfg, set, next, newEncoder(cfg, set.BuildInfo.Version, stamp), true),
		catalog:    newCatalog(cfg),
		identities: identity.NewReader(cfg.ResourceAttributes),
		sightings:  sighting.NewTable(),
		prefer:     cfg.PreferInstrumented,
		exemplars:  cfg.Exemplars.Filter,
		keeper:     sampling.NewKeeper(cfg.Exemplars.SamplingPercentage),
		counts:     new(spanCounts),
	}
	c.edges = newEdges(cfg, c.engine)
	c.objectives = newObjectives(cfg, c.catalog, c.engine)
	c.messages = newMessages(c.catalog, c.engine)
	c.engine.prepare = c.prepare
	if c.edges != nil {
		c.engine.drain = c.edges.drain
	}
	c.workers.New = func() any { return &worker{c: c, key: make([]byte, 0, 512)} }
	telemetry, err := newTelemetry(set, modeTracesToMetrics)
	if err != nil {
		return nil, err
	}
	telemetry.spans(c.counts)
	telemetry.engine(c.engine, cfg)
	telemetry.serviceMap(c.edges)
	c.lifecycle = &lifecycle{interval: cfg.FlushInterval, flush: c.engine.flush, finish: c.engine.finish, telemetry: telemetry}
	return c, telemetry.err
}

// Capabilities says that spans are only read.
func (*tracesToMetrics) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// prepare settles what has waited or aged until a flush.
func (c *tracesToMetrics) prepare(now time.Time) {
	c.sightings.Age(nanos(now))
	if c.edges != nil {
		c.edges.expire(now)
	}
}

// ConsumeTraces counts spans. It never fails and never waits for a flush.
func (c *tracesToMetrics) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	w := c.workers.Get().(*worker)
	if c.edges != nil {
		w.now = time.Now()
		c.edges.expire(w.now)
	}
	for _, rs := range td.ResourceSpans().All() {
		w.resourceSpans(rs)
	}
	w.report()
	c.workers.Put(w)
	return nil
}

// worker is what one goroutine needs to count spans.
type worker struct {
	c        *tracesToMetrics
	id       identity.Identity
	place    sighting.Place
	resource request.Resource
	fields   request.Fields
	sample   aggregate.Sample
	key      []byte
	counts   [outcomes]int64
	edge     servicemap.Request
	now      time.Time // set if there are edges

	objectives uint64 // bits: those of the owner
	owner      *aggregate.Owner
	reporter   *sighting.Reporter // of spans that an SDK made; nil until there is one
}

func (w *worker) resourceSpans(rs ptrace.ResourceSpans) {
	resource := rs.Resource()
	w.c.catalog.ReadResource(resource, &w.resource)
	if w.c.prefer {
		w.place.Read(resource.Attributes())
	}
	w.key = w.c.identities.AppendKey(w.key[:0], resource.Attributes(), &w.id)
	w.owner = w.c.engine.registry.Acquire(w.key)
	w.reporter = nil
	if w.c.objectives != nil {
		w.objectives = w.c.objectives.concerning(w.owner)
	}
	for _, ss := range rs.ScopeSpans().All() {
		if w.c.prefer && ss.Scope().Name() == schema.ScopeName {
			w.spans(ss.Spans(), w.c.sightings.Reported(&w.place), false)
		} else {
			w.spans(ss.Spans(), 0, w.c.prefer)
		}
	}
	w.owner.Release()
	w.owner = nil
}

// spans counts the spans of a scope, except those of metrics that are skipped
// (bits), and notes, if asked to, which metrics came.
func (w *worker) spans(spans ptrace.SpanSlice, skip uint32, note bool) {
	for _, span := range spans.All() {
		m, outcome := w.c.catalog.Read(span, &w.resource, &w.fields)
		switch {
		case m == nil:
		case skip&(1<<m.ID) != 0:
			outcome = outcomeInstrumented
		default:
			outcome = w.count(m, span)
			if note {
				w.note(m)
			}
		}
		w.counts[outcome]++
	}
}

func (w *worker) note(m *request.Metric) {
	if w.reporter == nil {
		w.reporter = w.c.sightings.Reporter(&w.place)
	}
	w.reporter.Note(uint(m.ID))
}

// count counts a request in the series of its operation, and where it belongs
// beside that.
func (w *worker) count(m *request.Metric, span ptrace.Span) request.Outcome {
	w.sample.Set(request.Duration(span))
	w.sample.Others = w.fields.Others()
	w.offerExemplar(span)
	outcome := w.countOperation(m)
	if w.objectives != 0 {
		w.c.objectives.count(w, m, w.objectives)
	}
	if w.c.messages != nil {
		w.c.messages.count(w, m)
	}
	if w.c.edges != nil {
		w.c.edges.count(w, m, span, w.now)
	}
	return outcome
}

func (w *worker) countOperation(m *request.Metric) request.Outcome {
	w.key = m.AppendKey(w.key[:0], w.owner, &w.fields)
	if w.c.engine.record(w.owner, &m.Metric, w.key, &w.sample) {
		return request.OutcomeCounted
	}
	w.key = m.AppendOverflowKey(w.key[:0], w.owner, &w.fields)
	w.key = w.c.engine.recordOverflow(w.owner, &m.Metric, w.key, &w.sample)
	return outcomeOverflow
}

func (w *worker) offerExemplar(span ptrace.Span) {
	e := &w.sample.Exemplar
	e.TraceID, e.SpanID = span.TraceID(), span.SpanID()
	e.Time = uint64(span.EndTimestamp())
	named := e.TraceID != [16]byte{} && e.SpanID != [8]byte{}
	w.sample.Keep = named && (w.c.exemplars == AllSpans ||
		request.Sampled(span) && w.c.keeper.Keeps(span.TraceState().AsRaw(), e.TraceID))
}

func (w *worker) report() {
	for outcome, n := range w.counts {
		if n > 0 {
			w.c.counts[outcome].Add(n)
			w.counts[outcome] = 0
		}
	}
}
