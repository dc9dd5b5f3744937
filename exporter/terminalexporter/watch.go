package terminalexporter

import (
	"cmp"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/internal/schema"
)

// watch is what the receiver says about itself: the latest value of each of
// its numbers. A batch replaces whatever metrics it holds. Not safe for
// concurrent use.
type watch struct {
	known      bool
	processes  int64
	containers int64
	events     int64
	requests   int64
	counted    bool              // the receiver counts requests
	lost       map[lossKey]int64 // nil until the receiver counts losses
	hooks      map[string]hookState
	opaque     map[opaqueKey]struct{} // what is seen and not decoded
}

// maxOpaque bounds watch.opaque.
const maxOpaque = 1024

type opaqueKey struct{ service, protocol, form, detail string }

type lossKey struct{ class, reason string }

type hookState struct {
	attached bool
	reason   string
}

// add takes the receiver's numbers out of a batch.
func (w *watch) add(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				w.addMetric(m)
				if m.Name() == schema.MetricOpaqueConnections {
					w.addOpaque(rawOf(rm.Resource().Attributes(), schema.ServiceName), m)
				}
			}
		}
	}
}

func (w *watch) addMetric(m pmetric.Metric) {
	switch m.Name() {
	case schema.MetricProcessCount:
		w.known, w.processes = true, total(m)
	case schema.MetricContainerCount:
		w.known, w.containers = true, total(m)
	case schema.MetricEventsReceived:
		w.known, w.events = true, total(m)
	case schema.MetricRequestCount:
		w.counted, w.requests = true, total(m)
	case schema.MetricEventsLost:
		w.lost = map[lossKey]int64{}
		for _, dp := range points(m) {
			key := lossKey{rawOf(dp.Attributes(), schema.ClassAttr), rawOf(dp.Attributes(), schema.ReasonAttr)}
			w.lost[key] += value(dp)
		}
	case schema.MetricHookStatus:
		w.hooks = map[string]hookState{}
		for _, dp := range points(m) {
			name := rawOf(dp.Attributes(), schema.HookAttr)
			w.hooks[name] = hookState{value(dp) != 0, rawOf(dp.Attributes(), schema.ReasonAttr)}
		}
	}
}

// addOpaque remembers which connections of a service are not decoded.
func (w *watch) addOpaque(service string, m pmetric.Metric) {
	for _, dp := range points(m) {
		if len(w.opaque) >= maxOpaque {
			return
		}
		if w.opaque == nil {
			w.opaque = map[opaqueKey]struct{}{}
		}
		attrs := dp.Attributes()
		key := opaqueKey{service, rawOf(attrs, schema.NetworkProtocolName), rawOf(attrs, schema.ReasonAttr), rawOf(attrs, schema.DetailAttr)}
		w.opaque[key] = struct{}{}
	}
}

// status is the state of the watch for the screen. Seen is the number of
// requests that histograms have counted.
func (w *watch) status(seen uint64) screen.Status {
	st := screen.Status{
		Known:      w.known,
		Processes:  w.processes,
		Containers: w.containers,
		Events:     unsigned(w.events),
		Requests:   seen,
		Hooks:      len(w.hooks),
		LostKnown:  w.lost != nil,
	}
	if w.counted {
		st.Requests = unsigned(w.requests)
	}
	for _, key := range slices.SortedFunc(maps.Keys(w.lost), func(a, b lossKey) int {
		return cmp.Or(cmp.Compare(b.class, a.class), cmp.Compare(a.reason, b.reason))
	}) {
		if n := unsigned(w.lost[key]); n > 0 {
			st.Lost = append(st.Lost, screen.Loss{Class: safe(key.class), Reason: safe(key.reason), Count: n})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.hooks)) {
		if hook := w.hooks[name]; !hook.attached {
			st.Missing = append(st.Missing, screen.Hook{Name: safe(name), Reason: safe(hook.reason)})
		}
	}
	for key := range w.opaque {
		st.Opaque = append(st.Opaque, screen.Opaque{Service: safe(key.service), Protocol: safe(key.protocol), Form: safe(key.form), Detail: safe(key.detail)})
	}
	slices.SortFunc(st.Opaque, func(a, b screen.Opaque) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Form, b.Form), cmp.Compare(a.Detail, b.Detail))
	})
	return st
}

// points returns the data points of a gauge or a sum.
func points(m pmetric.Metric) []pmetric.NumberDataPoint {
	var list pmetric.NumberDataPointSlice
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		list = m.Gauge().DataPoints()
	case pmetric.MetricTypeSum:
		list = m.Sum().DataPoints()
	default:
		return nil
	}
	out := make([]pmetric.NumberDataPoint, 0, list.Len())
	for _, dp := range list.All() {
		out = append(out, dp)
	}
	return out
}

func total(m pmetric.Metric) int64 {
	var sum int64
	for _, dp := range points(m) {
		sum += value(dp)
	}
	return sum
}

func value(dp pmetric.NumberDataPoint) int64 {
	if dp.ValueType() == pmetric.NumberDataPointValueTypeDouble {
		return int64(dp.DoubleValue())
	}
	return dp.IntValue()
}

func unsigned(n int64) uint64 { return uint64(max(n, 0)) }
