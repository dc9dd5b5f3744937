package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/containerd"
)

// TestWhatAHostShows is the promise of the first ten seconds: commands,
// detections, requests and containers of this machine, by their right names.
func TestWhatAHostShows(t *testing.T) {
	h := newHost(t)
	t.Run("command", h.testCommand)
	t.Run("detection", h.testDetection)
	t.Run("request", h.testRequest)
	t.Run("container", h.testContainer)
	t.Run("terminal in a container", h.testTerminal)
	t.Run("no losses", h.testNoLosses)
}

func (h *host) testCommand(t *testing.T) {
	word := marker()
	run(t, "/bin/sh", "-c", "/bin/echo "+word+"; true")
	it := h.wait(t, logs, "the command", func(it *item) bool {
		return it.name == schema.EventProcessExec && mentions(it, schema.ProcessCommandArgs, word) && it.attrs[schema.ProcessName] == "echo"
	})
	require.Equal(t, []any{"/bin/echo", word}, it.attrs[schema.ProcessCommandArgs])
	require.Equal(t, "sh", it.attrs[schema.ProcessParentName])
	dir, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, dir, it.attrs[schema.ProcessWorkingDirectory])
	require.NotContains(t, it.resource, schema.ContainerID)
	require.NotEmpty(t, it.resource[schema.ServiceName])
}

func (h *host) testDetection(t *testing.T) {
	run(t, "/bin/cat", "/etc/shadow")
	it := h.wait(t, logs, "the detection", func(it *item) bool {
		return it.name == schema.EventPolicyMatch && it.attrs[schema.RuleName] == "Secret of the system read" && it.attrs[schema.ProcessName] == "cat"
	})
	require.Contains(t, it.body, "/etc/shadow")
	require.NotEmpty(t, it.attrs[schema.RulePriority])
}

func (h *host) testRequest(t *testing.T) {
	needs(t, "curl")
	address, word := startNginx(t), marker()
	run(t, "curl", "-s", "http://"+address+"/"+word)
	server := h.wait(t, spans, "the server's span", func(it *item) bool {
		return it.kind == "Server" && it.attrs[schema.URLPath] == "/"+word
	})
	require.Equal(t, "GET", server.attrs[schema.HTTPRequestMethod])
	require.EqualValues(t, 200, server.attrs[schema.HTTPResponseStatusCode])
	if !insideUnit(t) {
		require.Equal(t, "nginx", server.resource[schema.ServiceName])
	}
	client := h.wait(t, spans, "the client's span", func(it *item) bool {
		return it.kind == "Client" && mentions(it, schema.URLFull, word)
	})
	if !insideUnit(t) {
		require.Equal(t, "curl", client.resource[schema.ServiceName])
	}

	run(t, "curl", "-s", "http://"+address+"/fail/"+word)
	failed := h.wait(t, spans, "the failed request", func(it *item) bool {
		return it.kind == "Server" && it.attrs[schema.URLPath] == "/fail/"+word
	})
	require.Equal(t, "503", failed.attrs[schema.ErrorType])
	h.wait(t, points, "the latency of nginx", func(it *item) bool {
		return it.name == schema.MetricHTTPServerDuration && it.count > 0 &&
			it.resource[schema.ServiceName] == server.resource[schema.ServiceName]
	})
}

// insideUnit tells whether this test runs in a systemd service, whose name then
// is the service's name of everything it starts.
func insideUnit(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	return strings.Contains(string(text), ".service")
}

func (h *host) testContainer(t *testing.T) {
	needs(t, "ldd")
	daemon := containerd.Start(t)
	word := marker()
	dir := rootfs(t, "/bin/sh", "/bin/cat")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "etc", word), nil, 0o600))
	// ": " keeps the shell from replacing itself by its last command.
	daemon.Must("run", "--rm", "--rootfs", dir, word, "/bin/sh", "-c", "/bin/cat /etc/"+word+"; :")
	it := h.wait(t, logs, "the command in the container", func(it *item) bool {
		return it.name == schema.EventProcessExec && it.attrs[schema.ProcessName] == "cat" && mentions(it, schema.ProcessCommandArgs, word)
	})
	require.Equal(t, word, it.resource[schema.ContainerID])
	require.Equal(t, "containerd", it.resource[schema.ContainerRuntime])
	require.Equal(t, word, it.resource[schema.ServiceName])
	require.Equal(t, "sh", it.attrs[schema.ProcessParentName])
}

