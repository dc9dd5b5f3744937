package servicelatencyconnector

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
)

// encoder makes OTLP of intervals.
type encoder struct {
	version     string
	temporality pmetric.AggregationTemporality
	stamp       func(pcommon.Map) // writes the writer's identity; nil = none
}

func newEncoder(cfg *Config, version string, stamp func(pcommon.Map)) *encoder {
	e := &encoder{version: version, temporality: pmetric.AggregationTemporalityCumulative, stamp: stamp}
	if cfg.Temporality == Delta {
		e.temporality = pmetric.AggregationTemporalityDelta
	}
	return e
}

// encode expects the intervals of one owner, and of one metric therein, to
// follow one another.
func (e *encoder) encode(intervals []aggregate.Interval) pmetric.Metrics {
	md := pmetric.NewMetrics()
	var owner *aggregate.Owner
	var kind *aggregate.Metric
	var scope pmetric.ScopeMetrics
	var metric pmetric.Metric
	for i := range intervals {
		in := &intervals[i]
		if owner != in.Series.Owner() {
			owner, kind = in.Series.Owner(), nil
			scope = e.scope(md.ResourceMetrics().AppendEmpty(), owner)
		}
		if kind != in.Series.Metric() {
			kind = in.Series.Metric()
			metric = e.metric(scope.Metrics().AppendEmpty(), kind)
		}
		appendPoint(metric, in)
	}
	return md
}

func (e *encoder) scope(rm pmetric.ResourceMetrics, owner *aggregate.Owner) pmetric.ScopeMetrics {
	rm.SetSchemaUrl(schemaURL)
	resource := rm.Resource().Attributes()
	if e.stamp != nil {
		e.stamp(resource)
	}
	for name, v := range owner.Attributes() {
		attribute.Put(resource, name, v)
	}
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	sm.Scope().SetVersion(e.version)
	return sm
}

func (e *encoder) metric(m pmetric.Metric, kind *aggregate.Metric) pmetric.Metric {
	m.SetName(kind.Name)
	m.SetDescription(kind.Description)
	m.SetUnit(kind.Unit)
	switch kind.Shape.Kind() {
	case aggregate.Exponential:
		m.SetEmptyExponentialHistogram().SetAggregationTemporality(e.temporality)
	case aggregate.Explicit:
		m.SetEmptyHistogram().SetAggregationTemporality(e.temporality)
	case aggregate.Counter:
		sum := m.SetEmptySum()
		sum.SetAggregationTemporality(e.temporality)
		sum.SetIsMonotonic(true)
	}
	return m
}

func appendPoint(m pmetric.Metric, in *aggregate.Interval) {
	switch in.Histogram.Shape().Kind() {
	case aggregate.Exponential:
		fillExponential(m.ExponentialHistogram().DataPoints().AppendEmpty(), in)
	case aggregate.Explicit:
		fillExplicit(m.Histogram().DataPoints().AppendEmpty(), in)
	case aggregate.Counter:
		p := m.Sum().DataPoints().AppendEmpty()
		p.SetIntValue(int64(in.Histogram.Count()))
		fillCommon(p, in)
	}
}

func fillExponential(p pmetric.ExponentialHistogramDataPoint, in *aggregate.Interval) {
	h := in.Histogram
	fillCommon(p, in)
	p.SetCount(h.Count())
	p.SetSum(h.Sum())
	p.SetMin(h.Min())
	p.SetMax(h.Max())
	p.SetScale(h.Scale())
	p.SetZeroCount(h.ZeroCount())
	p.Positive().SetOffset(h.Offset())
	fillBuckets(p.Positive().BucketCounts(), h)
}

func fillExplicit(p pmetric.HistogramDataPoint, in *aggregate.Interval) {
	h := in.Histogram
	fillCommon(p, in)
	p.SetCount(h.Count())
	p.SetSum(h.Sum())
	p.SetMin(h.Min())
	p.SetMax(h.Max())
	p.ExplicitBounds().FromRaw(h.Shape().Bounds())
	fillBuckets(p.BucketCounts(), h)
}

func fillBuckets(counts pcommon.UInt64Slice, h *aggregate.Histogram) {
	counts.EnsureCapacity(h.Buckets())
	for i := range h.Buckets() {
		counts.Append(h.Bucket(i))
	}
}

// dataPoint is what all kinds of data points have in common.
type dataPoint interface {
	Attributes() pcommon.Map
	SetStartTimestamp(pcommon.Timestamp)
	SetTimestamp(pcommon.Timestamp)
	Exemplars() pmetric.ExemplarSlice
}

func fillCommon(p dataPoint, in *aggregate.Interval) {
	p.SetStartTimestamp(pcommon.Timestamp(in.Start))
	p.SetTimestamp(pcommon.Timestamp(in.End))
	for name, v := range in.Series.Attributes() {
		attribute.Put(p.Attributes(), name, v)
	}
	kept := in.Exemplars
	p.Exemplars().EnsureCapacity(len(kept))
	for i := range kept {
		e := p.Exemplars().AppendEmpty()
		e.SetTraceID(kept[i].TraceID)
		e.SetSpanID(kept[i].SpanID)
		e.SetTimestamp(pcommon.Timestamp(kept[i].Time))
		e.SetDoubleValue(aggregate.Seconds(kept[i].Value))
	}
}
