package prometheus

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// shopName is the service that does a bit of everything.
const shopName = "shop"

type attributes map[string]any

// request is one span of the shop; a failed one has an error type.
type request struct {
	kind  ptrace.SpanKind
	attrs attributes
}

// requests are one of everything that dashboards show.
var requests = []request{
	{ptrace.SpanKindServer, attributes{"http.request.method": "GET", "url.scheme": "https", "http.route": "/cart/{id}", "http.response.status_code": 200}},
	{ptrace.SpanKindServer, attributes{"http.request.method": "POST", "http.route": "/cart/{id}", "http.response.status_code": 503, "error.type": "503"}},
	{ptrace.SpanKindServer, attributes{"http.request.method": "GET", "http.route": "/events", "http.response.status_code": 101}},
	{ptrace.SpanKindServer, attributes{"http.request.method": "GET", "http.route": "/health", "http.response.status_code": 200, "user_agent.original": "kube-probe/1.31"}},
	{ptrace.SpanKindServer, attributes{"http.request.method": "GET", "http.route": "/metrics", "http.response.status_code": 200, "network.peer.address": "127.0.0.1"}},
	{ptrace.SpanKindServer, attributes{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Get", "rpc.response.status_code": "OK"}},
	{ptrace.SpanKindServer, attributes{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Put", "rpc.response.status_code": "INTERNAL", "error.type": "INTERNAL"}},
	{ptrace.SpanKindServer, attributes{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Watch", "sightglass.request.class": "stream"}},
	{ptrace.SpanKindServer, attributes{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Get", "network.peer.address": "127.0.0.1"}},
	{ptrace.SpanKindServer, attributes{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT cart"}},
	{ptrace.SpanKindServer, attributes{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "INSERT cart", "error.type": "23505"}},
	{ptrace.SpanKindServer, attributes{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "LISTEN", "sightglass.request.class": "wait"}},
	{ptrace.SpanKindServer, attributes{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT cart", "network.peer.address": "::1"}},
	{ptrace.SpanKindServer, attributes{"network.protocol.name": "memcached"}},
	{ptrace.SpanKindServer, attributes{"network.protocol.name": "memcached", "error.type": "SERVER_ERROR", "sightglass.request.class": "wait"}},
	{ptrace.SpanKindServer, attributes{"network.protocol.name": "memcached", "error.type": "SERVER_ERROR", "network.peer.address": "127.0.0.1"}},
	{ptrace.SpanKindClient, attributes{"http.request.method": "GET", "http.response.status_code": 200, "service.peer.name": "stock"}},
	{ptrace.SpanKindClient, attributes{"http.request.method": "GET", "http.response.status_code": 502, "error.type": "502", "server.address": "api.example.com"}},
	{ptrace.SpanKindClient, attributes{"http.request.method": "GET", "sightglass.request.class": "stream", "service.peer.name": "stock"}},
	{ptrace.SpanKindClient, attributes{"rpc.system.name": "grpc", "rpc.method": "stock.Items/Get", "service.peer.name": "stock", "rpc.response.status_code": "OK"}},
	{ptrace.SpanKindClient, attributes{"rpc.system.name": "grpc", "rpc.method": "stock.Items/Watch", "service.peer.name": "stock", "sightglass.request.class": "stream"}},
	{ptrace.SpanKindClient, attributes{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT cart", "service.peer.name": "postgres", "db.query.text": "SELECT * FROM cart WHERE id = 7"}},
	{ptrace.SpanKindClient, attributes{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "INSERT cart", "error.type": "23505", "service.peer.name": "postgres"}},
	{ptrace.SpanKindClient, attributes{"db.system.name": "postgresql", "db.query.summary": "LISTEN", "sightglass.request.class": "wait", "service.peer.name": "postgres"}},
	{ptrace.SpanKindProducer, attributes{"messaging.system": "kafka", "messaging.operation.name": "produce", "messaging.operation.type": "send", "messaging.destination.name": "orders", "messaging.batch.message_count": 7}},
	{ptrace.SpanKindProducer, attributes{"messaging.system": "kafka", "messaging.operation.name": "produce", "messaging.operation.type": "send", "messaging.destination.name": "orders", "error.type": "NOT_ENOUGH_REPLICAS"}},
	{ptrace.SpanKindConsumer, attributes{"messaging.system": "kafka", "messaging.operation.name": "fetch", "messaging.operation.type": "receive", "messaging.destination.name": "orders", "messaging.consumer.group.name": "billing", "messaging.batch.message_count": 7}},
	{ptrace.SpanKindConsumer, attributes{"messaging.system": "kafka", "messaging.operation.name": "fetch", "messaging.operation.type": "receive", "messaging.destination.name": "orders", "sightglass.request.class": "wait"}},
}

// send sends the shop's requests once.
func send(t *testing.T, endpoint string) {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	require.NoError(t, rs.Resource().Attributes().FromRaw(map[string]any{
		"service.name": shopName, "service.namespace": "web", "k8s.namespace.name": "prod", "k8s.deployment.name": shopName,
		"k8s.pod.uid": "b4f8d9a2-0000-0000-0000-000000000001",
	}))
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for i, r := range requests {
		span := spans.AppendEmpty()
		span.SetName("request")
		span.SetKind(r.kind)
		var id [24]byte
		_, _ = rand.Read(id[:])
		span.SetTraceID(pcommon.TraceID(id[:16]))
		span.SetSpanID(pcommon.SpanID(id[16:]))
		end := time.Now()
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-time.Duration(i+1) * 7 * time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
		require.NoError(t, span.Attributes().FromRaw(r.attrs))
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	resp, err := http.Post("http://"+endpoint+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
