package merge

import (
	"encoding/binary"
	"math"
	"sync"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// maxMetrics bounds the number of different metrics. The connector writes about
// twenty.
const maxMetrics = 1000

// Metrics gives every kind of metric one descriptor. It may be used concurrently.
type Metrics struct {
	exponential *aggregate.Shape

	mu    sync.RWMutex
	known map[string]*aggregate.Metric
}

// NewMetrics returns an empty table; exponential is the shape of all
// exponential histograms.
func NewMetrics(exponential *aggregate.Shape) *Metrics {
	return &Metrics{exponential: exponential, known: map[string]*aggregate.Metric{}}
}

// Lookup returns the descriptor for a delta metric with these boundaries (nil
// unless explicit). It returns nil for what cannot be merged. buf is scratch
// memory, returned for reuse.
func (t *Metrics) Lookup(m pmetric.Metric, bounds []float64, buf []byte) (*aggregate.Metric, []byte) {
	if !Mergeable(m) {
		return nil, buf
	}
	buf = appendMetricKey(buf[:0], m, bounds)
	t.mu.RLock()
	known := t.known[string(buf)]
	t.mu.RUnlock()
	if known == nil {
		known = t.add(string(buf), m, bounds)
	}
	return known, buf
}

// Mergeable reports whether a metric is a delta stream of a kind that adds up.
func Mergeable(m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta && m.Sum().IsMonotonic()
	default:
		return false
	}
}

func appendMetricKey(buf []byte, m pmetric.Metric, bounds []float64) []byte {
	buf = append(buf, byte(m.Type()))
	buf = append(buf, m.Name()...)
	buf = append(buf, 0)
	buf = append(buf, m.Unit()...)
	buf = append(buf, 0)
	for _, b := range bounds {
		buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(b))
	}
	return buf
}

func (t *Metrics) add(key string, m pmetric.Metric, bounds []float64) *aggregate.Metric {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.known[key]; known != nil {
		return known
	}
	if len(t.known) >= maxMetrics {
		return nil
	}
	added := &aggregate.Metric{
		ID: uint32(len(t.known)), Name: m.Name(), Description: m.Description(), Unit: m.Unit(), Shape: t.shape(m, bounds),
	}
	t.known[key] = added
	return added
}

func (t *Metrics) shape(m pmetric.Metric, bounds []float64) *aggregate.Shape {
	switch m.Type() {
	case pmetric.MetricTypeExponentialHistogram:
		return t.exponential
	case pmetric.MetricTypeHistogram:
		return aggregate.NewExplicit(bounds)
	default:
		return aggregate.NewCounter()
	}
}
