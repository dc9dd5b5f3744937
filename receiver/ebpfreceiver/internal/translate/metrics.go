package translate

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
)

// Snapshot is the state of the agent at one moment. Counts are since Start.
type Snapshot struct {
	Start, Time time.Time
	Processes   int // alive and known
	Containers  int // with at least one process
	Received    []Count
	Filtered    []Count
	Lost        []Loss
	Hooks       []Hook
	Requests    []Count // only Reason and N
}

// Count is one counter.
type Count struct {
	Class, Reason string // empty: not an attribute
	N             uint64
}

// Loss is a counter of lost events on one CPU; CPU is negative when it is not
// known.
type Loss struct {
	Class, Reason string
	CPU           int
	N             uint64
}

// Hook is one place in the kernel that the agent listens at.
type Hook struct {
	Name   string
	Reason string // why it is not attached; empty when it is
}

// Metrics makes the receiver's metrics of a snapshot.
func Metrics(host Host, version string, s *Snapshot) pmetric.Metrics {
	out := pmetric.NewMetrics()
	rm := out.ResourceMetrics().AppendEmpty()
	put(rm.Resource().Attributes(), schema.HostID, host.ID)
	put(rm.Resource().Attributes(), schema.HostName, host.Name)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(schema.ScopeName)
	sm.Scope().SetVersion(version)
	w := metricWriter{metrics: sm.Metrics(), start: pcommon.NewTimestampFromTime(s.Start), now: pcommon.NewTimestampFromTime(s.Time)}

	w.gauge(schema.MetricProcessCount, "{process}", "Processes that are alive and known.", int64(s.Processes))
	w.gauge(schema.MetricContainerCount, "{container}", "Containers with at least one process.", int64(s.Containers))
	w.counts(schema.MetricEventsReceived, "{event}", "Records read from the kernel's ring buffers.", s.Received)
	w.counts(schema.MetricEventsFiltered, "{event}", "Records that nobody wanted.", s.Filtered)
	w.losses(s.Lost)
	w.hooks(s.Hooks)
	w.counts(schema.MetricRequestCount, "{request}", "Requests that ended, by whether all of them was seen.", s.Requests)
	return out
}

type metricWriter struct {
	metrics    pmetric.MetricSlice
	start, now pcommon.Timestamp
}

func (w *metricWriter) add(name, unit, description string) pmetric.Metric {
	m := w.metrics.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	return m
}

func (w *metricWriter) gauge(name, unit, description string, value int64) {
	dp := w.add(name, unit, description).SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(w.now)
	dp.SetIntValue(value)
}

func (w *metricWriter) sum(name, unit, description string) func(n uint64) pcommon.Map {
	sum := w.add(name, unit, description).SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return func(n uint64) pcommon.Map {
		dp := sum.DataPoints().AppendEmpty()
		dp.SetStartTimestamp(w.start)
		dp.SetTimestamp(w.now)
		dp.SetIntValue(int64(n))
		return dp.Attributes()
	}
}

func (w *metricWriter) counts(name, unit, description string, counts []Count) {
	if len(counts) == 0 {
		return
	}
	point := w.sum(name, unit, description)
	for _, c := range counts {
		attrs := point(c.N)
		put(attrs, schema.ClassAttr, c.Class)
		put(attrs, schema.ReasonAttr, c.Reason)
	}
}

func (w *metricWriter) losses(losses []Loss) {
	if len(losses) == 0 {
		return
	}
	point := w.sum(schema.MetricEventsLost, "{event}", "Records that were lost, by reason.")
	for _, l := range losses {
		attrs := point(l.N)
		put(attrs, schema.ClassAttr, l.Class)
		put(attrs, schema.ReasonAttr, l.Reason)
		if l.CPU >= 0 {
			attrs.PutInt(schema.CPUAttr, int64(l.CPU))
		}
	}
}

func (w *metricWriter) hooks(hooks []Hook) {
	if len(hooks) == 0 {
		return
	}
	points := w.add(schema.MetricHookStatus, "1", "Whether a hook in the kernel is attached.").SetEmptyGauge().DataPoints()
	for _, h := range hooks {
		dp := points.AppendEmpty()
		dp.SetTimestamp(w.now)
		dp.Attributes().PutStr(schema.HookAttr, h.Name)
		if h.Reason == "" {
			dp.SetIntValue(1)
		} else {
			dp.SetIntValue(0)
			put(dp.Attributes(), schema.ReasonAttr, h.Reason)
		}
	}
}
