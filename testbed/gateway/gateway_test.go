package gateway

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/sightglass/sightglass/config"
	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

const (
	agents, gateways = 3, 2
	services         = 12
	rounds           = 6 // times that every agent sends a request of every service
)

// tier is everything between the spans and the back end.
type tier struct {
	binary    string
	mutual    [3]string // the agents' authority, certificate and key
	ca        *authority
	back      *sink.Server
	seen      totals
	addresses []string // of gateways
	running   []*agent.Agent
}

// TestScaleOut sends spans through three agents, a balancer and two gateways, one
// of which is restarted meanwhile, and finds each request counted once.
func TestScaleOut(t *testing.T) {
	tr := newTier(t)
	for range gateways {
		tr.addresses = append(tr.addresses, freeport.Address(t))
	}
	for i := range gateways {
		tr.startGateway(t, i)
	}
	balancer := tr.startBalancer(t)
	var into []string
	for range agents {
		into = append(into, tr.startAgent(t, balancer))
	}
	for round := range rounds {
		for _, address := range into {
			post(t, address)
		}
		time.Sleep(400 * time.Millisecond)
		switch round {
		case 1:
			require.NoError(t, tr.running[1].Stop())
		case 3:
			tr.startGateway(t, 1)
		}
	}
	require.Eventually(t, func() bool { return tr.seen.all() >= agents*services*rounds }, 90*time.Second, 100*time.Millisecond,
		"%s", &tr.seen)
	time.Sleep(2 * time.Second) // what would come twice
	for service, n := range tr.seen.byService() {
		require.EqualValues(t, agents*rounds, n, service)
	}
	require.Len(t, tr.seen.byService(), services)
	require.Empty(t, tr.seen.foreign, "attributes of writers are left")
}

// TestMutualTLSRefusesStrangers connects without a certificate.
func TestMutualTLSRefusesStrangers(t *testing.T) {
	tr := newTier(t)
	tr.addresses = []string{freeport.Address(t)}
	address := tr.startGateway(t, 0)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: tr.ca.trusting()}}
	resp, err := client.Post("https://"+address+"/v1/traces", "application/x-protobuf", nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.ErrorContains(t, err, "certificate required")
}

func newTier(t *testing.T) *tier {
	t.Helper()
	tr := &tier{binary: os.Getenv("SIGHTGLASS_BINARY"), ca: newAuthority(t)}
	if tr.binary == "" {
		t.Skip("SIGHTGLASS_BINARY does not name the agent's binary: make test does")
	}
	tr.seen.last = map[string]uint64{}
	var err error
	tr.back, err = sink.Start(t.Context(), sink.Consumers{Metrics: tr.seen.take})
	require.NoError(t, err)
	t.Cleanup(func() { tr.back.Stop(t.Context()) })
	serverCert, serverKey := tr.ca.issue(t, "gateway")
	clientCert, clientKey := tr.ca.issue(t, "agent")
	for name, value := range map[string]string{
		"SIGHTGLASS_LISTEN_ADDRESS": "127.0.0.1", "SIGHTGLASS_TLS_CERTIFICATE": serverCert, "SIGHTGLASS_TLS_KEY": serverKey,
		"SIGHTGLASS_TLS_CLIENT_CA": tr.ca.file, "SIGHTGLASS_GATEWAY_NAME": "gateway", "SIGHTGLASS_TEMPORALITY": "delta",
	} {
		t.Setenv(name, value)
	}
	tr.mutual = [3]string{tr.ca.file, clientCert, clientKey}
	return tr
}

// exportBy sets how the next process exports: by these files, or without
// encryption where there are none, to the back end of the test.
func exportBy(t *testing.T, files [3]string) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", files[0])
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", files[1])
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", files[2])
	t.Setenv("OTEL_EXPORTER_OTLP_INSECURE", strconv.FormatBool(files[0] == ""))
}

// local replaces what only one process on a machine can have.
const local = "service: {extensions: [], telemetry: {metrics: {level: none, readers: []}}}\n"

