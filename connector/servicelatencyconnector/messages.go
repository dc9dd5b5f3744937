package servicelatencyconnector

import (
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/internal/schema"
)

// messages count the messages that clients of brokers have sent and received:
// one operation may move many.
type messages struct {
	engine *engine
	moved  [request.Directions]*aggregate.Metric
}

// newMessages returns nil unless the operations are measured.
func newMessages(catalog *request.Catalog, e *engine) *messages {
	for _, m := range catalog.Metrics() {
		if m.Name == schema.MetricMessagingClientDuration {
			sent, consumed := messageMetrics()
			return &messages{engine: e, moved: [request.Directions]*aggregate.Metric{request.Sent: sent, request.Consumed: consumed}}
		}
	}
	return nil
}

func messageMetrics() (sent, consumed *aggregate.Metric) {
	metric := func(id uint32, name, description string) *aggregate.Metric {
		return &aggregate.Metric{
			ID: id, Name: name, Description: description, Unit: "{message}",
			Attributes: request.MessageAttributes(), Shape: aggregate.NewCounter(),
		}
	}
	return metric(idMessagesSent, schema.MetricMessagingSent, "Messages that producers tried to send."),
		metric(idMessagesConsumed, schema.MetricMessagingConsumed, "Messages that were delivered to consumers.")
}

// count adds the messages that an operation moved.
func (c *messages) count(w *worker, m *request.Metric) {
	direction, n := w.fields.Messages(m)
	if n == 0 {
		return
	}
	metric := c.moved[direction]
	sample := w.sample
	sample.Keep = false
	sample.Others = (1+w.sample.Others)*n - 1
	w.key = aggregate.AppendHeader(w.key[:0], w.owner, metric)
	w.key = w.fields.AppendMessageKey(w.key)
	if c.engine.record(w.owner, metric, w.key, &sample) {
		return
	}
	w.key = aggregate.AppendHeader(w.key[:0], w.owner, metric)
	w.key = w.fields.AppendMessageOverflowKey(w.key)
	w.key = c.engine.recordOverflow(w.owner, metric, w.key, &sample)
}
