package httpfacts_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// newExchange is GET /users/42?q=1 with the answer 200, seen by a server.
func newExchange() (*exchange.Exchange, *httpfacts.Facts) {
	f := &httpfacts.Facts{
		Method: []byte("GET"), Target: []byte("/users/42?q=1"), Host: []byte("api.example:8080"),
		UserAgent: []byte("curl/8"), Status: 200,
	}
	ex := &exchange.Exchange{
		Endpoint: exchange.Endpoint{
			NetNS: 4026531840, Family: 2, LocalPort: 8080, PeerPort: 40000,
			LocalAddr: [16]byte{10, 0, 0, 1}, PeerAddr: [16]byte{10, 0, 0, 2}, Role: event.RoleServer,
		},
		Start: 1_000_000_000, FirstByte: 1_250_000_000, End: 1_500_000_000, Facts: f,
	}
	return ex, f
}

// translate returns the span of ex.
func translate(t *testing.T, ex *exchange.Exchange) ptrace.Span {
	t.Helper()
	list := ptrace.NewSpanSlice()
	require.True(t, spans.NewTranslator([32]byte{1}).Append(list, ex, 1_000_000))
	require.Equal(t, 1, list.Len())
	return list.At(0)
}

func TestServerSpan(t *testing.T) {
	ex, _ := newExchange()
	span := translate(t, ex)
	require.Equal(t, "GET /users/{id}", span.Name())
	require.Equal(t, ptrace.SpanKindServer, span.Kind())
	require.Equal(t, ptrace.StatusCodeUnset, span.Status().Code())
	require.EqualValues(t, 1_001_000_000, span.StartTimestamp())
	require.EqualValues(t, 1_501_000_000, span.EndTimestamp())
	require.False(t, span.TraceID().IsEmpty())
	require.False(t, span.SpanID().IsEmpty())
	require.True(t, span.ParentSpanID().IsEmpty())
	require.Equal(t, map[string]any{
		"http.request.method":                   "GET",
		"http.response.status_code":             int64(200),
		"url.scheme":                            "http",
		"url.path":                              "/users/42",
		"url.query":                             "q=1",
		"server.address":                        "api.example",
		"server.port":                           int64(8080),
		"client.address":                        "10.0.0.2",
		"network.peer.address":                  "10.0.0.2",
		"network.peer.port":                     int64(40000),
		"network.local.address":                 "10.0.0.1",
		"network.local.port":                    int64(8080),
		"network.protocol.version":              "1.1",
		"sightglass.network.namespace":          int64(4026531840),
		"sightglass.http.route.inferred":        "/users/{id}",
		"sightglass.request.class":              "unary",
		"sightglass.request.time_to_first_byte": 0.25,
		"user_agent.original":                   "curl/8",
	}, span.Attributes().AsRaw())
}

func TestClientSpan(t *testing.T) {
	ex, f := newExchange()
	ex.Role, ex.LocalPort, ex.PeerPort = event.RoleClient, 40000, 8080
	ex.LocalAddr, ex.PeerAddr = ex.PeerAddr, ex.LocalAddr
	f.Status = 404
	span := translate(t, ex)
	require.Equal(t, "GET", span.Name(), "a template that only a 404 was seen for is not used")
	require.Equal(t, ptrace.SpanKindClient, span.Kind())
	require.Equal(t, ptrace.StatusCodeError, span.Status().Code())
	require.Empty(t, span.Status().Message())
	require.Equal(t, map[string]any{
		"http.request.method":                   "GET",
		"http.response.status_code":             int64(404),
		"error.type":                            "404",
		"url.full":                              "http://api.example:8080/users/42?q=1",
		"server.address":                        "api.example",
		"server.port":                           int64(8080),
		"network.peer.address":                  "10.0.0.1",
		"network.peer.port":                     int64(8080),
		"network.local.address":                 "10.0.0.2",
		"network.local.port":                    int64(40000),
		"network.protocol.version":              "1.1",
		"sightglass.network.namespace":          int64(4026531840),
		"sightglass.request.class":              "unary",
		"sightglass.request.time_to_first_byte": 0.25,
		"user_agent.original":                   "curl/8",
	}, span.Attributes().AsRaw())
}

