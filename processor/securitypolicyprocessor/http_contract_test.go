package securitypolicyprocessor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// receivedAlert is what receivers of Falco's alerts read of one, by the types
// that they give it: falcosidekick for its outputs, test tools for the verdict.
type receivedAlert struct {
	Output       string         `json:"output"`
	Priority     string         `json:"priority"`
	Rule         string         `json:"rule"`
	Time         time.Time      `json:"time"`
	OutputFields map[string]any `json:"output_fields"`
	Source       string         `json:"source"`
	Tags         []string       `json:"tags"`
	Hostname     string         `json:"hostname"`
}

// priorities as receivers compare them, without regard to case.
var priorities = []string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}

// contractRules has a rule of every priority, without tags and with all kinds
// of values.
func contractRules() string {
	var b strings.Builder
	for i, p := range priorities {
		fmt.Fprintf(&b, `
- rule: Rule %d
  desc: x
  condition: evt.type = execve
  output: '"quoted" \ %%proc.name %%proc.tty %%proc.is_exe_upper_layer %%proc.pname %%evt.time %%proc.aname %%proc.pid %%k8s.ns.name'
  priority: %s
`, i, p)
	}
	return b.String()
}

// TestHTTPOutputContract: whatever priority, and for the processor's own notices
// too, an alert passes the checks that receivers make before they take one.
func TestHTTPOutputContract(t *testing.T) {
	server := newAlertServer(t, httptest.NewServer)
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, []byte(contractRules()), 0o600))
	cfg := testConfig(func(c *Config) {
		c.RulesFiles, c.RuleMatching = []string{file}, matchAll
		c.RateLimit = RateLimitConfig{Burst: 1, Interval: time.Hour}
		c.HTTPOutput.Endpoint = server.URL
		c.AppendOutput = []AppendOutputConfig{{SuggestedOutput: true, ExtraFields: []any{"proc.env"}}}
	})
	proc, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, proc.Start(t.Context(), componenttest.NewNopHost()))
	plain, inPod := execRecord(t), execRecord(t)
	inPod.ResourceLogs().At(0).Resource().Attributes().PutStr(schema.K8sNamespaceName, "prod")
	require.NoError(t, proc.ConsumeLogs(t.Context(), plain))
	require.NoError(t, proc.ConsumeLogs(t.Context(), inPod))
	require.NoError(t, proc.Shutdown(context.WithoutCancel(t.Context())))

	var seen []string
	for _, body := range server.bodies {
		var a receivedAlert
		dec := json.NewDecoder(strings.NewReader(strings.TrimPrefix(body, "POST ")))
		dec.UseNumber()
		dec.DisallowUnknownFields()
		require.NoError(t, dec.Decode(&a), body)
		require.False(t, dec.More(), "one object: %s", body)
		requireAcceptable(t, &a)
		seen = append(seen, strings.ToLower(a.Priority))
	}
	for _, p := range priorities {
		require.Contains(t, seen, p)
	}
	require.Greater(t, len(seen), len(priorities), "notices of what was suppressed come too")
}

// requireAcceptable makes the checks of receivers.
func requireAcceptable(t *testing.T, a *receivedAlert) {
	t.Helper()
	require.NotEmpty(t, a.Rule)
	require.NotEmpty(t, a.Source)
	require.NotEmpty(t, a.Hostname)
	require.Contains(t, priorities, strings.ToLower(a.Priority))
	require.False(t, a.Time.IsZero())
	require.Equal(t, time.UTC, a.Time.Location())
	require.True(t, slices.IsSorted(a.Tags))
	// Receivers cut the time and the priority off the text by this form.
	require.Regexp(t, `^\d\d:\d\d:\d\d\.\d{9}: `+a.Priority+` \S`, a.Output)
	require.NotEmpty(t, a.OutputFields)
	nanoseconds, ok := a.OutputFields["evt.time"].(json.Number)
	require.True(t, ok)
	require.Equal(t, fmt.Sprint(a.Time.UnixNano()), nanoseconds.String())
	for key, value := range a.OutputFields {
		switch value.(type) {
		case nil, string, json.Number, bool:
		default:
			t.Errorf("%s is a %T, which receivers do not know", key, value)
		}
	}
	for _, key := range []string{"k8s.ns.name", "k8s.pod.name", "container.id", "proc.env"} {
		if value := a.OutputFields[key]; value != nil {
			require.IsType(t, "", value, key)
		}
	}
}
