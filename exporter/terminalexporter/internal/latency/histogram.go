package latency

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// histogram is one data point, or the difference of two: buckets of one of
// the two sorts, and the numbers that both have.
type histogram struct {
	count       uint64
	exponential exponential
	explicit    explicit
	min, max    float64
	bounded     bool // min and max are known, and of these observations alone
}

// point is a histogram with where it comes from.
type point struct {
	histogram
	resource   pcommon.Map
	attributes pcommon.Map
	metric     string
	start      pcommon.Timestamp
	cumulative bool
}

// pointsOf calls add for each data point of m, which is nothing unless m is a
// histogram.
func pointsOf(resource pcommon.Map, m pmetric.Metric, add func(point)) {
	p := point{resource: resource, metric: m.Name()}
	switch m.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		p.cumulative = m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			p.histogram = histogram{
				count: dp.Count(), exponential: exponentialOf(dp),
				min: dp.Min(), max: dp.Max(), bounded: dp.HasMin() && dp.HasMax(),
			}
			p.attributes, p.start = dp.Attributes(), dp.StartTimestamp()
			add(p)
		}
	case pmetric.MetricTypeHistogram:
		p.cumulative = m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityCumulative
		for _, dp := range m.Histogram().DataPoints().All() {
			p.histogram = histogram{
				count: dp.Count(), explicit: explicitOf(dp),
				min: dp.Min(), max: dp.Max(), bounded: dp.HasMin() && dp.HasMax(),
			}
			p.attributes, p.start = dp.Attributes(), dp.StartTimestamp()
			add(p)
		}
	default: // a summary or a plain number is no histogram, whatever its name
	}
}

// since returns h minus an earlier state of the same series, or h itself when
// the series has started anew in between.
func (h histogram) since(earlier histogram) histogram {
	exp, okExp := h.exponential.since(earlier.exponential)
	exl, okExl := h.explicit.since(earlier.explicit)
	if h.count < earlier.count || !okExp || !okExl {
		return h
	}
	return histogram{count: h.count - earlier.count, exponential: exp, explicit: exl}
}