func (h *host) testTerminal(t *testing.T) {
	needs(t, "ldd", "script")
	daemon := containerd.Start(t)
	word := marker()
	dir := rootfs(t, "/bin/sh")
	command := "ctr " + strings.Join(append(daemon.Flags(), "run", "--rm", "-t", "--rootfs", dir, word, "/bin/sh", "-c", ":"), " ")
	out, err := exec.CommandContext(t.Context(), "script", "-qec", command, "/dev/null").CombinedOutput()
	require.NoError(t, err, string(out))
	it := h.wait(t, logs, "the detection of the shell", func(it *item) bool {
		return it.name == schema.EventPolicyMatch && it.attrs[schema.RuleName] == "Terminal shell in a container" && it.resource[schema.ContainerID] == word
	})
	require.Equal(t, "sh", it.attrs[schema.ProcessName])
}

// testNoLosses runs last: the easy load of the other tests must lose nothing.
func (h *host) testNoLosses(t *testing.T) {
	h.wait(t, points, "the counter of received events", func(it *item) bool {
		return it.name == schema.MetricEventsReceived && it.value > 0
	})
	for _, it := range h.all(points, func(it *item) bool { return it.name == schema.MetricEventsLost }) {
		require.Zero(t, it.value, it.String())
	}
}

// TestKilledAgentStartsAgain: nothing of a killed agent stands in the way of
// the next one.
func TestKilledAgentStartsAgain(t *testing.T) {
	h := newHost(t)
	h.agent.Kill()
	h.start()
	word := marker()
	run(t, "/bin/echo", word)
	h.wait(t, logs, "the command after the restart", func(it *item) bool {
		return it.name == schema.EventProcessExec && mentions(it, schema.ProcessCommandArgs, word)
	})
}

// TestStoppedAgentLeavesNothing: no program stays in the kernel.
func TestStoppedAgentLeavesNothing(t *testing.T) {
	h := newHost(t)
	mine := programsOf(t, h.agent.PID())
	require.NotEmpty(t, mine, "the agent must have loaded programs")
	require.Subset(t, programs(t), mine)
	require.NoError(t, h.agent.Stop())
	require.Eventually(t, func() bool {
		return !slices.ContainsFunc(programs(t), func(id uint32) bool { return slices.Contains(mine, id) })
	}, patience, 4*pollInterval, "programs are still loaded")
}

// secondPipeline is a logs pipeline without policies beside the one with them,
// whose records the back end can tell apart, and a policy on a secret.
const secondPipeline = `
processors:
  resource/second: {attributes: [{key: pipeline, value: second, action: insert}]}
service:
  pipelines:
    logs/second: {receivers: [ebpf], processors: [resource/second], exporters: [otlp_grpc]}
`

// TestNoPipelineShowsSecrets: policies see a secret that no pipeline shows.
func TestNoPipelineShowsSecrets(t *testing.T) {
	word, secret := marker(), marker()
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(rules, []byte(`
- rule: Secret on a command line
  desc: A test.
  priority: WARNING
  condition: spawned_process and proc.args contains "`+secret+`"
  output: "%proc.cmdline parent %proc.pcmdline"
- macro: spawned_process
  condition: evt.type in (execve, execveat)
`), 0o600))
	h := newHost(t, secondPipeline, "processors: {security_policy: {rules_files: ["+rules+"]}}")
	run(t, "/bin/sh", "-c", "/bin/echo "+word+" --password "+secret+"; /bin/echo "+word+" end; true")
	for _, pipeline := range []any{nil, "second"} {
		h.wait(t, logs, "the last command", func(it *item) bool {
			return it.name == schema.EventProcessExec && it.resource["pipeline"] == pipeline && mentions(it, schema.ProcessCommandArgs, "end")
		})
		it := h.find(logs, func(it *item) bool {
			return it.name == schema.EventProcessExec && it.resource["pipeline"] == pipeline && mentions(it, schema.ProcessCommandArgs, "--password")
		})
		require.NotNil(t, it)
		require.Contains(t, fmt.Sprint(it.attrs[schema.ProcessCommandArgs]), "***")
	}
	it := h.wait(t, logs, "the detection", func(it *item) bool {
		return it.name == schema.EventPolicyMatch && it.attrs[schema.ProcessName] == "echo"
	})
	require.Contains(t, it.body, "--password ***")
	for _, it := range h.all(logs, func(*item) bool { return true }) {
		require.NotContains(t, it.String(), secret)
	}
}
