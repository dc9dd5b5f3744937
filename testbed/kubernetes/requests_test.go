package kubernetes

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

// request is a span of a pod, by what tells which other span is about the same.
type request struct {
	kind       ptrace.SpanKind
	start, end pcommon.Timestamp
	query      string
	client     string // its address and port as this end knows them
	resource   map[string]any
}

// series is a histogram of one service.
type series struct{ metric, service, stream string }

func (c *cluster) takeSpans(traces ptrace.Traces, _ time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range traces.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				attrs := span.Attributes()
				query, end := attrs.AsRaw()[schema.URLQuery], [2]string{schema.NetworkPeerAddress, schema.NetworkPeerPort}
				if span.Kind() == ptrace.SpanKindClient {
					_, query, _ = strings.Cut(fmt.Sprint(attrs.AsRaw()[schema.URLFull]), "?")
					end = [2]string{schema.NetworkLocalAddress, schema.NetworkLocalPort}
				}
				c.spans = append(c.spans, request{
					span.Kind(), span.StartTimestamp(), span.EndTimestamp(), fmt.Sprint(query),
					net.JoinHostPort(fmt.Sprint(attrs.AsRaw()[end[0]]), fmt.Sprint(attrs.AsRaw()[end[1]])), rs.Resource().Attributes().AsRaw(),
				})
			}
		}
	}
}

func (c *cluster) takeMetrics(metrics pmetric.Metrics, _ time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rm := range metrics.ResourceMetrics().All() {
		service := fmt.Sprint(rm.Resource().Attributes().AsRaw()[schema.ServiceName])
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() != pmetric.MetricTypeExponentialHistogram {
					continue
				}
				for _, point := range m.ExponentialHistogram().DataPoints().All() {
					stream := fmt.Sprint(rm.Resource().Attributes().AsRaw(), point.Attributes().AsRaw())
					c.durations[series{m.Name(), service, stream}] = point.Count()
				}
			}
		}
	}
}

// orders are the spans of one kind that the job's requests have, by the request.
func (c *cluster) orders(kind ptrace.SpanKind) map[string][]request {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string][]request{}
	for _, r := range c.spans {
		if r.kind == kind && strings.HasPrefix(r.query, "order=") {
			out[r.query] = append(out[r.query], r)
		}
	}
	return out
}

// measured is how many requests the histograms of a service have.
func (c *cluster) measured(metric, service string) (n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, count := range c.durations {
		if s.metric == metric && s.service == service {
			n += count
		}
	}
	return n
}

// testRequests: each request of a job to a service's address is one span in the
// job's pod and one in a pod of the service, which is known by both ends' view of
// the connection, and within it.
func testRequests(t *testing.T, c *cluster, made int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return len(c.orders(ptrace.SpanKindClient)) >= made && len(c.orders(ptrace.SpanKindServer)) >= made
	}, patience, pause)
	clients, servers := c.orders(ptrace.SpanKindClient), c.orders(ptrace.SpanKindServer)
	require.Len(t, clients, made)
	require.Len(t, servers, made)
	pods := map[any]bool{}
	for query, asked := range clients {
		answered := servers[query]
		require.Len(t, asked, 1, query)
		require.Len(t, answered, 1, query)
		require.Equal(t, asked[0].client, answered[0].client, query)
		require.LessOrEqual(t, asked[0].start, answered[0].start, query)
		require.GreaterOrEqual(t, asked[0].end, answered[0].end, query)
		require.Equal(t, "sightglass-shop", asked[0].resource[schema.K8sNamespaceName])
		require.Contains(t, asked[0].resource[schema.K8sPodName], "order-")
		require.Equal(t, "server", answered[0].resource[schema.ServiceName])
		require.Equal(t, "sightglass-shop", answered[0].resource[schema.ServiceNamespace])
		require.Equal(t, "main", answered[0].resource[schema.K8sContainerName])
		pods[answered[0].resource[schema.K8sPodName]] = true
	}
	require.Len(t, pods, 2, "the pods that the service spreads requests over")
	job := fmt.Sprint(clients["order=1"][0].resource[schema.ServiceName])
	require.Eventually(t, func() bool { return c.measured(schema.MetricHTTPClientDuration, job) == uint64(made) }, patience, pause, "requests of the service %s", job)
	require.Eventually(t, func() bool { return c.measured(schema.MetricHTTPServerDuration, "server") >= uint64(made) }, patience, pause)
}