func (tr *tier) start(t *testing.T, text, endpoint string, overlays ...string) *agent.Agent {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
	a, err := agent.Start(t.Context(), tr.binary, []byte(text), endpoint, append(overlays, local)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = a.Stop()
		if t.Failed() {
			t.Log(a.Log())
		}
	})
	return a
}

// startGateway runs the i-th gateway and returns its address for HTTP.
func (tr *tier) startGateway(t *testing.T, i int) string {
	t.Helper()
	web := freeport.Address(t)
	exportBy(t, [3]string{})
	a := tr.start(t, config.Gateway, tr.back.Endpoint, config.MutualTLS, listen(tr.addresses[i], web),
		"connectors: {service_latency: {metrics_flush_interval: 300ms}}\n")
	if i < len(tr.running) {
		tr.running[i] = a
	} else {
		tr.running = append(tr.running, a)
	}
	return web
}

// startBalancer runs the tier and returns its address.
func (tr *tier) startBalancer(t *testing.T) string {
	t.Helper()
	address := freeport.Address(t)
	exportBy(t, tr.mutual)
	tr.start(t, config.Balancer, tr.back.Endpoint, config.MutualTLS, listen(address, freeport.Address(t)),
		fmt.Sprintf("exporters: {load_balancing: {resolver: {dns: null, static: {hostnames: [%q, %q]}}, "+
			"retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}}}\n", tr.addresses[0], tr.addresses[1]))
	return address
}

// startAgent runs a host's agent with OTLP in the place of the kernel, and
// returns its address for HTTP.
func (tr *tier) startAgent(t *testing.T, balancer string) string {
	t.Helper()
	web := freeport.Address(t)
	exportBy(t, tr.mutual)
	tr.start(t, config.Host, balancer, listen(freeport.Address(t), web), `
connectors: {service_latency: {metrics_flush_interval: 200ms}}
exporters: {nop: {}}
service:
  pipelines:
    logs: {receivers: [service_latency], processors: [], exporters: [nop]}
    traces: {receivers: [otlp]}
    traces/export: {exporters: [nop]}
    metrics: {receivers: [service_latency]}
`)
	return web
}

func listen(grpc, web string) string {
	return fmt.Sprintf("receivers: {otlp: {protocols: {grpc: {endpoint: %q}, http: {endpoint: %q}}}}\n", grpc, web)
}

// post sends a request of every service.
func post(t *testing.T, address string) {
	t.Helper()
	td := ptrace.NewTraces()
	for i := range services {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", fmt.Sprint("service-", i))
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetKind(ptrace.SpanKindServer)
		var id [16]byte
		_, _ = rand.Read(id[:])
		span.SetTraceID(id)
		span.SetSpanID([8]byte(id[:8]))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Millisecond * time.Duration(i+1))))
		span.Attributes().PutStr("http.request.method", "GET")
	}
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	resp, err := http.Post("http://"+address+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// totals are the counts that the back end holds: the last of every series, where
// another start time is another series.
type totals struct {
	mu      sync.Mutex
	last    map[string]uint64 // "service start" -> count
	foreign []string          // attributes that gateways should have removed
}

func (c *totals) take(md pmetric.Metrics, _ time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rm := range md.ResourceMetrics().All() {
		resource := rm.Resource().Attributes()
		for _, name := range []string{"host.id", "host.name", "sightglass.writer.id"} {
			if _, ok := resource.Get(name); ok {
				c.foreign = append(c.foreign, name)
			}
		}
		service, _ := resource.Get("service.name")
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range m.ExponentialHistogram().DataPoints().All() {
					c.last[fmt.Sprint(service.Str(), " ", p.StartTimestamp())] = p.Count()
				}
			}
		}
	}
}

func (c *totals) byService() map[string]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	sums := map[string]uint64{}
	for key, n := range c.last {
		var service string
		_, _ = fmt.Sscan(key, &service)
		sums[service] += n
	}
	return sums
}

func (c *totals) all() (n uint64) {
	for _, sum := range c.byService() {
		n += sum
	}
	return n
}

func (c *totals) String() string { return fmt.Sprint(c.byService()) }
