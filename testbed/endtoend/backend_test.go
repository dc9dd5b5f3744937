// Package endtoend runs the real agent on the real kernel and looks, as a user
// would, at what reaches the back end.
package endtoend

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// item is one log record, span or data point, as plain values.
type item struct {
	name     string // event, span or metric name
	kind     string // of a span: Server, Client, ...
	body     string // of a log record
	value    float64
	count    uint64 // of a histogram point
	resource map[string]any
	attrs    map[string]any
	trace    pcommon.TraceID // of a span
	state    string          // trace state of a span
	start    time.Time       // of a span
}

// random is what samplers decide by: the last 56 bits of the trace's id.
func (i *item) random() uint64 { return binary.BigEndian.Uint64(i.trace[8:]) &^ (0xff << 56) }

// String is what a failing test shows.
func (i *item) String() string {
	return fmt.Sprintf("%s %s %s %v of %v", i.kind, i.name, i.body, i.attrs, i.resource)
}

// backend keeps everything that arrives.
type backend struct {
	mu    sync.Mutex
	items map[signal][]*item
}

type signal int

const (
	logs signal = iota
	spans
	points
)

// find returns the first item that match accepts.
func (b *backend) find(s signal, match func(*item) bool) *item {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.items[s] {
		if match(it) {
			return it
		}
	}
	return nil
}

// all returns every item that match accepts, in the order of arrival.
func (b *backend) all(s signal, match func(*item) bool) []*item {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []*item
	for _, it := range b.items[s] {
		if match(it) {
			out = append(out, it)
		}
	}
	return out
}

// counts tells how many items of each kind and name have arrived.
func (b *backend) counts(s signal) map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]int{}
	for _, it := range b.items[s] {
		out[strings.TrimSpace(it.kind+" "+it.name)]++
	}
	return out
}

func (b *backend) add(s signal, it *item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.items == nil {
		b.items = map[signal][]*item{}
	}
	b.items[s] = append(b.items[s], it)
}

func (b *backend) logs(ld plog.Logs, _ time.Time) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				b.add(logs, &item{
					name: rec.EventName(), body: rec.Body().AsString(),
					resource: rl.Resource().Attributes().AsRaw(), attrs: rec.Attributes().AsRaw(),
				})
			}
		}
	}
}

func (b *backend) traces(td ptrace.Traces, _ time.Time) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				b.add(spans, &item{
					name: span.Name(), kind: span.Kind().String(), trace: span.TraceID(), state: span.TraceState().AsRaw(), start: span.StartTimestamp().AsTime(),
					resource: rs.Resource().Attributes().AsRaw(), attrs: span.Attributes().AsRaw(),
				})
			}
		}
	}
}

func (b *backend) metrics(md pmetric.Metrics, _ time.Time) {
	for _, rm := range md.ResourceMetrics().All() {
		resource := rm.Resource().Attributes()
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				b.points(m, resource)
			}
		}
	}
}

func (b *backend) points(m pmetric.Metric, resource pcommon.Map) {
	add := func(attrs pcommon.Map, value float64, count uint64) {
		b.add(points, &item{name: m.Name(), resource: resource.AsRaw(), attrs: attrs.AsRaw(), value: value, count: count})
	}
	numbers := func(all pmetric.NumberDataPointSlice) {
		for _, p := range all.All() {
			if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
				add(p.Attributes(), float64(p.IntValue()), 1)
			} else {
				add(p.Attributes(), p.DoubleValue(), 1)
			}
		}
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		numbers(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		numbers(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, p := range m.Histogram().DataPoints().All() {
			add(p.Attributes(), p.Sum(), p.Count())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			add(p.Attributes(), p.Sum(), p.Count())
		}
	case pmetric.MetricTypeSummary, pmetric.MetricTypeEmpty:
	}
}
