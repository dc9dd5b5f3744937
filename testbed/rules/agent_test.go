package rules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// binaryEnv names the agent under test; 'make test' builds it and sets this.
const binaryEnv = "SIGHTGLASS_BINARY"

// patience is how long a test waits for what should take a second, on a machine
// that may be very busy, and how often it looks.
const patience, pollInterval = 90 * time.Second, 20 * time.Millisecond

const config = `
receivers:
  ebpf: {}
processors:
  security_policy:
    rules_files: [%s]
    rule_matching: %s
    keep: []
    rate_limit: {burst: 0}
exporters:
  otlp_grpc:
    endpoint: ${env:SIGHTGLASS_TESTBED_ENDPOINT}
    tls: {insecure: true}
service:
  telemetry:
    metrics: {level: none}
  pipelines:
    logs:
      receivers: [ebpf]
      processors: [security_policy]
      exporters: [otlp_grpc]
`

// detection is one that reached the back end.
type detection struct {
	rule, output string
	by           []string // names of the acting process and its ancestors
	container    string
}

// String is what a failing test shows.
func (d *detection) String() string {
	return fmt.Sprintf("%s: %s (%s in %q)", d.rule, d.output, strings.Join(d.by, " < "), d.container)
}

// watcher is the agent with a set of rules, and what it has detected.
type watcher struct {
	mu    sync.Mutex
	all   []*detection
	steps []*detection // further steps of acts that were told
}

// agentBinary is the agent under test; without one the test is skipped.
func agentBinary(t *testing.T) string {
	t.Helper()
	binary := os.Getenv(binaryEnv)
	if binary == "" {
		t.Skipf("%s is not set: 'make test' builds the agent and sets it", binaryEnv)
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to load eBPF programs")
	}
	return binary
}

// watch starts an agent that evaluates rule files; none means its own. Every rule
// that matches an event fires.
func watch(t *testing.T, binary string, files ...string) *watcher {
	t.Helper()
	return watchMatching(t, binary, "all", files...)
}

func watchMatching(t *testing.T, binary, matching string, files ...string) *watcher {
	t.Helper()
	w := &watcher{}
	server, err := sink.Start(t.Context(), sink.Consumers{Logs: w.take})
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop(t.Context()) })
	a, err := agent.Start(t.Context(), binary, fmt.Appendf(nil, config, strings.Join(files, ", "), matching), server.Endpoint)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the agent's log:\n%s", a.Log())
		}
		a.Kill()
	})
	return w
}

func (w *watcher) take(ld plog.Logs, _ time.Time) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				switch rec.EventName() {
				case schema.EventPolicyMatch:
					w.add(&w.all, newDetection(rl.Resource().Attributes(), rec))
				case schema.EventPolicyStep:
					w.add(&w.steps, newDetection(rl.Resource().Attributes(), rec))
				}
			}
		}
	}
}

func newDetection(resource pcommon.Map, rec plog.LogRecord) *detection {
	text := func(m pcommon.Map, key string) string {
		if v, ok := m.Get(key); ok {
			return v.AsString()
		}
		return ""
	}
	d := &detection{
		rule: text(rec.Attributes(), schema.RuleName), output: rec.Body().AsString(),
		by: []string{text(rec.Attributes(), schema.ProcessName)}, container: text(resource, schema.ContainerID),
	}
	if list, ok := rec.Attributes().Get(schema.ProcessAncestors); ok && list.Type() == pcommon.ValueTypeSlice {
		for _, name := range list.Slice().All() {
			d.by = append(d.by, name.AsString())
		}
	}
	return d
}

func (w *watcher) add(to *[]*detection, d *detection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*to = append(*to, d)
}

// of are the detections of what the process with this name and its children did.
func (w *watcher) of(name string) []*detection { return w.by(&w.all, name) }

// stepsOf are the further steps of acts likewise.
func (w *watcher) stepsOf(name string) []*detection { return w.by(&w.steps, name) }

func (w *watcher) by(list *[]*detection, name string) []*detection {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*detection
	for _, d := range *list {
		if slices.Contains(d.by, name) {
			out = append(out, d)
		}
	}
	return out
}

// in are the detections in containers.
func (w *watcher) in(containers ...string) []*detection {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*detection
	for _, d := range w.all {
		if slices.Contains(containers, d.container) {
			out = append(out, d)
		}
	}
	return out
}

// rulesOf are the names of the rules of detections, each once.
func rulesOf(all []*detection) []string {
	var out []string
	for _, d := range all {
		if !slices.Contains(out, d.rule) {
			out = append(out, d.rule)
		}
	}
	return out
}