// attribute tests change one thing and look at some attributes; nil says that
// there must be none.
func TestAttributes(t *testing.T) {
	tests := []struct {
		name   string
		change func(*exchange.Exchange, *httpfacts.Facts)
		want   map[string]any
	}{
		{
			"unknown method", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Method = []byte("PURGE") },
			map[string]any{"http.request.method": "_OTHER", "http.request.method_original": "PURGE"},
		},
		{
			"method in lower case is another one", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Method = []byte("get") },
			map[string]any{"http.request.method": "_OTHER", "http.request.method_original": "get"},
		},
		{"secrets in the query", func(_ *exchange.Exchange, f *httpfacts.Facts) {
			f.Target = []byte("/a?X-Amz-Signature=s3cr3t&b=c&token=t&sig=x%26y&flag")
		}, map[string]any{"url.query": "X-Amz-Signature=REDACTED&b=c&token=REDACTED&sig=REDACTED&flag"}},
		{"absolute form", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Target = []byte("http://user:pass@back.end:81/p?a=b#frag")
			ex.Role = event.RoleClient
		}, map[string]any{"url.full": "http://REDACTED:REDACTED@back.end:81/p?a=b", "server.address": "back.end", "server.port": int64(81)}},
		{"a password with an @", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Target, ex.Role = []byte("http://user:p@ss@back.end/p"), event.RoleClient
		}, map[string]any{"url.full": "http://REDACTED:REDACTED@back.end/p", "server.address": "back.end", "server.port": int64(80)}},
		{
			"absolute form without a path", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Target = []byte("http://h?x=y") },
			map[string]any{"url.path": "/", "url.query": "x=y"},
		},
		{"CONNECT", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Method, f.Target, ex.Role = []byte("CONNECT"), []byte("example:443"), event.RoleClient
		}, map[string]any{"url.full": nil, "server.address": "example", "server.port": int64(443)}},
		{"CONNECT on a server", func(_ *exchange.Exchange, f *httpfacts.Facts) {
			f.Method, f.Target, f.Host = []byte("CONNECT"), []byte("example:443"), []byte("example:443")
		}, map[string]any{
			"url.path": nil, "url.query": nil, "url.scheme": "http", "server.address": "example", "server.port": int64(443), "http.route": nil,
		}},
		{"CONNECT for a WebSocket in HTTP/2", func(_ *exchange.Exchange, f *httpfacts.Facts) {
			f.Method, f.Target, f.Host = []byte("CONNECT"), []byte("/chat"), []byte("example")
		}, map[string]any{"url.path": "/chat", "server.address": "example", "server.port": int64(80)}},
		{"OPTIONS *", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Method, f.Target, ex.Role = []byte("OPTIONS"), []byte("*"), event.RoleClient
		}, map[string]any{"url.full": "http://api.example:8080", "sightglass.http.route.inferred": nil}},
		{
			"no Host on a server", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Host = nil },
			map[string]any{"server.address": "10.0.0.1", "server.port": int64(8080)},
		},
		{
			"no Host on a client", func(ex *exchange.Exchange, f *httpfacts.Facts) { f.Host, ex.Role = nil, event.RoleClient },
			map[string]any{"server.address": "10.0.0.2", "server.port": int64(40000), "url.full": "http://10.0.0.2:40000/users/42?q=1"},
		},
		{"no Host on a client, IPv6", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Host, ex.Role, ex.Family, ex.PeerAddr = nil, event.RoleClient, 10, [16]byte{0: 0xfe, 1: 0x80, 15: 1}
		}, map[string]any{"server.address": "fe80::1", "url.full": "http://[fe80::1]:40000/users/42?q=1"}},
		{
			"Host without a port", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Host = []byte("h") },
			map[string]any{"server.address": "h", "server.port": int64(80)},
		},
		{
			"Host as an IPv6 address", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Host = []byte("[::1]:99") },
			map[string]any{"server.address": "::1", "server.port": int64(99)},
		},
		{"behind a proxy", func(_ *exchange.Exchange, f *httpfacts.Facts) {
			f.SetHeader([]byte("X-Forwarded-For"), []byte("1.2.3.4, 5.6.7.8"))
			f.SetHeader([]byte("X-Forwarded-Proto"), []byte("https"))
		}, map[string]any{"client.address": "1.2.3.4", "url.scheme": "https", "network.peer.address": "10.0.0.2"}},
		{"behind a proxy, by the standard", func(_ *exchange.Exchange, f *httpfacts.Facts) {
			f.SetHeader([]byte("forwarded"), []byte(`for="[2001:db8::1]:80";proto=https;by=x, for=9.9.9.9`))
		}, map[string]any{"client.address": "2001:db8::1", "url.scheme": "https"}},
		{"of whom a load balancer speaks", func(ex *exchange.Exchange, _ *httpfacts.Facts) {
			ex.Client = netip.MustParseAddrPort("[::ffff:1.2.3.4]:5678")
		}, map[string]any{"client.address": "1.2.3.4", "client.port": int64(5678), "network.peer.address": "10.0.0.2", "network.peer.port": int64(40000)}},
		{"of whom it speaks, and whom the proxy before it names", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			ex.Client, f.ForwardedFor = netip.MustParseAddrPort("1.2.3.4:5678"), []byte("9.9.9.9")
		}, map[string]any{"client.address": "9.9.9.9", "client.port": nil}},
		{"mapped addresses", func(ex *exchange.Exchange, _ *httpfacts.Facts) {
			ex.Family, ex.PeerAddr = 10, [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}
		}, map[string]any{"network.peer.address": "127.0.0.1"}},
		{
			"unix socket", func(ex *exchange.Exchange, f *httpfacts.Facts) { ex.Family, f.Host = 1, nil },
			map[string]any{"network.transport": "unix", "network.peer.address": nil, "client.address": nil, "server.address": nil},
		},
		{
			"head beyond the bound", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.HeadCut = true },
			map[string]any{"sightglass.truncated": []any{"http.request.header"}},
		},
		{
			"target beyond the bound", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.TargetCut = true },
			map[string]any{"sightglass.truncated": []any{"url.path", "url.query", "http.request.header"}, "sightglass.http.route.inferred": nil},
		},
		{
			"guessed role", func(ex *exchange.Exchange, _ *httpfacts.Facts) { ex.RoleGuessed = true },
			map[string]any{"sightglass.request.role.confidence": "guessed"},
		},
		{"never answered", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Status, ex.FirstByte, ex.Incomplete = 0, 0, exchange.ConnectionClosed
		}, map[string]any{
			"sightglass.request.incomplete": "connection_closed", "error.type": "connection_closed",
			"http.response.status_code": nil, "sightglass.request.time_to_first_byte": nil,
		}},
		{"the caller left", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Status, f.CallerGone, ex.Incomplete = 0, true, exchange.ConnectionClosed
		}, map[string]any{"sightglass.request.incomplete": "connection_closed", "error.type": nil}},
		{
			"the caller left the body unread", func(ex *exchange.Exchange, f *httpfacts.Facts) {
				ex.Role, f.CallerGone, ex.Incomplete = event.RoleClient, true, exchange.ConnectionClosed
			}, map[string]any{"sightglass.request.incomplete": "connection_closed", "error.type": nil},
		},
		{"the caller waited in vain", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			ex.Role, f.Status, f.CallerGone, ex.Incomplete = event.RoleClient, 0, true, exchange.ConnectionClosed
		}, map[string]any{"sightglass.request.incomplete": "connection_closed", "error.type": "connection_closed"}},
		{"reset by the server", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Status, f.StreamError, ex.Incomplete = 0, "INTERNAL_ERROR", exchange.StreamReset
		}, map[string]any{"sightglass.request.incomplete": "stream_reset", "error.type": "INTERNAL_ERROR"}},
		{"given up by the caller", func(ex *exchange.Exchange, f *httpfacts.Facts) {
			f.Status, f.StreamError, f.CallerGone, ex.Incomplete = 0, "CANCEL", true, exchange.StreamReset
		}, map[string]any{"sightglass.request.incomplete": "stream_reset", "error.type": nil}},
		{
			"response lost", func(ex *exchange.Exchange, f *httpfacts.Facts) { f.Status, ex.Incomplete = 0, exchange.ResponseLost },
			map[string]any{"sightglass.request.incomplete": "response_lost", "error.type": nil},
		},
		{
			"HTTP/1.0", func(_ *exchange.Exchange, f *httpfacts.Facts) { f.Version = httpfacts.HTTP10 },
			map[string]any{"network.protocol.version": "1.0"},
		},
		{
			"stream", func(ex *exchange.Exchange, _ *httpfacts.Facts) { ex.Class = exchange.Stream },
			map[string]any{"sightglass.request.class": "stream"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ex, f := newExchange()
			tt.change(ex, f)
			got := translate(t, ex).Attributes().AsRaw()
			for key, want := range tt.want {
				require.Equal(t, want, got[key], key)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		role   event.Role
		status uint16
		want   ptrace.StatusCode
	}{
		{event.RoleServer, 200, ptrace.StatusCodeUnset},
		{event.RoleServer, 404, ptrace.StatusCodeUnset},
		{event.RoleServer, 500, ptrace.StatusCodeError},
		{event.RoleServer, 799, ptrace.StatusCodeError},
		{event.RoleClient, 302, ptrace.StatusCodeUnset},
		{event.RoleClient, 400, ptrace.StatusCodeError},
		{event.RoleClient, 503, ptrace.StatusCodeError},
	} {
		ex, f := newExchange()
		ex.Role, f.Status = tt.role, tt.status
		require.Equal(t, tt.want, translate(t, ex).Status().Code(), "%v %d", tt.role, tt.status)
	}
}

func TestParent(t *testing.T) {
	ex, f := newExchange()
	f.TraceParent = []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.TraceState = []byte("ot=th:8")
	span := translate(t, ex)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", span.TraceID().String())
	require.Equal(t, "b7ad6b7169203331", span.ParentSpanID().String())
	require.NotEqual(t, span.ParentSpanID(), span.SpanID())
	require.EqualValues(t, 0x301, span.Flags())
	require.Equal(t, "ot=th:8", span.TraceState().AsRaw())
}

func TestNoSpanWithoutARequest(t *testing.T) {
	ex, f := newExchange()
	list := ptrace.NewSpanSlice()
	list.AppendEmpty().SetName("kept")
	f.Method = nil
	require.False(t, spans.NewTranslator([32]byte{}).Append(list, ex, 0))
	ex, _ = newExchange()
	ex.Incomplete = exchange.RequestLost
	require.False(t, spans.NewTranslator([32]byte{}).Append(list, ex, 0))
	require.Equal(t, 1, list.Len())
	require.Equal(t, "kept", list.At(0).Name())
}

func TestB3Parent(t *testing.T) {
	ex, f := newExchange()
	f.SetHeader([]byte("b3"), []byte("0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"))
	f.TraceState = []byte("of=another")
	span := translate(t, ex)
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", span.TraceID().String())
	require.Equal(t, "b7ad6b7169203331", span.ParentSpanID().String())
	require.EqualValues(t, 0x301, span.Flags())
	require.Empty(t, span.TraceState().AsRaw())
	f.TraceParent = []byte("00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-00")
	require.Equal(t, "c7ad6b7169203331", translate(t, ex).ParentSpanID().String(), "the W3C's counts first")
}

func TestConfiguredProbe(t *testing.T) {
	for pattern, class := range map[string]string{"/{kind}/{id}": "probe", "/healthz": "unary"} {
		patterns, err := spans.ParsePatterns([]string{pattern})
		require.NoError(t, err)
		tr := spans.NewTranslator([32]byte{1})
		tr.UseProbes(patterns)
		ex, _ := newExchange()
		list := ptrace.NewSpanSlice()
		require.True(t, tr.Append(list, ex, 0))
		require.Equal(t, class, list.At(0).Attributes().AsRaw()["sightglass.request.class"])
	}
}

func TestConfiguredRoute(t *testing.T) {
	patterns, err := spans.ParsePatterns([]string{"/{kind}/{id}"})
	require.NoError(t, err)
	tr := spans.NewTranslator([32]byte{1})
	tr.UseRoutes(patterns)
	for role, key := range map[event.Role]string{event.RoleServer: "http.route", event.RoleClient: "url.template"} {
		ex, _ := newExchange()
		ex.Role = role
		list := ptrace.NewSpanSlice()
		require.True(t, tr.Append(list, ex, 0))
		require.Equal(t, "GET /{kind}/{id}", list.At(0).Name())
		attrs := list.At(0).Attributes().AsRaw()
		require.Equal(t, "/{kind}/{id}", attrs[key])
		require.NotContains(t, attrs, "sightglass.http.route.inferred")
	}
}
