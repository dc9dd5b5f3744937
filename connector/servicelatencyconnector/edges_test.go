package servicelatencyconnector

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadatatest"
)

func withMap(c *Config) { c.Temporality, c.ServiceMap.Enabled = Delta, true }

func withGraph(c *Config) { withMap(c); c.ServiceMap.Names = GrafanaNames }

// call is a request from a client span to a server span, joined by what keys says.
type call struct{ client, server attrs }

// spansOfCall builds both ends of a request from shop to cart; context joins them by their trace context.
func spansOfCall(t *testing.T, context bool, c call) (client, server ptrace.Traces) {
	t.Helper()
	client, server = ptrace.NewTraces(), ptrace.NewTraces()
	method := attrs{"http.request.method": "GET"}
	addSpans(t, client, attrs{"service.name": "shop", "service.namespace": "n"}, "", spanOf{ptrace.SpanKindClient, 3 * time.Second, ptrace.StatusCodeUnset, method})
	addSpans(t, server, attrs{"service.name": "cart", "service.namespace": "n"}, "", spanOf{ptrace.SpanKindServer, time.Second, ptrace.StatusCodeError, method})
	cs := client.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	ss := server.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	for k, v := range c.client {
		require.NoError(t, cs.Attributes().PutEmpty(k).FromRaw(v))
	}
	for k, v := range c.server {
		require.NoError(t, ss.Attributes().PutEmpty(k).FromRaw(v))
	}
	if context {
		ss.SetTraceID(cs.TraceID())
		ss.SetParentSpanID(cs.SpanID())
	}
	return client, server
}

// edgesOf writes the edges that a flush sends as "client(namespace) server(namespace) side type error".
func edgesOf(list []row) (out []string) {
	for _, r := range list {
		if r.metric == metricEdge {
			get := func(name string) string { return fmt.Sprint(r.attrs["sightglass.service_map."+name]) }
			out = append(out, strings.ReplaceAll(strings.Join([]string{
				get("client.name"), get("client.namespace"), get("server.name"), get("server.namespace"),
				get("side"), get("connection.type"), fmt.Sprint(r.attrs["error.type"]), strconv.FormatUint(r.count, 10),
			}, " "), "<nil>", "-"))
		}
	}
	sort.Strings(out)
	return out
}

func TestEdgesByPeerName(t *testing.T) {
	r := newRig(t, withMap)
	client, server := spansOfCall(t, false, call{
		client: attrs{"service.peer.name": "cart", "service.peer.namespace": "m"},
		server: attrs{"service.peer.name": "shop"},
	})
	r.consume(client)
	r.consume(server)
	require.Equal(t, []string{
		"shop - cart n server - _OTHER 1",
		"shop n cart m client - - 1",
	}, edgesOf(r.flush()))
	require.EqualValues(t, 2, r.edges.counts[edgeNamed].Load())
}

func TestEdgesByMeeting(t *testing.T) {
	joined := []string{
		"shop n cart n client - - 1",
		"shop n cart n server - _OTHER 1",
	}
	connection := call{
		client: attrs{"network.local.address": "127.0.0.1", "network.local.port": 5000, "sightglass.network.namespace": 7, "server.address": "localhost"},
		server: attrs{"network.peer.address": "127.0.0.1", "network.peer.port": 5000, "sightglass.network.namespace": 7},
	}
	for name, tc := range map[string]struct {
		context bool
		call    call
	}{
		"trace context": {true, call{}},
		"connection":    {false, connection},
	} {
		for _, serverFirst := range []bool{false, true} {
			t.Run(fmt.Sprint(name, serverFirst), func(t *testing.T) {
				r := newRig(t, withMap)
				client, server := spansOfCall(t, tc.context, tc.call)
				if serverFirst {
					client, server = server, client
				}
				r.consume(client)
				r.consume(server)
				require.Equal(t, joined, edgesOf(r.flush()))
				require.EqualValues(t, 2, r.edges.counts[edgeMet].Load())
			})
		}
	}
}

