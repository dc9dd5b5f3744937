package prometheus

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/testbed/internal/agent"
)

//go:embed testdata/collector.yaml
var collectorConfig string

//go:embed testdata/agent.yaml
var agentConfig string

// TestQueriesAgainstPrometheus is the promise of deploy: a panel that is empty,
// or an alert that can never fire, because a name is wrong does not exist.
func TestQueriesAgainstPrometheus(t *testing.T) {
	binary := os.Getenv("SIGHTGLASS_BINARY")
	if binary == "" {
		t.Skip("SIGHTGLASS_BINARY does not name the agent's binary: make test does")
	}
	collector := buildCollector(t)
	all := queries(t)
	emitted := metrics{}
	var mu sync.Mutex // of emitted
	t.Run("histograms", func(t *testing.T) {
		for name, native := range map[string]bool{"exponential": true, "explicit": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // mostly it waits
				s, feed := startAll(t, binary, collector, name, native)
				// Rates need several flushes, scrapes and evaluations, which take their time.
				var missing []string
				for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(scrapeEvery) {
					feed()
					if missing = evaluate(t, s, all); len(missing) == 0 {
						break
					}
				}
				require.Empty(t, missing)
				mu.Lock()
				defer mu.Unlock()
				s.stored(t, emitted)
			})
		}
	})
	for name, labels := range declared(t) {
		for _, label := range labels {
			emitted.add(name, label)
		}
	}
	for _, q := range all {
		assert.Empty(t, unknown(t, q.expr, emitted), "%s: %s", q.where, q.expr)
	}
}

// startAll runs everything until the test ends. It returns the Prometheus that
// holds what comes of it, and what makes something happen.
func startAll(t *testing.T, binary, collector, histograms string, native bool) (s *server, feed func()) {
	t.Helper()
	agentTelemetry, collectorTelemetry := freeport.Address(t), freeport.Address(t)
	s = startPrometheus(t, native, []string{agentTelemetry, collectorTelemetry})
	grpc, http := freeport.Address(t), freeport.Address(t)
	file := filepath.Join(t.TempDir(), "collector.yaml")
	require.NoError(t, os.WriteFile(file, []byte(fill(collectorConfig, map[string]string{
		"GRPC": grpc, "HTTP": http, "PROMETHEUS": s.address, "HISTOGRAMS": histograms, "TELEMETRY": port(collectorTelemetry),
	})), 0o600))
	start(t, exec.Command(collector, "--config", file))
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", http)
		return err == nil && conn.Close() == nil
	}, patience, 100*time.Millisecond, "the collector does not listen")
	a, err := agent.Start(t.Context(), binary, []byte(fill(agentConfig, map[string]string{
		"HISTOGRAMS": histograms, "TELEMETRY": port(agentTelemetry),
	})), grpc)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Stop()) })
	return s, func() {
		send(t, http)
		_ = exec.Command("cat", "/etc/shadow").Run() // a detection
	}
}

func fill(config string, values map[string]string) string {
	for name, value := range values {
		config = strings.ReplaceAll(config, "<"+name+">", value)
	}
	return config
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// buildCollector compiles the other distribution.
func buildCollector(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "otelcol-latency")
	text, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, "./collector").CombinedOutput()
	require.NoError(t, err, string(text))
	return out
}

// quiet are panels that are empty when all is well.
var quiet = []string{
	"agent.json, Events lost", "agent.json, Data points lost or still missing", "agent.json, Exporters that could not send",
	"agent.json, Hooks that are not attached",
}

// evaluate runs all queries and returns what failed or is empty. Each panel has to
// show something: where it has a query for each form of histograms, one of them.
func evaluate(t *testing.T, s *server, all []query) (missing []string) {
	t.Helper()
	shown := map[string]int{}
	for _, q := range all {
		n, err := s.query(t, q.expr)
		if err != nil {
			missing = append(missing, fmt.Sprintf("%s: %s: %v", q.where, q.expr, err))
		}
		if q.shown {
			shown[q.where] += n
		}
	}
	for where, n := range shown {
		if n == 0 && !slices.Contains(quiet, where) {
			missing = append(missing, where+" shows nothing")
		}
	}
	return missing
}
