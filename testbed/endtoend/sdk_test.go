package endtoend

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/sightglass/sightglass/internal/schema"
)

// exportEnv names the back end of a service with an SDK of its own.
const exportEnv = "SIGHTGLASS_TEST_EXPORT"

// TestInstrumentedService is that service, in a process of its own.
func TestInstrumentedService(t *testing.T) {
	endpoint := os.Getenv(exportEnv)
	if endpoint == "" {
		t.Skip("run by TestKindsOfRequests")
	}
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(endpoint))
	require.NoError(t, err)
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter, trace.WithBatchTimeout(100*time.Millisecond)))
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "ok") })
	server := httptest.NewServer(otelhttp.NewHandler(handler, "shop", otelhttp.WithTracerProvider(provider)))
	fmt.Println(server.URL)
	select {} // until it is killed
}

// testSDK: a service that makes spans of its own is recognised by their export, and
// ours of the same requests are marked from then on.
func (k kinds) testSDK(t *testing.T) {
	needs(t, "curl")
	exports := make(chan struct{}, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { exports <- struct{}{} }))
	t.Cleanup(collector.Close)
	t.Setenv(exportEnv, collector.URL+"/v1/traces")
	self, err := os.Executable()
	require.NoError(t, err)
	service := k.program(t, "traced-shop", self, "-test.run=^TestInstrumentedService$")
	url, word := service.line(t), marker()
	marked := func(it *item) bool {
		return it.kind == "Server" && mentions(it, schema.URLPath, word) && it.attrs[schema.RequestInstrumented] == true
	}
	run(t, "curl", "-s", url+"/"+word)
	<-exports
	require.Eventually(t, func() bool { // its export has to become a span first
		run(t, "curl", "-s", url+"/"+word)
		return k.find(spans, marked) != nil
	}, patience, 10*pollInterval)
	plain := k.program(t, "plain-shop", python, "testdata/kinds.py")
	run(t, "curl", "-s", "http://"+plain.line(t)+"/"+word)
	it := k.wait(t, spans, "the span of the service without an SDK", func(it *item) bool {
		return it.kind == "Server" && mentions(it, schema.URLPath, word) && it.resource[schema.ServiceName] == "plain-shop"
	})
	require.NotContains(t, it.attrs, schema.RequestInstrumented)
}
