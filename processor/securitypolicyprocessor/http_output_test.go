package securitypolicyprocessor

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadatatest"
)

// alertServer takes alerts as falcosidekick does.
type alertServer struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
}

func newAlertServer(t *testing.T, listen func(http.Handler) *httptest.Server) *alertServer {
	t.Helper()
	s := &alertServer{}
	s.Server = listen(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.bodies = append(s.bodies, r.Method+" "+string(body))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *alertServer) alerts(t *testing.T) []map[string]any {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []map[string]any
	for _, b := range s.bodies {
		body, ok := strings.CutPrefix(b, "POST ")
		require.True(t, ok, b)
		dec := json.NewDecoder(strings.NewReader(body))
		dec.UseNumber()
		var one map[string]any
		require.NoError(t, dec.Decode(&one), b)
		out = append(out, one)
	}
	return out
}

const envRule = `
- rule: Program started
  desc: x
  condition: evt.type = execve
  output: started (command=%proc.cmdline tty=%proc.tty upper=%proc.is_exe_upper_layer parent=%proc.pname flags=%evt.arg.flags)
  priority: INFO
  tags: [T1059, process]
`

// execRecord is the record of a program with a secret in its environment.
func execRecord(t *testing.T) plog.Logs {
	t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(schema.HostName, "node-7")
	rl.Resource().Attributes().PutStr(schema.ContainerID, strings.Repeat("ab", 32))
	rl.Resource().Attributes().PutStr(schema.ContainerImageName, "registry.example/app")
	rec := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	rec.SetEventName(schema.EventProcessExec)
	rec.SetTimestamp(1_795_359_630_862_481_352)
	require.NoError(t, rec.Attributes().FromRaw(map[string]any{
		schema.SyscallName: "execve", schema.ProcessName: "curl", schema.ProcessTTY: int64(34816), schema.ProcessUpperLayer: true,
		schema.ProcessCommandArgs: []any{"curl", "-u", "bob:hunter2", "http://x/"},
		schema.ProcessEnvironment: []any{"PATH=/bin", "FALCO_EVENT_GENERATOR_TEST_ID=5f0c9dd2-6a0b-4a3e-8f2c-000000000001", "DB_PASSWORD=hunter2"},
	}))
	return ld
}

func TestHTTPOutputIsFalcosJSON(t *testing.T) {
	server := newAlertServer(t, httptest.NewServer)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(envRule), 0o600))
	sink := new(consumertest.LogsSink)
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	cfg := testConfig(func(c *Config) {
		c.RulesFiles, c.Keep = []string{rules}, nil
		c.HTTPOutput.Endpoint = server.URL + "/"
		c.AppendOutput = []AppendOutputConfig{
			{SuggestedOutput: true, ExtraFields: []any{"proc.env", map[string]any{"who": "<%proc.name>"}}},
			{Match: AppendMatchConfig{Tags: []string{"network"}}, ExtraOutput: "not here"},
		}
	})
	proc, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(tel), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, proc.ConsumeLogs(t.Context(), execRecord(t)))
	require.NoError(t, proc.Shutdown(t.Context()))

	alerts := server.alerts(t)
	require.Len(t, alerts, 1)
	got := alerts[0]
	message := "Informational started (command=curl -u bob:*** http://x/ tty=34816 upper=true parent=<NA> flags=EXE_UPPER_LAYER)" +
		" container_id=abababababab container_name=<NA> container_image_repository=registry.example/app container_image_tag= k8s_pod_name=<NA> k8s_ns_name=<NA>"
	require.Regexp(t, `^\d\d:\d\d:30\.862481352: `+regexp.QuoteMeta(message)+"$", got["output"])
	delete(got, "output")
	require.Equal(t, map[string]any{
		"hostname": "node-7", "priority": "Informational", "rule": "Program started", "source": "syscall",
		"tags": []any{"T1059", "process"}, "time": "2026-11-22T15:00:30.862481352Z",
		"output_fields": map[string]any{
			"evt.time": json.Number("1795359630862481352"), "evt.arg.flags": "EXE_UPPER_LAYER",
			"proc.cmdline": "curl -u bob:*** http://x/", "proc.tty": json.Number("34816"), "proc.is_exe_upper_layer": true,
			"proc.pname": nil, "container.id": "abababababab", "container.name": nil,
			"container.image.repository": "registry.example/app", "container.image.tag": "", "k8s.pod.name": nil, "k8s.ns.name": nil,
			"proc.env": "PATH=/bin FALCO_EVENT_GENERATOR_TEST_ID=5f0c9dd2-6a0b-4a3e-8f2c-000000000001 DB_PASSWORD=***",
			"who":      "<curl>",
		},
	}, got)

	require.Equal(t, 1, sink.LogRecordCount(), "the detection itself passes on as ever")
	detection := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	env, _ := detection.Attributes().Get(schema.PolicyField + "proc.env")
	require.Contains(t, env.Str(), "FALCO_EVENT_GENERATOR_TEST_ID")
	require.NotContains(t, env.Str(), "hunter2")
	metadatatest.AssertEqualProcessorSecurityPolicyAlertsSent(t, tel, []metricdata.DataPoint[int64]{points(1)}, metricdatatest.IgnoreTimestamp())
}

