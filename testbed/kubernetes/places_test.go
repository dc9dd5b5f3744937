package kubernetes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

// testKeep looks at the plain activity of each pipeline: one has the default, the
// other passes the ends of processes on.
func testKeep(t *testing.T, c *cluster) {
	t.Helper()
	c.find(t, "the listening socket", func(it *found) bool {
		return !it.places && it.event == schema.EventNetworkListen && it.attrs[schema.NetworkLocalPort] == int64(4711)
	})
	c.find(t, "the end of the shell", func(it *found) bool {
		return it.places && it.event == schema.EventProcessExit && it.attrs[schema.ProcessName] == "sh"
	})
	byPipeline := map[bool][]string{
		false: {schema.EventPolicyMatch, schema.EventProcessExec, schema.EventLoginStart, schema.EventLoginEnd, schema.EventNetworkListen},
		true:  {schema.EventPolicyMatch, schema.EventProcessExit},
	}
	for _, it := range c.records() {
		require.Contains(t, byPipeline[it.places], it.event, "pipeline of places: %v", it.places)
	}
}

// testPlaces looks at rules with scopes: each shell is told by those rules whose
// place it was run in, and by no other.
func testPlaces(t *testing.T, c *cluster, exempt string) {
	t.Helper()
	const shop, tests = "sightglass-shop", "sightglass-test-shop"
	for _, tt := range []struct {
		word, namespace, pod string
		want                 []string
	}{
		{"/test", tests, "web", []string{"In tests", "Without the label", "From the image", "On a node"}},
		{"/labelled", shop, "labelled", []string{"In the shop", "With the label", "From the image", "On a node", "In production"}},
		{"/exempt", shop, exempt, []string{"In the shop", "In the workload", "In the service", "Without the label", "From the image", "On a node", "In production"}},
		{"/loud", shop, "web", []string{"In the shop", "Without the label", "From the image", "On a node", "In production"}},
	} {
		var got []string
		slices.Sort(tt.want)
		told := func() bool {
			got = nil
			for _, it := range c.records() {
				if it.places && it.event == schema.EventPolicyMatch && strings.Contains(it.body, "echo "+tt.word) &&
					it.resource[schema.K8sNamespaceName] == tt.namespace && it.resource[schema.K8sPodName] == tt.pod {
					got = append(got, it.attrs[schema.RuleName].(string))
				}
			}
			slices.Sort(got)
			return slices.Equal(got, tt.want)
		}
		for end := time.Now().Add(patience); !told() && time.Now().Before(end); {
			time.Sleep(pause)
		}
		require.Equal(t, tt.want, got, "the shell that said %s in %s/%s", tt.word, tt.namespace, tt.pod)
	}
}
