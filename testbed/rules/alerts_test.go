package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/testbed/internal/agent"
)

// alertsConfig sends alerts in Falco's form, with the environment of who acted.
const alertsConfig = `
receivers:
  ebpf: {}
processors:
  security_policy:
    rules_files: [%s]
    enabled_rules: [Marked file]
    keep: []
    rate_limit: {burst: 0}
    append_output: [{suggested_output: true, extra_fields: [proc.env]}]
    http_output: {endpoint: "%s"}
exporters:
  nop: {}
service:
  telemetry:
    metrics: {level: none}
  pipelines:
    logs:
      receivers: [ebpf]
      processors: [security_policy]
      exporters: [nop]
`

// markedRule is off in its file, as some of Falco's are.
const markedRule = `
- rule: Marked file opened
  desc: a file of the test
  condition: evt.type in (open, openat, openat2) and fd.name = %s
  output: Opened | file=%%fd.name user=%%user.name uid=%%user.uid command=%%proc.cmdline
  priority: WARNING
  enabled: false
  tags: [host, filesystem]
`

// sentAlert has all keys of an alert.
type sentAlert struct {
	Hostname, Output, Priority, Rule, Source string
	OutputFields                             map[string]any `json:"output_fields"`
	Tags                                     []string
	Time                                     time.Time
}

// alerts are what a server got.
type alerts struct {
	mu  sync.Mutex
	all []sentAlert
}

func (a *alerts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var got sentAlert
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil || r.Method != http.MethodPost || r.URL.Path != "/" {
		http.Error(w, fmt.Sprint(r.Method, " ", r.URL, ": ", err), http.StatusBadRequest)
		return
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		http.Error(w, "more than one object", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, got)
}

func (a *alerts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all)
}

// marked waits for the alert of the process that has a text in its environment:
// test tools tell their processes apart by that.
func (a *alerts) marked(t *testing.T, mark string) sentAlert {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(pollInterval) {
		a.mu.Lock()
		i := slices.IndexFunc(a.all, func(s sentAlert) bool {
			env, _ := s.OutputFields["proc.env"].(string)
			return strings.Contains(env, mark)
		})
		var found sentAlert
		if i >= 0 {
			found = a.all[i]
		}
		seen := len(a.all)
		a.mu.Unlock()
		if i >= 0 {
			return found
		}
		require.True(t, time.Now().Before(deadline), "none of %d alerts has %s", seen, mark)
	}
}

// TestAlertsOverHTTP: an alert of the real agent arrives in Falco's form, with
// the whole environment of the process, and names the user whose rights it has.
func TestAlertsOverHTTP(t *testing.T) {
	binary := agentBinary(t)
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		require.NoError(t, os.Chmod(d, 0o755)) // another user opens the file
	}
	file, rules := filepath.Join(dir, "marked"), filepath.Join(dir, "rules.yaml")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	require.NoError(t, os.WriteFile(rules, fmt.Appendf(nil, markedRule, file), 0o600))
	got := &alerts{}
	server := httptest.NewServer(got)
	t.Cleanup(server.Close)
	a, err := agent.Start(t.Context(), binary, fmt.Appendf(nil, alertsConfig, rules, server.URL+"/"), "")
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the agent's log:\n%s", a.Log())
		}
		a.Kill()
	})
	host, err := os.Hostname()
	require.NoError(t, err)

	before := time.Now()
	// The agent is ready a moment before it has learnt what runs and looks at calls.
	require.Eventually(t, func() bool {
		open(t, "cat", file, "MARK=early")
		return got.count() > 0
	}, patience, time.Second)
	open(t, "cat", file, "MARK=first")
	alert := got.marked(t, "MARK=first")
	require.Equal(t, []string{"Marked file opened", "Warning", "syscall", host}, []string{alert.Rule, alert.Priority, alert.Source, alert.Hostname})
	require.Equal(t, []string{"filesystem", "host"}, alert.Tags)
	require.WithinRange(t, alert.Time, before.Add(-time.Second), time.Now().Add(time.Second))
	want := "Opened | file=" + file + " user=root uid=0 command=cat " + file + " container_id=host container_name=host" +
		" container_image_repository= container_image_tag= k8s_pod_name=<NA> k8s_ns_name=<NA>"
	require.True(t, strings.HasSuffix(alert.Output, ": Warning "+want), alert.Output)
	require.Equal(t, file, alert.OutputFields["fd.name"])
	require.EqualValues(t, 0, alert.OutputFields["user.uid"])
	require.Nil(t, alert.OutputFields["k8s.pod.name"])

	// A program that has the rights of its owner.
	other, err := user.Lookup("daemon")
	require.NoError(t, err)
	run(t, "install", "-o", "daemon", "-m", "4755", "/usr/bin/id", filepath.Join(dir, "id"))
	if uid := strings.TrimSpace(run(t, filepath.Join(dir, "id"), "-u")); uid != other.Uid {
		t.Skip("programs do not get the rights of their owner here")
	}
	run(t, "install", "-o", "daemon", "-m", "4755", "/bin/cat", filepath.Join(dir, "owned"))
	open(t, filepath.Join(dir, "owned"), file, "MARK=second")
	alert = got.marked(t, "MARK=second")
	require.Equal(t, "daemon", alert.OutputFields["user.name"])
	require.Equal(t, other.Uid, fmt.Sprint(alert.OutputFields["user.uid"]))
}

// open has a program read a file. The mark is the last variable of an environment
// of a page.
func open(t *testing.T, program, file, mark string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, file)
	for i := range 40 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("FILLER_%02d=%s", i, strings.Repeat("x", 88)))
	}
	cmd.Env = append(cmd.Env, mark)
	out, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "%s", out)
}
