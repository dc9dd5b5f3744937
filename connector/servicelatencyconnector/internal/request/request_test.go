package request

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
)

type attrs = map[string]any

const (
	server   = ptrace.SpanKindServer
	client   = ptrace.SpanKindClient
	producer = ptrace.SpanKindProducer
	consumer = ptrace.SpanKindConsumer
	internal = ptrace.SpanKindInternal
	unset    = ptrace.StatusCodeUnset
	failed   = ptrace.StatusCodeError
	fine     = ptrace.StatusCodeOk
)

func newSpan(tb testing.TB, kind ptrace.SpanKind, status ptrace.StatusCode, a attrs) ptrace.Span {
	tb.Helper()
	span := ptrace.NewSpan()
	span.SetKind(kind)
	span.SetName("the span")
	span.SetStartTimestamp(1_000)
	span.SetEndTimestamp(6_000)
	span.Status().SetCode(status)
	require.NoError(tb, span.Attributes().FromRaw(a))
	return span
}

func newCatalog(change ...func(*Options)) *Catalog {
	options := Options{
		Shape:   func(*Definition) *aggregate.Shape { return aggregate.NewExponential(160, 8) },
		Enabled: func(d *Definition) bool { return !d.Off },
	}
	for _, c := range change {
		c(&options)
	}
	return NewCatalog(options)
}

// read returns the metric's name and the attributes that its key decodes to.
func read(tb testing.TB, c *Catalog, span ptrace.Span, resource attrs) (string, attrs) {
	tb.Helper()
	name, a, _ := readAll(tb, c, span, resource)
	return name, a
}

func readAll(tb testing.TB, c *Catalog, span ptrace.Span, resource attrs) (name string, own, overflow attrs) {
	tb.Helper()
	res := pcommon.NewResource()
	require.NoError(tb, res.Attributes().FromRaw(resource))
	var r Resource
	var f Fields
	c.ReadResource(res, &r)
	m, outcome := c.Read(span, &r, &f)
	if m == nil {
		return fmt.Sprint("outcome ", outcome), nil, nil
	}
	return m.Name, keyAttributes(tb, m, m.AppendKey, &f), keyAttributes(tb, m, m.AppendOverflowKey, &f)
}

// keyAttributes takes a key through the store, as the connector does.
func keyAttributes(tb testing.TB, m *Metric, appendKey func([]byte, *aggregate.Owner, *Fields) []byte, f *Fields) attrs {
	tb.Helper()
	store := aggregate.NewStore(aggregate.Limits{Series: 1, PerOwner: 1})
	registry := aggregate.NewRegistry(1, nil)
	o := registry.Acquire(nil)
	var s aggregate.Sample
	require.True(tb, store.Record(o, &m.Metric, appendKey(nil, o, f), &s))
	out := pcommon.NewMap()
	flusher := aggregate.NewFlusher(store, registry, aggregate.FlusherOptions{})
	flusher.Collect(1, func(in aggregate.Interval) {
		for name, v := range in.Series.Attributes() {
			attribute.Put(out, name, v)
		}
	})
	return out.AsRaw()
}

