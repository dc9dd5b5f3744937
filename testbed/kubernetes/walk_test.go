package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

// shellRule is the policy that people notice first.
const shellRule = "Terminal shell in a container"

// TestWalk is somebody's walk through a cluster: what is done in a pod is in the
// command history under the pod's name, with the session that it was done in, and
// a shell pages unless it is in a place that policies leave out.
func TestWalk(t *testing.T) {
	c := newCluster(t)
	deployed := strings.TrimSpace(c.must(t, "", "-n", "sightglass-shop", "get", "pod", "-l", "app=exempt", "-o", "name"))
	exempt := strings.TrimPrefix(deployed, "pod/")

	// Those that must be silent come first: what follows them tells that they
	// have been judged.
	c.shell(t, "sightglass-test-shop", "web", "echo /test", true)
	c.shell(t, "sightglass-shop", "labelled", "echo /labelled", true)
	c.shell(t, "sightglass-shop", exempt, "echo /exempt", true)
	c.shell(t, "sightglass-shop", "web", "echo /plain", false)
	c.shell(t, "sightglass-shop", "web", "cat /etc/passwd; timeout 1 nc -l -p 4711", false)
	c.shell(t, "sightglass-shop", "web", "echo /loud; sleep 1", true)

	t.Run("command history", func(t *testing.T) {
		for word, pod := range map[string][2]string{
			"/test": {"sightglass-test-shop", "web"}, "/labelled": {"sightglass-shop", "labelled"},
			"/exempt": {"sightglass-shop", exempt}, "/loud": {"sightglass-shop", "web"}, "/plain": {"sightglass-shop", "web"},
		} {
			it := c.find(t, "the command echo "+word, func(it *found) bool {
				return it.event == schema.EventProcessExec && it.attrs[schema.ProcessName] == "sh" && strings.Contains(fmt.Sprint(it.attrs[schema.ProcessCommandArgs]), "echo "+word)
			})
			require.Equal(t, pod[0], it.resource[schema.K8sNamespaceName], word)
			require.Equal(t, pod[1], it.resource[schema.K8sPodName], word)
			require.Equal(t, "main", it.resource[schema.K8sContainerName], word)
			require.NotEmpty(t, it.resource[schema.ServiceName], word)
		}
	})
	t.Run("session", func(t *testing.T) {
		it := c.find(t, "the beginning of the session", func(it *found) bool {
			return it.event == schema.EventLoginStart && it.resource[schema.K8sPodName] == "web" && strings.Contains(fmt.Sprint(it.attrs[schema.ProcessCommandArgs]), "/loud")
		})
		require.Equal(t, "sightglass-shop", it.resource[schema.K8sNamespaceName])
		require.Equal(t, true, it.attrs[schema.ProcessInteractive])
		key := it.attrs[schema.ProcessKey]
		c.find(t, "its end", func(it *found) bool { return it.event == schema.EventLoginEnd && it.attrs[schema.ProcessKey] == key })
	})
	t.Run("detection", func(t *testing.T) {
		it := c.find(t, "the shell", func(it *found) bool {
			return it.event == schema.EventPolicyMatch && it.attrs[schema.RuleName] == shellRule && strings.Contains(it.body, "/loud")
		})
		require.Contains(t, it.body, "pod=web namespace=sightglass-shop")
		require.Equal(t, "web", it.resource[schema.K8sPodName])
	})
	t.Run("scope", func(t *testing.T) {
		for _, it := range c.records() {
			if it.event != schema.EventPolicyMatch || it.places {
				continue
			}
			require.Equal(t, "web", it.resource[schema.K8sPodName], it.body)
			require.NotEqual(t, "sightglass-test-shop", it.resource[schema.K8sNamespaceName], it.body)
		}
	})
	t.Run("keep", func(t *testing.T) { testKeep(t, c) })
	t.Run("places", func(t *testing.T) { testPlaces(t, c, exempt) })
}
