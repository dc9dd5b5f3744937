package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/config"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// patience is how long the cluster may take, and how often a test looks.
const patience, pause = 30 * time.Second, 100 * time.Millisecond

const agentNamespace = "sightglass-testbed"

// cluster has an agent on every node.
type cluster struct {
	mu    sync.Mutex
	all   []found
	spans []request
	fill  *strings.Replacer // of manifests
	// durations are the latest counts of the histograms of requests, by the series.
	durations map[series]uint64
}

// newCluster starts the agent and the workloads; it skips where there is no
// cluster for that.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	agent, shell, host := os.Getenv("SIGHTGLASS_KUBE_AGENT_IMAGE"), os.Getenv("SIGHTGLASS_KUBE_SHELL_IMAGE"), os.Getenv("SIGHTGLASS_KUBE_HOST")
	if agent == "" || shell == "" || host == "" {
		t.Skip("SIGHTGLASS_KUBE_AGENT_IMAGE, SIGHTGLASS_KUBE_SHELL_IMAGE and SIGHTGLASS_KUBE_HOST name no cluster to test on")
	}
	for _, program := range []string{"kubectl", "script"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	c := &cluster{durations: map[series]uint64{}}
	server, err := sink.StartAt(t.Context(), host, sink.Consumers{Logs: c.take, Traces: c.takeSpans, Metrics: c.takeMetrics})
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop(t.Context()) })

	c.fill = strings.NewReplacer("AGENT_IMAGE", agent, "SHELL_IMAGE", shell, "SHELL_REPOSITORY", repository(shell), "BACK_END", server.Endpoint)
	c.apply(t, "agent.yaml")
	c.apply(t, "pods.yaml")
	dir := t.TempDir()
	for name, text := range map[string]string{"agent.yaml": config.Agent, "overlay.yaml": read(t, "overlay.yaml"), "places.yaml": c.fill.Replace(read(t, "places.yaml")), "stage.yaml": read(t, "stage.yaml")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	c.must(t, "", "-n", agentNamespace, "create", "configmap", "agent", "--from-file="+dir)
	c.must(t, "", "-n", agentNamespace, "rollout", "status", "daemonset/agent", "--timeout=2m")
	c.must(t, "", "-n", "sightglass-shop", "rollout", "status", "deployment/exempt", "--timeout=2m")
	c.must(t, "", "-n", "sightglass-shop", "wait", "--for=condition=Ready", "pod/web", "pod/labelled", "--timeout=2m")
	c.must(t, "", "-n", "sightglass-test-shop", "wait", "--for=condition=Ready", "pod/web", "--timeout=2m")
	return c
}

// repository is an image's name without its tag or digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if tag := strings.LastIndexByte(image, ':'); tag > strings.LastIndexByte(image, '/') {
		image = image[:tag]
	}
	return image
}

// apply makes what a manifest describes, for the time of the test.
func (c *cluster) apply(t *testing.T, file string) {
	t.Helper()
	manifest := c.fill.Replace(read(t, file))
	t.Cleanup(func() { _, _ = kubectl(manifest, "delete", "--ignore-not-found", "-f", "-") })
	c.must(t, manifest, "apply", "-f", "-")
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(text)
}

// kubectl runs it with some input and returns what it printed.
func kubectl(input string, args ...string) (string, error) {
	cmd := exec.Command("kubectl", args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *cluster) must(t *testing.T, input string, args ...string) string {
	t.Helper()
	out, err := kubectl(input, args...)
	require.NoError(t, err, "kubectl %v: %s", args, out)
	return out
}

// shell runs a command in a pod, at a terminal when that is wanted, which kubectl
// gives only to who has one.
func (c *cluster) shell(t *testing.T, namespace, pod, command string, terminal bool) {
	t.Helper()
	args := []string{"kubectl", "-n", namespace, "exec", pod, "--", "sh", "-c", "'" + command + "; true'"}
	if terminal {
		args[3] = "exec -it"
	}
	out, err := exec.Command("script", "-qec", strings.Join(args, " "), "/dev/null").CombinedOutput()
	require.NoError(t, err, string(out))
}

// found is a record with its resource, as plain values.
type found struct {
	places   bool // whether it comes from the pipeline of places.yaml
	event    string
	body     string
	resource map[string]any
	attrs    map[string]any
}

// take keeps what arrives of pods; the rest of the machine may be busy.
func (c *cluster) take(logs plog.Logs, _ time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rl := range logs.ResourceLogs().All() {
		if namespace, ok := rl.Resource().Attributes().Get(schema.K8sNamespaceName); !ok || !strings.HasPrefix(namespace.Str(), "sightglass-") {
			continue
		}
		_, places := rl.Resource().Attributes().Get("testbed.pipeline")
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				c.all = append(c.all, found{places, rec.EventName(), rec.Body().AsString(), rl.Resource().Attributes().AsRaw(), rec.Attributes().AsRaw()})
			}
		}
	}
}

// records are all that have arrived until now.
func (c *cluster) records() []found {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

// find waits for a record.
func (c *cluster) find(t *testing.T, what string, match func(*found) bool) *found {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		all := c.records()
		for i := range all {
			if match(&all[i]) {
				return &all[i]
			}
		}
	}
	var have strings.Builder
	for _, it := range c.records() {
		fmt.Fprintln(&have, it.event, it.resource[schema.K8sNamespaceName], it.resource[schema.K8sPodName], it.attrs[schema.ProcessCommandArgs], it.body)
	}
	require.FailNow(t, what+" did not arrive", have.String())
	return nil
}
