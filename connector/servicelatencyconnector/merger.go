package servicelatencyconnector

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/merge"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/internal/schema"
)

// merger is what one goroutine needs to merge metrics.
type merger struct {
	c       *metricsToMetrics
	reader  merge.Reader
	sorter  merge.Sorter
	keep    func(name string) bool
	foreign pmetric.Metrics // what cannot be merged, for passing on

	// Of the resource at hand.
	to       aggregate.Stream
	identity []byte

	bounds             []float64
	key, overflow, buf []byte
}

func newMerger(c *metricsToMetrics) *merger {
	return &merger{c: c, keep: func(name string) bool { return !attribute.MatchAny(c.drop, name) }}
}

func (m *merger) resourceMetrics(rm pmetric.ResourceMetrics) {
	if !written(rm) {
		rm.CopyTo(m.foreign.ResourceMetrics().AppendEmpty())
		return
	}
	resource := rm.Resource().Attributes()
	m.to.Writer = m.writerOf(resource)
	m.identity = m.sorter.AppendKey(m.identity[:0], resource, m.keep)
	m.to.Owner = m.c.engine.registry.Acquire(m.identity)
	defer m.to.Owner.Release()
	rest := remainder{to: m.foreign, resource: rm}
	for _, sm := range rm.ScopeMetrics().All() {
		rest.begin(sm)
		for _, metric := range sm.Metrics().All() {
			if sm.Scope().Name() != metadata.ScopeName || !merge.Mergeable(metric) {
				metric.CopyTo(rest.metrics().AppendEmpty())
				continue
			}
			m.metric(metric, &rest)
		}
	}
}

// metric merges the data points of a metric; those that do not fit are copied
// to the rest.
func (m *merger) metric(metric pmetric.Metric, rest *remainder) {
	rest.beginMetric(metric)
	switch metric.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range metric.ExponentialHistogram().DataPoints().All() {
			if !m.point(metric, m.reader.Exponential(p), nil, p.Attributes()) {
				p.CopyTo(rest.metric().ExponentialHistogram().DataPoints().AppendEmpty())
			}
		}
	case pmetric.MetricTypeHistogram:
		for _, p := range metric.Histogram().DataPoints().All() {
			if !m.point(metric, m.reader.Explicit(p), m.boundsOf(p), p.Attributes()) {
				p.CopyTo(rest.metric().Histogram().DataPoints().AppendEmpty())
			}
		}
	default:
		for _, p := range metric.Sum().DataPoints().All() {
			if !m.point(metric, m.reader.Number(p), nil, p.Attributes()) {
				p.CopyTo(rest.metric().Sum().DataPoints().AppendEmpty())
			}
		}
	}
}

func (m *merger) boundsOf(p pmetric.HistogramDataPoint) []float64 {
	m.bounds = m.bounds[:0]
	for _, b := range p.ExplicitBounds().All() {
		m.bounds = append(m.bounds, b)
	}
	return m.bounds
}

// point merges one data point; false if that cannot be done without changing it.
func (m *merger) point(metric pmetric.Metric, p *aggregate.Point, bounds []float64, attrs pcommon.Map) bool {
	if p == nil {
		return false
	}
	m.to.Metric, m.buf = m.c.metrics.Lookup(metric, bounds, m.buf)
	if m.to.Metric == nil || !p.Fits(m.to.Metric.Shape) {
		return false
	}
	verdict, gap := m.add(p, attrs)
	m.c.counts[verdict].Add(1)
	if gap {
		m.c.gaps.Add(1)
	}
	return true
}

// add finds the point's series, or the one for what limits keep out.
func (m *merger) add(p *aggregate.Point, attrs pcommon.Map) (aggregate.Verdict, bool) {
	m.key = aggregate.AppendHeader(m.key[:0], m.to.Owner, m.to.Metric)
	m.key = m.sorter.AppendKey(m.key, attrs, nil)
	m.overflow = m.appendOverflowKey(m.overflow[:0], attrs)
	m.to.Key, m.to.Original = m.key, 0
	m.to.Overflow = string(m.key) == string(m.overflow) // the writer's own
	rest := m.to.Owner == m.c.engine.registry.Rest()
	if !rest {
		if verdict, gap := m.c.engine.store.MergePoint(&m.to, p); verdict != aggregate.Full {
			return verdict, gap
		}
	}
	m.c.engine.reportOverflow(m.to.Owner)
	m.buf = append(append(m.buf[:0], m.identity...), m.key...)
	m.to.Key, m.to.Overflow, m.to.Original = m.overflow, true, m.c.engine.store.Hash(m.buf)
	return m.c.engine.store.MergePoint(&m.to, p)
}

// totalAttributes are kept when a limit forbids a series: what totals are made
// of. They stand in the order of their names.
var totalAttributes = []string{
	request.ErrorName, request.OverflowName, objectiveName, schema.RequestClass, request.EstimatedName, request.WithinPodName, edgeSide,
}

// appendOverflowKey appends the key of the series that takes the point when a
// limit forbids its own; as for spans, it keeps apart what totals are made of.
func (m *merger) appendOverflowKey(dst []byte, attrs pcommon.Map) []byte {
	dst = aggregate.AppendHeader(dst, m.to.Owner, m.to.Metric)
	for _, name := range totalAttributes {
		v, ok := attrs.Get(name)
		switch {
		case name == request.OverflowName:
			dst = aggregate.AppendNamed(dst, name, aggregate.BoolValue(true))
		case !ok:
		case name == request.ErrorName:
			dst = aggregate.AppendNamed(dst, name, aggregate.StringValue(request.OtherError))
		default:
			dst = aggregate.AppendNamed(dst, name, attribute.Value(v))
		}
	}
	return dst
}

// remainder copies what is not merged of one resource, with as much around it
// as is needed to place it.
type remainder struct {
	to       pmetric.Metrics
	resource pmetric.ResourceMetrics
	scope    pmetric.ScopeMetrics
	template pmetric.Metric

	resourceCopy *pmetric.ResourceMetrics
	scopeCopy    *pmetric.ScopeMetrics
	metricCopy   *pmetric.Metric
}

func (r *remainder) begin(scope pmetric.ScopeMetrics) { r.scope, r.scopeCopy = scope, nil }

func (r *remainder) beginMetric(metric pmetric.Metric) { r.template, r.metricCopy = metric, nil }

// metrics returns the list for metrics of the current scope.
func (r *remainder) metrics() pmetric.MetricSlice {
	if r.resourceCopy == nil {
		rm := r.to.ResourceMetrics().AppendEmpty()
		r.resource.Resource().CopyTo(rm.Resource())
		rm.SetSchemaUrl(r.resource.SchemaUrl())
		r.resourceCopy = &rm
	}
	if r.scopeCopy == nil {
		sm := r.resourceCopy.ScopeMetrics().AppendEmpty()
		r.scope.Scope().CopyTo(sm.Scope())
		sm.SetSchemaUrl(r.scope.SchemaUrl())
		r.scopeCopy = &sm
	}
	return r.scopeCopy.Metrics()
}

// metric returns a metric like the current one, for the data points that are left.
func (r *remainder) metric() pmetric.Metric {
	if r.metricCopy != nil {
		return *r.metricCopy
	}
	m := r.metrics().AppendEmpty()
	m.SetName(r.template.Name())
	m.SetDescription(r.template.Description())
	m.SetUnit(r.template.Unit())
	switch r.template.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	case pmetric.MetricTypeHistogram:
		m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	default:
		sum := m.SetEmptySum()
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
		sum.SetIsMonotonic(true)
	}
	r.metricCopy = &m
	return m
}
