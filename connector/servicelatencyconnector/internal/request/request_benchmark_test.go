package request

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// benchmarkSpans are one span of each protocol, as long as real ones are.
func benchmarkSpans(tb testing.TB) []ptrace.Span {
	tb.Helper()
	return []ptrace.Span{
		newSpan(tb, server, unset, attrs{
			"http.request.method": "GET", "url.scheme": "https", "url.path": "/api/users/17", "http.route": "/api/users/{id}",
			"http.response.status_code": 200, "network.protocol.version": "1.1", "server.address": "shop.example", "server.port": 443,
			"client.address": "192.0.2.7", "network.peer.address": "10.1.2.3", "network.peer.port": 51234,
			"user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
		}),
		newSpan(tb, client, failed, attrs{
			"http.request.method": "POST", "url.full": "http://orders/v1/orders", "server.address": "orders", "server.port": 80,
			"http.response.status_code": 503, "network.peer.address": "10.1.2.9", "network.peer.port": 80, "service.peer.name": "orders",
		}),
		newSpan(tb, client, failed, attrs{
			"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add", "rpc.grpc.status_code": 14,
			"server.address": "cart", "network.peer.address": "10.1.2.4",
		}),
		newSpan(tb, client, unset, attrs{
			"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT orders",
			"db.query.text": "SELECT * FROM orders WHERE id = ?", "server.address": "db", "server.port": 5432,
		}),
		newSpan(tb, consumer, unset, attrs{
			"messaging.system": "kafka", "messaging.operation.name": "poll", "messaging.operation.type": "process",
			"messaging.destination.name": "orders", "messaging.destination.partition.id": "3", "messaging.consumer.group.name": "billing",
		}),
		newSpan(tb, server, unset, attrs{"network.protocol.name": "thrift"}),
	}
}

func BenchmarkReadAndKey(b *testing.B) {
	c := newCatalog()
	o := aggregate.NewRegistry(1, nil).Acquire(nil)
	spans := benchmarkSpans(b)
	var r Resource
	var f Fields
	key := make([]byte, 0, 512)
	for i := 0; b.Loop(); i++ {
		m, _ := c.Read(spans[i%len(spans)], &r, &f)
		key = m.AppendKey(key[:0], o, &f)
	}
}