func TestHTTPOutputOverTLS(t *testing.T) {
	server := newAlertServer(t, httptest.NewTLSServer)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	for name, tt := range map[string]struct {
		ca   string
		want int
	}{"trusted": {ca, 1}, "of somebody else": {"", 0}} {
		t.Run(name, func(t *testing.T) {
			server.bodies = nil
			proc := started(t, testConfig(func(c *Config) {
				c.HTTPOutput.Endpoint, c.HTTPOutput.TLS.CAFile, c.HTTPOutput.Retry.Enabled = server.URL, tt.ca, false
			}), consumertest.NewNop())
			require.NoError(t, proc.ConsumeLogs(t.Context(), flood(1)))
			require.NoError(t, proc.Shutdown(t.Context()))
			require.Len(t, server.alerts(t), tt.want)
		})
	}
	cfg := testConfig(func(c *Config) { c.HTTPOutput.Endpoint, c.HTTPOutput.TLS.CAFile = server.URL, ca+".absent" })
	proc, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(componenttest.NewTelemetry()), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, proc.Start(t.Context(), componenttest.NewNopHost()), "http_output")
	require.NoError(t, proc.Shutdown(t.Context()))
}

// Every match is suppressed, sent or dropped; what was suppressed is told.
func TestHTTPOutputBalances(t *testing.T) {
	server := newAlertServer(t, httptest.NewServer)
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	cfg := testConfig(func(c *Config) {
		c.HTTPOutput.Endpoint, c.HTTPOutput.QueueSize = server.URL, 100
		c.RateLimit = RateLimitConfig{Burst: 7, Interval: time.Hour}
	})
	proc, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(tel), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, proc.ConsumeLogs(t.Context(), flood(10)))
	require.NoError(t, proc.Shutdown(t.Context()))

	alerts := server.alerts(t)
	require.Len(t, alerts, 8)
	last := alerts[7]
	require.Equal(t, "internal", last["source"])
	require.Equal(t, suppressedRule, last["rule"])
	require.Equal(t, "Warning", last["priority"])
	fields, _ := last["output_fields"].(map[string]any)
	require.Equal(t, json.Number("3"), fields[schema.PolicySuppressed])
	require.Equal(t, "Secret read", fields[schema.RuleName])
	require.Contains(t, last["output"], `3 further matches of "Secret read"`)
	require.NotEmpty(t, last["hostname"], "this machine's, since the record names none")
	metadatatest.AssertEqualProcessorSecurityPolicyAlertsSent(t, tel, []metricdata.DataPoint[int64]{points(8)}, metricdatatest.IgnoreTimestamp())
}

func TestHTTPOutputToNobodyEndsInTime(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) })
	sink := new(consumertest.LogsSink)
	cfg := testConfig(func(c *Config) {
		c.HTTPOutput.Endpoint, c.HTTPOutput.QueueSize = "http://127.0.0.1:1/", 4
		c.HTTPOutput.ShutdownTimeout = 50 * time.Millisecond
	})
	proc, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(tel), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, proc.ConsumeLogs(t.Context(), flood(50)))
	require.Equal(t, 50, sink.LogRecordCount(), "detections do not wait for the server")
	require.ErrorIs(t, proc.Shutdown(t.Context()), context.DeadlineExceeded)

	got, err := tel.GetMetric("otelcol_processor_security_policy_alerts_dropped")
	require.NoError(t, err)
	sum, ok := got.Data.(metricdata.Sum[int64])
	require.True(t, ok)
	total := int64(0)
	for _, p := range sum.DataPoints {
		total += p.Value
		reason, _ := p.Attributes.Value(attribute.Key("reason"))
		require.Contains(t, []string{"queue_full", "shutdown"}, reason.AsString())
	}
	require.EqualValues(t, 50, total)
}

func TestMaskJSON(t *testing.T) {
	for value, want := range map[string]string{
		`"x --password hunter2"`: `"x --password ***"`,
		`"a \"b\"\n"`:            `"a \"b\"\n"`,
		`["--token","abc"]`:      `["--token","***"]`,
		`["a","b"]`:              `["a","b"]`,
		`[]`:                     `[]`,
		`null`:                   `null`,
		`17`:                     `17`,
		`true`:                   `true`,
	} {
		require.Equal(t, want, string(maskJSON([]byte(value))), value)
	}
}
