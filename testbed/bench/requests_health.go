package main

import (
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// tellHealth is merged into the agent's configuration: it sends its own
// telemetry to the back end, as a user would look at it.
const tellHealth = `
service:
  telemetry:
    metrics:
      level: normal
      readers:
        - periodic:
            interval: 500
            exporter:
              otlp: {protocol: grpc, endpoint: "http://${env:SIGHTGLASS_TESTBED_ENDPOINT}", insecure: true}
`

// Names in the collector's own telemetry.
const (
	receiverAccepted = "otelcol_receiver_accepted_spans"
	receiverRefused  = "otelcol_receiver_refused_spans"
	exporterSent     = "otelcol_exporter_sent_spans"
	exporterFailed   = "otelcol_exporter_send_failed_spans"
	exporterRefused  = "otelcol_exporter_enqueue_failed_spans"
	receiverLost     = "otelcol_receiver_ebpf_lost"
)

// health is what an agent has told of itself last.
type health struct {
	mu     sync.Mutex
	values map[point]int64
}

// point is one series; reason is empty where there is none.
type point struct{ name, reason string }

// begin forgets what another agent has told.
func (h *health) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.values = make(map[point]int64)
}

func (h *health) take(data pmetric.Metrics, _ time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.values == nil {
		return
	}
	for _, rm := range data.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() == pmetric.MetricTypeSum {
					h.sum(m.Name(), m.Sum().DataPoints())
				}
			}
		}
	}
}

// sum keeps the points about requests.
func (h *health) sum(name string, points pmetric.NumberDataPointSlice) {
	for _, dp := range points.All() {
		if class := text(dp.Attributes(), "class"); class == "" || class == "requests" {
			h.values[point{name, text(dp.Attributes(), "reason")}] = dp.IntValue()
		}
	}
}

func text(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.Str()
	}
	return ""
}

// of is the value of a counter, 0 when nothing was told.
func (h *health) of(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return int(h.values[point{name: name}])
}

// lossCount is one of the receiver's counters of losses.
type lossCount struct {
	reason string
	n      int64
}

// losses are the reasons for which anything was lost, sorted.
func (h *health) losses() (all []lossCount) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p, n := range h.values {
		if p.name == receiverLost && n > 0 {
			all = append(all, lossCount{p.reason, n})
		}
	}
	slices.SortFunc(all, func(a, b lossCount) int { return strings.Compare(a.reason, b.reason) })
	return all
}