func TestEdgesToTheOutside(t *testing.T) {
	for name, tc := range map[string]struct {
		kind  ptrace.SpanKind
		attrs attrs
		want  string
	}{
		"DNS name":          {ptrace.SpanKindClient, attrs{"http.request.method": "GET", "server.address": "api.example.com"}, "a - api.example.com - client virtual_node - 1"},
		"service name":      {ptrace.SpanKindClient, attrs{"http.request.method": "GET", "server.address": "pay.prod.svc.cluster.local"}, "a - pay prod client virtual_node - 1"},
		"address":           {ptrace.SpanKindClient, attrs{"http.request.method": "GET", "network.peer.address": "203.0.113.5"}, "a - internet - client virtual_node - 1"},
		"nothing":           {ptrace.SpanKindClient, attrs{"http.request.method": "GET"}, "a - unknown - client virtual_node - 1"},
		"database":          {ptrace.SpanKindClient, attrs{"db.system.name": "redis", "server.address": "10.0.0.3"}, "a - redis - client database - 1"},
		"database by name":  {ptrace.SpanKindClient, attrs{"db.system.name": "redis", "server.address": "cache"}, "a - cache - client database - 1"},
		"broker":            {ptrace.SpanKindProducer, attrs{"messaging.system": "kafka"}, "a - kafka - client messaging_system - 1"},
		"consumer":          {ptrace.SpanKindConsumer, attrs{"messaging.system": "kafka"}, "unknown - a - server messaging_system - 1"},
		"somebody outside":  {ptrace.SpanKindServer, attrs{"http.request.method": "GET", "client.address": "198.51.100.7", "network.peer.address": "10.0.0.1"}, "internet - a - server virtual_node - 1"},
		"somebody invented": {ptrace.SpanKindServer, attrs{"http.request.method": "GET", "client.address": "payroll.internal", "network.peer.address": "198.51.100.7"}, "internet - a - server virtual_node - 1"},
		"a named network":   {ptrace.SpanKindServer, attrs{"http.request.method": "GET", "network.peer.address": "192.0.2.7"}, "office - a - server virtual_node - 1"},
		"a private network": {ptrace.SpanKindServer, attrs{"http.request.method": "GET", "network.peer.address": "192.168.7.7"}, "192.168.0.0/16 - a - server virtual_node - 1"},
		"nobody":            {ptrace.SpanKindServer, attrs{"http.request.method": "GET"}, "unknown - a - server virtual_node - 1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, withMap, func(c *Config) { c.ServiceMap.Networks = map[string][]string{"office": {"192.0.2.0/24"}} })
			r.consume(tracesOf(t, attrs{"service.name": "a"}, "", spanOf{tc.kind, time.Second, ptrace.StatusCodeUnset, tc.attrs}))
			require.Equal(t, []string{tc.want}, edgesOf(r.flush()))
			require.EqualValues(t, 1, r.edges.counts[edgeOutside].Load())
			require.Zero(t, r.edges.waiting.Len())
		})
	}
}

func TestRequestsWithinAPodAreNoEdges(t *testing.T) {
	r := newRig(t, withMap)
	r.consume(tracesOf(t, attrs{"service.name": "a", "k8s.pod.uid": "u"}, "", spanOf{
		kind: ptrace.SpanKindServer, attrs: attrs{"http.request.method": "GET", "network.peer.address": "127.0.0.6"},
	}))
	require.Empty(t, edgesOf(r.flush()))
}

func TestWaitingRequestsAreCountedAtShutdown(t *testing.T) {
	r := newRig(t, withMap)
	client, _ := spansOfCall(t, true, call{})
	r.consume(client)
	require.Equal(t, 1, r.edges.waiting.Len())
	r.engine.finish(t.Context())
	require.Equal(t, []string{"shop n unknown - client virtual_node - 1"}, edgesOf(rows(r.sink.take()...)))
	r.flush()
}

