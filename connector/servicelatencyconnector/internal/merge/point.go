// Package merge reads the data points that other connectors have written, for
// adding them to series that no longer know who wrote them.
package merge

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// Reader reads data points. It is reused by one goroutine; what it returns is
// valid until the next call.
type Reader struct {
	point     aggregate.Point
	exemplars []aggregate.Exemplar
}

// Exponential reads a data point of an exponential histogram. It returns nil if
// the point says less or more than the connector writes, so that adding it
// would change it.
func (r *Reader) Exponential(p pmetric.ExponentialHistogramDataPoint) *aggregate.Point {
	negative := p.Negative().BucketCounts().Len() > 0
	if negative || p.ZeroThreshold() != 0 || !p.HasSum() || !p.HasMin() || !p.HasMax() {
		return nil
	}
	if !r.begin(p.StartTimestamp(), p.Timestamp(), p.Flags(), p.Exemplars()) {
		return nil
	}
	r.measure(p.Count(), p.Sum(), p.Min(), p.Max())
	r.point.ZeroCount, r.point.Scale, r.point.Offset = p.ZeroCount(), p.Scale(), p.Positive().Offset()
	r.counts(p.Positive().BucketCounts())
	return &r.point
}

// Explicit reads a data point of a histogram with fixed boundaries; nil as for
// Exponential.
func (r *Reader) Explicit(p pmetric.HistogramDataPoint) *aggregate.Point {
	if !p.HasSum() || !p.HasMin() || !p.HasMax() {
		return nil
	}
	if !r.begin(p.StartTimestamp(), p.Timestamp(), p.Flags(), p.Exemplars()) {
		return nil
	}
	r.measure(p.Count(), p.Sum(), p.Min(), p.Max())
	r.point.ZeroCount, r.point.Scale, r.point.Offset = 0, 0, 0
	r.counts(p.BucketCounts())
	return &r.point
}

// Number reads a data point of a counter; nil if it is not a positive integer.
func (r *Reader) Number(p pmetric.NumberDataPoint) *aggregate.Point {
	if p.ValueType() != pmetric.NumberDataPointValueTypeInt || p.IntValue() <= 0 {
		return nil
	}
	if !r.begin(p.StartTimestamp(), p.Timestamp(), p.Flags(), p.Exemplars()) {
		return nil
	}
	r.measure(uint64(p.IntValue()), 0, 0, 0)
	r.point.ZeroCount, r.point.Counts = 0, r.point.Counts[:0]
	return &r.point
}

// begin reads what all kinds have in common; false if there is no interval or
// no value.
func (r *Reader) begin(start, end pcommon.Timestamp, flags pmetric.DataPointFlags, exemplars pmetric.ExemplarSlice) bool {
	if start == 0 || start >= end || flags.NoRecordedValue() {
		return false
	}
	r.point.Start, r.point.End = uint64(start), uint64(end)
	r.exemplars = r.exemplars[:0]
	for _, e := range exemplars.All() {
		r.exemplars = append(r.exemplars, aggregate.Exemplar{
			TraceID: e.TraceID(), SpanID: e.SpanID(), Time: uint64(e.Timestamp()), Value: aggregate.Nanos(e.DoubleValue()),
		})
	}
	r.point.Exemplars = r.exemplars
	return true
}

func (r *Reader) measure(count uint64, sum, low, high float64) {
	r.point.Count = count
	r.point.Sum, r.point.Min, r.point.Max = aggregate.Nanos(sum), aggregate.Nanos(low), aggregate.Nanos(high)
}

func (r *Reader) counts(from pcommon.UInt64Slice) {
	r.point.Counts = r.point.Counts[:0]
	for _, n := range from.All() {
		r.point.Counts = append(r.point.Counts, n)
	}
}