func TestProtocols(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   ptrace.SpanKind
		status ptrace.StatusCode
		span   attrs
		metric string
		want   attrs
	}{
		"HTTP server": {
			server, unset,
			attrs{"http.request.method": "GET", "url.scheme": "https", "http.route": "/u/{id}", "sightglass.http.route.inferred": "/u/*", "http.response.status_code": 200, "url.path": "/u/7", "client.address": "10.0.0.7", "server.port": 443},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "url.scheme": "https", "http.route": "/u/{id}", "http.response.status_code": int64(200)},
		},
		"HTTP server without a route": {
			server, unset,
			attrs{"http.request.method": "PURGE", "http.route": "", "sightglass.http.route.inferred": "/u/*"},
			"http.server.request.duration",
			attrs{"http.request.method": "_OTHER", "sightglass.http.route.inferred": "/u/*"},
		},
		"HTTP server failing, status forgotten": {
			server, unset,
			attrs{"http.request.method": "GET", "http.response.status_code": 503},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "http.response.status_code": int64(503), "error.type": "503"},
		},
		"HTTP server, not an error by its own word": {
			server, fine,
			attrs{"http.request.method": "GET", "http.response.status_code": 503},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "http.response.status_code": int64(503)},
		},
		"HTTP server, 404 is the caller's": {
			server, unset,
			attrs{"http.request.method": "GET", "http.response.status_code": 404},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "http.response.status_code": int64(404)},
		},
		"HTTP server, failed without a code": {
			server, failed,
			attrs{"http.request.method": "GET"},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "error.type": "_OTHER"},
		},
		"HTTP server with its database's attributes": {
			server, unset,
			attrs{"http.request.method": "GET", "db.system.name": "mysql"},
			"http.server.request.duration",
			attrs{"http.request.method": "GET"},
		},
		"HTTP, older names": {
			server, failed,
			attrs{"http.method": "POST", "http.scheme": "http", "http.status_code": "500", "http.target": "/x?y"},
			"http.server.request.duration",
			attrs{"http.request.method": "POST", "url.scheme": "http", "http.response.status_code": int64(500), "error.type": "500"},
		},
		"HTTP, both names": {
			server, unset,
			attrs{"http.method": "old", "http.request.method": "GET", "http.status_code": 1, "http.response.status_code": 200},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "http.response.status_code": int64(200)},
		},
		"HTTP client": {
			client, failed,
			attrs{"http.request.method": "GET", "http.response.status_code": 404, "url.full": "http://a/b", "url.template": "/b", "server.address": "a", "server.port": 80, "service.peer.name": "orders"},
			"http.client.request.duration",
			attrs{"http.request.method": "GET", "http.response.status_code": int64(404), "error.type": "404", "url.template": "/b", "service.peer.name": "orders"},
		},
		"HTTP client, connection refused": {
			client, failed,
			attrs{"http.request.method": "GET", "error.type": "ECONNREFUSED", "peer.service": "orders"},
			"http.client.request.duration",
			attrs{"http.request.method": "GET", "error.type": "ECONNREFUSED", "service.peer.name": "orders"},
		},
		"WebSocket": {
			server, unset,
			attrs{"http.request.method": "GET", "http.response.status_code": 101},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "http.response.status_code": int64(101), "sightglass.request.class": "stream"},
		},
		"health check": {
			server, unset,
			attrs{"http.request.method": "GET", "user_agent.original": "kube-probe/1.33"},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "sightglass.request.class": "probe"},
		},
		"browser": {
			server, unset,
			attrs{"http.request.method": "GET", "user_agent.original": "Mozilla/5.0"},
			"http.server.request.duration",
			attrs{"http.request.method": "GET"},
		},
		"class given": {
			server, unset,
			attrs{"http.request.method": "GET", "sightglass.request.class": "wait", "http.response.status_code": 101},
			"http.server.request.duration",
			attrs{"http.request.method": "GET", "sightglass.request.class": "wait", "http.response.status_code": int64(101)},
		},
		"class unary is not written": {
			server, unset,
			attrs{"http.request.method": "GET", "sightglass.request.class": "unary"},
			"http.server.request.duration",
			attrs{"http.request.method": "GET"},
		},
		"gRPC server": {
			server, failed,
			attrs{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Add", "rpc.response.status_code": "UNAVAILABLE", "http.request.method": "POST"},
			"rpc.server.call.duration",
			attrs{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Add", "rpc.response.status_code": "UNAVAILABLE", "error.type": "UNAVAILABLE"},
		},
		"gRPC client, older names": {
			client, failed,
			attrs{"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add", "rpc.grpc.status_code": 4},
			"rpc.client.call.duration",
			attrs{"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Add", "rpc.response.status_code": "DEADLINE_EXCEEDED", "error.type": "DEADLINE_EXCEEDED"},
		},
		"gRPC, failed after the answer": {
			client, failed,
			attrs{"rpc.system": "grpc", "rpc.status_code": "OK"},
			"rpc.client.call.duration",
			attrs{"rpc.system.name": "grpc", "rpc.response.status_code": "OK", "error.type": "_OTHER"},
		},
		"gRPC, unknown number": {
			client, unset,
			attrs{"rpc.system": "grpc", "rpc.grpc.status_code": 99},
			"rpc.client.call.duration",
			attrs{"rpc.system.name": "grpc"},
		},
		"database client": {
			client, failed,
			attrs{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT orders", "db.operation.name": "SELECT", "db.collection.name": "orders", "db.response.status_code": "40P01", "db.query.text": "SELECT 1"},
			"db.client.operation.duration",
			attrs{"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT orders", "db.operation.name": "SELECT", "db.collection.name": "orders", "db.response.status_code": "40P01", "error.type": "40P01"},
		},
		"database client, older names": {
			client, unset,
			attrs{"db.system": "mysql", "db.name": "shop", "db.operation": "call", "db.statement": "call f(1)", "db.sql.table": "t"},
			"db.client.operation.duration",
			attrs{"db.system.name": "mysql", "db.namespace": "shop", "db.operation.name": "call", "db.collection.name": "t"},
		},
		"database error as a number": {
			client, failed,
			attrs{"db.system.name": "mysql", "db.response.status_code": 1064},
			"db.client.operation.duration",
			attrs{"db.system.name": "mysql", "db.response.status_code": int64(1064), "error.type": "_OTHER"},
		},
		"database over HTTP": {
			client, unset,
			attrs{"db.system.name": "elasticsearch", "http.request.method": "POST"},
			"db.client.operation.duration",
			attrs{"db.system.name": "elasticsearch"},
		},
		"database server": {
			server, unset,
			attrs{"db.system.name": "redis", "db.operation.name": "GET", "service.peer.name": "cart"},
			"sightglass.db.server.operation.duration",
			attrs{"db.system.name": "redis", "db.operation.name": "GET", "service.peer.name": "cart"},
		},
		"send": {
			producer, unset,
			attrs{"messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send", "messaging.destination.name": "orders"},
			"messaging.client.operation.duration",
			attrs{"messaging.system": "kafka", "messaging.operation.name": "send", "messaging.operation.type": "send", "messaging.destination.name": "orders"},
		},
		"receive": {
			consumer, unset,
			attrs{"messaging.system": "kafka", "messaging.operation": "receive"},
			"messaging.client.operation.duration",
			attrs{"messaging.system": "kafka", "messaging.operation.type": "receive"},
		},
		"process": {
			consumer, failed,
			attrs{"messaging.system": "kafka", "messaging.operation.type": "process", "messaging.consumer.group.name": "g"},
			"messaging.process.duration",
			attrs{"messaging.system": "kafka", "messaging.operation.type": "process", "messaging.consumer.group.name": "g", "error.type": "_OTHER"},
		},
		"process, by kind": {
			consumer, unset,
			attrs{"messaging.system": "kafka"},
			"messaging.process.duration",
			attrs{"messaging.system": "kafka"},
		},
		"broker": {
			server, failed,
			attrs{"messaging.system": "rabbitmq", "messaging.operation.name": "deliver", "messaging.operation.type": "process", "sightglass.request.class": "oneway"},
			"sightglass.messaging.server.operation.duration",
			attrs{"messaging.system": "rabbitmq", "messaging.operation.name": "deliver", "messaging.operation.type": "process", "sightglass.request.class": "oneway", "error.type": "_OTHER"},
		},
		"temporary destination": {
			producer, unset,
			attrs{"messaging.system": "jms", "messaging.destination.name": "amq.gen-JzTY20", "messaging.destination.temporary": true},
			"messaging.client.operation.duration",
			attrs{"messaging.system": "jms"},
		},
		"templated destination": {
			producer, unset,
			attrs{"messaging.system": "jms", "messaging.destination.name": "c.17", "messaging.destination.template": "c.{id}"},
			"messaging.client.operation.duration",
			attrs{"messaging.system": "jms", "messaging.destination.template": "c.{id}"},
		},
		"other server": {
			server, failed,
			attrs{"network.protocol.name": "thrift"},
			"sightglass.server.request.duration",
			attrs{"sightglass.operation": "the span", "network.protocol.name": "thrift", "error.type": "_OTHER"},
		},
		"other client": {
			client, unset, nil,
			"sightglass.client.request.duration",
			attrs{"sightglass.operation": "the span"},
		},
		"DNS server": {
			server, unset,
			attrs{"dns.question.name": "a.example"},
			"sightglass.server.request.duration",
			attrs{},
		},
		"DNS lookup":  {client, unset, attrs{"dns.question.name": "a.example"}, "outcome 1", nil},
		"internal":    {internal, unset, attrs{"http.request.method": "GET"}, "outcome 1", nil},
		"half seen":   {server, unset, attrs{"http.request.method": "GET", "sightglass.request.incomplete": "response_lost"}, "outcome 3", nil},
		"caller left": {server, unset, attrs{"http.request.method": "GET", "sightglass.request.incomplete": "connection_closed"}, "http.server.request.duration", attrs{"http.request.method": "GET"}},
	} {
		t.Run(name, func(t *testing.T) {
			metric, got := read(t, newCatalog(), newSpan(t, tc.kind, tc.status, tc.span), nil)
			require.Equal(t, tc.metric, metric)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestSpanWithoutEndIsInvalid(t *testing.T) {
	span := newSpan(t, server, unset, nil)
	span.SetEndTimestamp(0)
	outcome, _ := read(t, newCatalog(), span, nil)
	require.Equal(t, "outcome 2", outcome)
}

func TestDuration(t *testing.T) {
	span := newSpan(t, server, unset, nil)
	require.EqualValues(t, 5000, Duration(span))
	span.SetStartTimestamp(7_000)
	require.Zero(t, Duration(span), "clocks that disagree")
}

func TestSampled(t *testing.T) {
	span := ptrace.NewSpan()
	require.True(t, Sampled(span), "the sender does not fill in flags")
	span.SetFlags(0x101)
	require.True(t, Sampled(span))
	span.SetFlags(0x100)
	require.False(t, Sampled(span), "it does, and the span is not sampled")
}

func TestWithinPod(t *testing.T) {
	c := newCatalog()
	pod := attrs{"k8s.pod.uid": "u"}
	for address, within := range map[string]bool{
		"127.0.0.1": true, "127.0.0.6": true, "::1": true, "::ffff:127.0.0.1": true,
		"10.0.0.1": false, "192.168.0.1": false, "": false, "1bad": false, "localhost": false,
	} {
		span := newSpan(t, server, unset, attrs{"http.request.method": "GET", "network.peer.address": address})
		_, got := read(t, c, span, pod)
		require.Equal(t, within, got["sightglass.request.within_pod"] == true, address)
		_, got = read(t, c, span, nil)
		require.NotContains(t, got, "sightglass.request.within_pod", "outside a pod a loopback client is a client")
	}
	_, got := read(t, c, newSpan(t, client, unset, attrs{"http.request.method": "GET", "network.peer.address": "::1"}), pod)
	require.NotContains(t, got, "sightglass.request.within_pod", "the client's view is another metric")
}

func TestOperation(t *testing.T) {
	var r Resource
	var f Fields
	c := newCatalog()
	for want, span := range map[string]attrs{
		"/u/{id}":       {"http.request.method": "GET", "http.route": "/u/{id}"},
		"/u/*":          {"http.request.method": "GET", "sightglass.http.route.inferred": "/u/*"},
		"shop.Cart/Add": {"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add"},
		"SELECT carts":  {"db.system.name": "mysql", "db.query.summary": "SELECT carts", "db.operation.name": "SELECT"},
		"orders":        {"messaging.system": "kafka", "messaging.destination.name": "orders"},
		"the span":      {},
		"":              {"http.request.method": "GET"},
	} {
		m, _ := c.Read(newSpan(t, server, unset, span), &r, &f)
		require.Equal(t, want, f.Operation())
		require.Equal(t, want == "SELECT carts", m.Protocol() == DatabaseProtocol)
		require.Equal(t, want == "orders", m.Protocol() == MessagingProtocol)
	}
}

func TestOverflowKeepsWhatTotalsAreMadeOf(t *testing.T) {
	span := newSpan(t, server, failed, attrs{
		"http.request.method": "GET", "http.route": "/x", "error.type": "timeout", "sightglass.request.class": "wait",
		"network.peer.address": "::1", "tenant": "t1",
	})
	c := newCatalog(func(o *Options) { o.Dimensions = []Dimension{{Name: "tenant"}, {Name: "t*"}} })
	_, own, overflow := readAll(t, c, span, attrs{"k8s.pod.name": "p"})
	require.Equal(t, "t1", own["tenant"])
	require.Equal(t, attrs{
		"error.type": "_OTHER", "sightglass.request.class": "wait", "sightglass.request.within_pod": true,
	}, overflow)
	_, _, overflow = readAll(t, c, newSpan(t, server, unset, attrs{"http.request.method": "GET", "http.route": "/x"}), nil)
	require.Equal(t, attrs{}, overflow)
}
