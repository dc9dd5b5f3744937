//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

// roleEnv makes the test binary a server or a client of its own: what the agent
// itself does is not told.
const roleEnv = "SIGHTGLASS_TEST_ROLE"

// TestHelperProcess is no test: see roleEnv.
func TestHelperProcess(t *testing.T) {
	switch role := os.Getenv(roleEnv); role {
	case "":
		t.Skip("runs only as another test's child")
	case "server", "tls-server", "h2-server":
		start := httptest.NewServer
		switch role {
		case "tls-server":
			start = httptest.NewTLSServer
		case "h2-server":
			start = newHTTP2Server
		}
		s := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/held" {
				<-r.Context().Done() // until the client gives up
				return
			}
			if strings.Contains(r.URL.Path, "/missing") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = fmt.Fprint(w, "hello")
		}))
		fmt.Println(s.URL)
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
	case "fastcgi-server":
		serveFastCGI(t)
	case "nested":
		serveNested(t)
	case "grpc-server":
		serveGRPC(t)
	case "grpc-client":
		callGRPC(t)
	default: // a URL
		http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // test servers make theirs up
		http.DefaultTransport.(*http.Transport).ForceAttemptHTTP2 = true
		defer http.DefaultClient.CloseIdleConnections()
		for _, path := range []string{"/users/17", "/missing"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, role+path, nil)
			require.NoError(t, err)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		// A client that ended before the agent looked would bear its parent's name.
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	}
}

// newHTTP2Server is httptest.NewTLSServer that offers HTTP/2, too.
func newHTTP2Server(handler http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

// helper runs the test binary in a role.
func helper(t *testing.T, role, service string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "-test.run=^TestHelperProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), roleEnv+"="+role, "OTEL_SERVICE_NAME="+service)
	return cmd
}

// startServer runs an HTTP server in a process of its own.
func startServer(t *testing.T, service string) string { return startServerAs(t, "server", service) }

func startServerAs(t *testing.T, role, service string) string {
	t.Helper()
	cmd := helper(t, role, service)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(url)
}

// startClient runs an HTTP client in a process of its own.
func startClient(t *testing.T, url, service string) {
	t.Helper()
	cmd := helper(t, url, service)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
}

// describe lists what there is, for the log of a test that failed.
func (l *live) describe() string {
	var b strings.Builder
	for _, batch := range l.traces.AllTraces() {
		for _, rs := range batch.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				fmt.Fprintf(&b, "%s %s %s %v\n", valueOf(rs.Resource().Attributes(), schema.ServiceName), span.Kind(), span.Name(), span.Attributes().AsRaw())
			}
		}
	}
	if l.running != nil {
		fmt.Fprintf(&b, "requests %+v\n", l.running.report.snapshot(l.running.report.stats()))
	}
	return b.String()
}

// span waits for a span of a service.
func (l *live) span(t *testing.T, service string, match func(ptrace.Span) bool) ptrace.Span {
	t.Helper()
	var out ptrace.Span
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(l.describe())
		}
	})
	require.Eventually(t, func() bool {
		for _, batch := range l.traces.AllTraces() {
			for _, rs := range batch.ResourceSpans().All() {
				if name, ok := rs.Resource().Attributes().Get(schema.ServiceName); !ok || name.Str() != service {
					continue
				}
				for _, span := range rs.ScopeSpans().At(0).Spans().All() {
					if match(span) {
						out = span
						return true
					}
				}
			}
		}
		return false
	}, patience, pollInterval, "no such span of %s", service)
	return out
}

func valueOf(m pcommon.Map, key string) string {
	v, ok := m.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

func TestLiveRequests(t *testing.T) {
	l := newLive(t, nil)
	old := startServer(t, "old-shop") // runs before the agent
	l.start(t)
	url := startServer(t, "shop")
	startClient(t, url, "buyer")
	startClient(t, old, "buyer")

	served := func(path string) func(ptrace.Span) bool {
		return func(s ptrace.Span) bool {
			return s.Kind() == ptrace.SpanKindServer && valueOf(s.Attributes(), schema.URLPath) == path
		}
	}
	span := l.span(t, "shop", served("/users/17"))
	require.Equal(t, "200", valueOf(span.Attributes(), schema.HTTPResponseStatusCode))
	require.Greater(t, span.EndTimestamp(), span.StartTimestamp())
	span = l.span(t, "shop", served("/missing"))
	require.Equal(t, "404", valueOf(span.Attributes(), schema.HTTPResponseStatusCode))
	span = l.span(t, "buyer", func(s ptrace.Span) bool { return s.Kind() == ptrace.SpanKindClient })
	require.Equal(t, http.MethodGet, valueOf(span.Attributes(), schema.HTTPRequestMethod))
	l.span(t, "old-shop", served("/users/17"))
}

// A request that has not ended is told by the metric alone.
func TestLiveActiveRequests(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	url := startServer(t, "slow-shop")
	client := exec.Command("curl", "-s", url+"/held")
	require.NoError(t, client.Start())
	t.Cleanup(func() { _ = client.Process.Kill(); _ = client.Wait() })
	l.point(t, "slow-shop", schema.MetricActiveRequests, func(dp pmetric.NumberDataPoint) bool {
		return dp.IntValue() == 1 && valueOf(dp.Attributes(), schema.HTTPRequestMethod) == http.MethodGet
	})
}

// What is seen and not decoded is told.
func TestLiveOpaque(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	url := startServerAs(t, "tls-server", "sealed-shop")
	require.NoError(t, exec.Command("curl", "-skf", url+"/").Run())
	l.point(t, "sealed-shop", schema.MetricOpaqueConnections, func(dp pmetric.NumberDataPoint) bool {
		return dp.IntValue() == 1 && valueOf(dp.Attributes(), schema.NetworkProtocolName) == "tls" && valueOf(dp.Attributes(), schema.ReasonAttr) == "tls"
	})
}

// point waits for a data point of a service.
func (l *live) point(t *testing.T, service, name string, match func(pmetric.NumberDataPoint) bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, batch := range l.metrics.AllMetrics() {
			for _, rm := range batch.ResourceMetrics().All() {
				if valueOf(rm.Resource().Attributes(), schema.ServiceName) != service {
					continue
				}
				m := rm.ScopeMetrics().At(0).Metrics().At(0)
				if m.Name() == name && slices.ContainsFunc(slices.Collect(points(m)), match) {
					return true
				}
			}
		}
		return false
	}, patience, pollInterval, "no such %s of %s", name, service)
}

func points(m pmetric.Metric) iter.Seq[pmetric.NumberDataPoint] {
	return func(yield func(pmetric.NumberDataPoint) bool) {
		for _, dp := range m.Sum().DataPoints().All() {
			if !yield(dp) {
				return
			}
		}
	}
}
