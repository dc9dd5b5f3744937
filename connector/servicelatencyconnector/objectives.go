package servicelatencyconnector

import (
	"slices"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/servicemap"
)

// maxObjectives is the most objectives; which ones concern a service is a word
// of bits.
const maxObjectives = 64

// objectives count, per service and objective, all requests and the good ones.
type objectives struct {
	engine      *engine
	list        []objective
	good, total *aggregate.Metric
}

type objective struct {
	name      aggregate.Value
	threshold uint64 // ns
	service   attribute.Pattern
	namespace attribute.Pattern
	operation attribute.Pattern
	metrics   uint32 // bits: ids of the metrics whose requests it is about
}

// newObjectives returns nil if there are none.
func newObjectives(cfg *Config, catalog *request.Catalog, e *engine) *objectives {
	if len(cfg.Objectives) == 0 {
		return nil
	}
	o := &objectives{engine: e}
	o.good, o.total = objectiveMetrics()
	for _, c := range cfg.Objectives {
		item := objective{
			name: aggregate.StringValue(c.Name), threshold: uint64(c.Threshold),
			service: attribute.Pattern(c.Service), namespace: attribute.Pattern(c.Namespace), operation: attribute.Pattern(c.Operation),
		}
		for _, m := range catalog.Metrics() {
			if slices.Contains(c.Metrics, m.Name) || len(c.Metrics) == 0 && m.Server {
				item.metrics |= 1 << m.ID
			}
		}
		o.list = append(o.list, item)
	}
	return o
}

func objectiveMetrics() (good, total *aggregate.Metric) {
	metric := func(id uint32, name, description string) *aggregate.Metric {
		return &aggregate.Metric{
			ID: id, Name: name, Description: description, Unit: "{request}",
			Attributes: []string{objectiveName, request.EstimatedName}, Shape: aggregate.NewCounter(),
		}
	}
	return metric(idObjectiveGood, metricObjectiveGood, "Requests that succeeded within the objective's threshold."),
		metric(idObjectiveTotal, metricObjectiveTotal, "Requests that the objective is about.")
}

// concerning returns the objectives of a service, as bits.
func (o *objectives) concerning(service *aggregate.Owner) (mask uint64) {
	node := servicemap.NodeOf(service)
	for i := range o.list {
		if matches(o.list[i].service, node.Name) && matches(o.list[i].namespace, node.Namespace) {
			mask |= 1 << i
		}
	}
	return mask
}

func matches(p attribute.Pattern, text string) bool { return p == "" || p.Match(text) }

// count counts a request for those of the objectives (bits) that are about it.
// Streams, waits and probes are not requests that somebody waits for, and what
// comes from within the pod has been counted where it entered.
func (o *objectives) count(w *worker, m *request.Metric, mask uint64) {
	if !w.fields.Unary() || w.fields.Has(request.WithinPod) {
		return
	}
	for i := range o.list {
		item := &o.list[i]
		if mask&(1<<i) == 0 || item.metrics&(1<<m.ID) == 0 {
			continue
		}
		if item.operation != "" && !item.operation.Match(w.fields.Operation()) {
			continue
		}
		o.add(w, o.total, item)
		if !w.fields.Failed() && w.sample.Exemplar.Value <= item.threshold {
			o.add(w, o.good, item)
		}
	}
}

// add raises a counter. It has one series per service and objective (two with estimates), which no
// limit may keep out: a ratio of incomplete counters would be wrong.
func (o *objectives) add(w *worker, m *aggregate.Metric, item *objective) {
	w.key = aggregate.AppendHeader(w.key[:0], w.owner, m)
	w.key = aggregate.AppendValue(w.key, item.name)
	w.key = aggregate.AppendValue(w.key, w.fields.Get(request.Estimated))
	o.engine.store.RecordOverflow(w.owner, m, w.key, &w.sample)
}
