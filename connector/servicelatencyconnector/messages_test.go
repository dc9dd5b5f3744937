package servicelatencyconnector

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// operation is a span of Kafka's clients and brokers as the receiver makes it.
func operation(kind ptrace.SpanKind, name, typ string, more attrs) spanOf {
	all := attrs{"messaging.system": "kafka", "messaging.operation.name": name, "messaging.destination.name": "orders"}
	if typ != "" {
		all["messaging.operation.type"] = typ
	}
	maps.Copy(all, more)
	return spanOf{kind: kind, duration: time.Millisecond, attrs: all}
}

func TestMessages(t *testing.T) {
	const producer, consumer, client, server = ptrace.SpanKindProducer, ptrace.SpanKindConsumer, ptrace.SpanKindClient, ptrace.SpanKindServer
	count := func(n int64) attrs { return attrs{"messaging.batch.message_count": n} }
	r := newRig(t)
	r.consume(tracesOf(
		t, attrs{"service.name": "shop"}, "",
		operation(producer, "produce", "send", count(7)),
		operation(producer, "produce", "send", count(3)),
		operation(producer, "produce", "send", attrs{"messaging.batch.message_count": int64(2), "error.type": "NOT_LEADER_OR_FOLLOWER"}),
		operation(producer, "produce", "send", attrs{"sightglass.truncated": "messaging.batch.message_count"}),
		operation(producer, "publish", "send", nil),
		operation(consumer, "fetch", "receive", attrs{"messaging.batch.message_count": int64(9), "messaging.consumer.group.name": "billing"}),
		operation(consumer, "fetch", "receive", attrs{"messaging.batch.message_count": int64(0), "sightglass.request.class": "wait"}),
		operation(consumer, "fetch", "receive", attrs{"error.type": "OFFSET_OUT_OF_RANGE"}),
		operation(client, "metadata", "", nil),
		operation(client, "offset_commit", "settle", nil),
		operation(consumer, "work", "process", count(4)),
		operation(server, "produce", "send", count(7)),
	))
	messages, operations := map[string]uint64{}, map[string]uint64{}
	for _, row := range r.flush() {
		key := row.metric
		for _, name := range []string{"messaging.operation.name", "messaging.consumer.group.name", "error.type", "sightglass.request.class"} {
			if v, ok := row.attrs[name].(string); ok {
				key += " " + v
			}
		}
		if row.metric == "messaging.client.sent.messages" || row.metric == "messaging.client.consumed.messages" {
			require.Equal(t, "orders", row.attrs["messaging.destination.name"])
			messages[key] = row.count
		} else {
			operations[key] = row.count
		}
	}
	require.Equal(t, map[string]uint64{
		"messaging.client.sent.messages produce":                        10,
		"messaging.client.sent.messages produce NOT_LEADER_OR_FOLLOWER": 2,
		"messaging.client.sent.messages publish":                        1,
		"messaging.client.consumed.messages fetch billing":              9,
	}, messages)
	require.Equal(t, map[string]uint64{
		"messaging.client.operation.duration produce":                        3,
		"messaging.client.operation.duration produce NOT_LEADER_OR_FOLLOWER": 1,
		"messaging.client.operation.duration publish":                        1,
		"messaging.client.operation.duration fetch billing":                  1,
		"messaging.client.operation.duration fetch wait":                     1,
		"messaging.client.operation.duration fetch OFFSET_OUT_OF_RANGE":      1,
		"messaging.client.operation.duration metadata":                       1,
		"messaging.client.operation.duration offset_commit":                  1,
		"messaging.process.duration work":                                    1,
		"sightglass.messaging.server.operation.duration produce":             1,
	}, operations)
}

func TestMessagesOff(t *testing.T) {
	off := false
	r := newRig(t, func(c *Config) {
		c.Metrics = map[string]MetricConfig{"messaging.client.operation.duration": {Enabled: &off}}
	})
	r.consume(tracesOf(t, attrs{"service.name": "shop"}, "", operation(ptrace.SpanKindProducer, "produce", "send", nil)))
	require.Empty(t, r.flush())
}