func TestEdgesOverflow(t *testing.T) {
	for _, names := range []func(*Config){withMap, withGraph} {
		r := newRig(t, names, func(c *Config) { c.CardinalityLimit.PerService = 3 })
		for i := range 10 {
			r.consume(tracesOf(t, attrs{"service.name": "a"}, "", spanOf{
				kind: ptrace.SpanKindClient, status: ptrace.StatusCodeError,
				attrs: attrs{"http.request.method": "GET", "service.peer.name": fmt.Sprint("p", i)},
			}))
		}
		counts, overflow := map[string]uint64{}, map[string]attrs{}
		for _, row := range r.flush() {
			counts[row.metric] += row.count
			if row.attrs["otel.metric.overflow"] == true {
				overflow[row.metric] = row.attrs
			}
		}
		for metric, n := range counts {
			require.EqualValues(t, 10, n, metric)
			require.Contains(t, overflow, metric)
		}
		if a, ok := overflow[metricEdge]; ok {
			require.Equal(t, attrs{"otel.metric.overflow": true, "error.type": "_OTHER", "sightglass.service_map.side": "client"}, a)
		}
	}
}

func TestServiceGraphNames(t *testing.T) {
	r := newRig(t, withGraph)
	client, server := spansOfCall(t, true, call{})
	r.consume(client)
	r.consume(server)
	r.consume(tracesOf(t, attrs{"service.name": "shop", "service.namespace": "n"}, "",
		spanOf{ptrace.SpanKindServer, time.Second, ptrace.StatusCodeError, attrs{"http.request.method": "GET", "network.peer.address": "198.51.100.7"}},
		spanOf{ptrace.SpanKindServer, time.Hour, ptrace.StatusCodeUnset, attrs{"http.request.method": "GET", "sightglass.request.class": "stream"}},
	))
	var got []string
	for _, row := range r.flush() {
		if strings.HasPrefix(row.metric, "traces_service_graph") {
			got = append(got, fmt.Sprint(row.metric, " ", row.attrs["client"], " ", row.attrs["server"], " ", row.attrs["connection_type"],
				" ", row.attrs["client_service_namespace"], " ", row.attrs["server_service_namespace"], " ", row.count))
		}
	}
	sort.Strings(got)
	require.Equal(t, []string{
		"traces_service_graph_request_client shop cart <nil> n n 1",
		"traces_service_graph_request_failed_total internet shop virtual_node <nil> n 1",
		"traces_service_graph_request_server internet shop virtual_node <nil> n 1",
		"traces_service_graph_request_server shop cart <nil> n n 1",
		"traces_service_graph_request_total internet shop virtual_node <nil> n 1",
		"traces_service_graph_request_total shop cart <nil> n n 1",
	}, got)
}

func TestServiceGraphHasExplicitBuckets(t *testing.T) {
	r := newRig(t, withGraph)
	client, _ := spansOfCall(t, false, call{client: attrs{"service.peer.name": "cart"}})
	r.consume(client)
	r.engine.flush(t.Context(), r.now.Add(time.Second))
	kinds := map[string]pmetric.MetricType{}
	for _, m := range r.sink.takeOne(t).ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		kinds[m.Name()] = m.Type()
	}
	require.Equal(t, map[string]pmetric.MetricType{
		"http.client.request.duration":        pmetric.MetricTypeExponentialHistogram,
		"traces_service_graph_request_client": pmetric.MetricTypeHistogram,
		"traces_service_graph_request_total":  pmetric.MetricTypeSum,
	}, kinds)
}

func TestTelemetryOfEdges(t *testing.T) {
	tt := componenttest.NewTelemetry()
	cfg := createDefaultConfig().(*Config)
	withMap(cfg)
	c, err := newTracesToMetrics(cfg, metadatatest.NewSettings(tt), new(sink))
	require.NoError(t, err)
	client, _ := spansOfCall(t, false, call{client: attrs{"service.peer.name": "cart"}})
	require.NoError(t, c.ConsumeTraces(t.Context(), client))
	client, _ = spansOfCall(t, false, call{})
	require.NoError(t, c.ConsumeTraces(t.Context(), client))
	mode, ignore := modeTracesToMetrics, metricdatatest.IgnoreTimestamp()
	metadatatest.AssertEqualConnectorServiceLatencyEdges(t, tt, []metricdata.DataPoint[int64]{
		point(mode, 1, "named"), point(mode, 0, "met"), point(mode, 0, "outside"),
	}, ignore)
	metadatatest.AssertEqualConnectorServiceLatencyEdgesWaiting(t, tt, []metricdata.DataPoint[int64]{point(mode, 1)}, ignore)
	require.NoError(t, c.Shutdown(t.Context()))
	require.NoError(t, tt.Shutdown(t.Context()))
}
