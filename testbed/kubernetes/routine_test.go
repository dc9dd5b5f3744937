package kubernetes

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

const shop = "sightglass-shop"

// TestRoutine is a day of a cluster: workloads of all kinds with their probes start,
// are scaled, replaced, copied into and looked at, and no policy says a word about
// them. Then somebody does what policies are about, and each is told once.
func TestRoutine(t *testing.T) {
	c := newCluster(t)
	c.apply(t, "routine.yaml")
	c.must(t, "", "-n", shop, "rollout", "status", "deployment/server", "--timeout=2m")
	c.must(t, "", "-n", shop, "create", "job", "order-1", "--from=cronjob/client")
	c.must(t, "", "-n", shop, "wait", "--for=condition=Complete", "job/order-1", "--timeout=2m")
	made, err := strconv.Atoi(strings.TrimSpace(c.must(t, "", "-n", shop, "logs", "job/order-1")))
	require.NoError(t, err)
	require.Equal(t, 50, made, "requests that the job made")
	t.Run("requests", func(t *testing.T) { testRequests(t, c, made) })

	c.must(t, "", "-n", shop, "patch", "configmap", "settings", "-p", `{"data":{"index.html":"two\n"}}`)
	c.must(t, "", "-n", shop, "scale", "deployment/server", "--replicas=3")
	c.must(t, "", "-n", shop, "set", "env", "deployment/server", "ROUND=2")
	c.must(t, "", "-n", shop, "rollout", "status", "deployment/server", "--timeout=2m")
	c.must(t, "", "-n", shop, "scale", "deployment/server", "--replicas=1")
	copied := filepath.Join(t.TempDir(), "copied")
	require.NoError(t, os.WriteFile(copied, []byte("x\n"), 0o600))
	c.must(t, "", "-n", shop, "cp", copied, "web:/copied")
	c.must(t, "", "-n", shop, "exec", "web", "--", "ls", "/")
	c.must(t, "", "-n", shop, "exec", "web", "--", "sh", "-c", "cat /copied; id")
	require.Eventually(t, func() bool {
		restarts := c.must(t, "", "-n", shop, "get", "pod", "crash", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
		return restarts != "0"
	}, patience, pause, "the crash loop")

	for _, act := range acts {
		t.Run(act.rule, func(t *testing.T) {
			act.do(t, c)
			c.find(t, act.rule, func(it *found) bool { return it.detects(act.rule, act.pod) })
		})
	}
	// Detections come in the order of events: with the last all are here.
	c.shell(t, shop, "web", "echo /fence", true)
	c.find(t, "the fence", func(it *found) bool { return it.detects(shellRule, "web") && strings.Contains(it.body, "/fence") })
	for _, it := range c.records() {
		if it.event != schema.EventPolicyMatch || it.places || strings.Contains(it.body, "/fence") {
			continue
		}
		told := 0
		for _, act := range acts {
			if it.detects(act.rule, act.pod) && strings.Contains(it.body, act.words) {
				told++
			}
		}
		require.Equal(t, 1, told, "%s of %v: %s", it.attrs[schema.RuleName], it.resource[schema.K8sPodName], it.body)
	}
	for _, act := range acts {
		told := 0
		for _, it := range c.records() {
			if !it.places && it.detects(act.rule, act.pod) && strings.Contains(it.body, act.words) {
				told++
			}
		}
		require.Equal(t, 1, told, "%s: %s", act.rule, act.words)
	}
}

// detects tells whether a record is a detection by a rule in a pod.
func (f *found) detects(rule, pod string) bool {
	return f.event == schema.EventPolicyMatch && f.attrs[schema.RuleName] == rule && f.resource[schema.K8sPodName] == pod && f.resource[schema.K8sNamespaceName] == shop
}

// acts are what somebody does by kubectl, and how it is told.
var acts = []struct {
	rule, pod, words string
	do               func(*testing.T, *cluster)
}{
	{shellRule, "web", "command=sh parent", func(t *testing.T, c *cluster) {
		c.must(t, "id\n", "-n", shop, "exec", "-i", "web", "--", "sh")
	}},
	{"Program that is not in the image", "web", "/tool", func(t *testing.T, c *cluster) {
		c.must(t, "", "-n", shop, "exec", "web", "--", "sh", "-c", "cp /bin/busybox /tool; /tool true || true")
	}},
	{"Service account token read by hand", "web", "serviceaccount/token", func(t *testing.T, c *cluster) {
		c.must(t, "", "-n", shop, "exec", "web", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
	}},
	{"API server contacted by hand", "web", "command=wget", func(t *testing.T, c *cluster) {
		c.must(t, "", "-n", shop, "exec", "web", "--", "sh", "-c", "wget -q -O - https://$KUBERNETES_SERVICE_HOST/ || true")
	}},
	{"Privileged container started", "privileged", "host_pid=true", func(t *testing.T, c *cluster) {
		c.apply(t, "privileged.yaml")
		c.must(t, "", "-n", shop, "wait", "--for=condition=Ready", "pod/privileged", "--timeout=2m")
		c.find(t, "a probe of it", func(it *found) bool {
			return it.event == schema.EventProcessExec && it.attrs[schema.ProcessName] == "ls" && it.resource[schema.K8sPodName] == "privileged"
		})
	}},
}
