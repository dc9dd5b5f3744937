package securitypolicyprocessor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

const watched = "- rule: Secret read\n  desc: x\n  condition: evt.type = openat and fd.name = /etc/shadow\n  output: x\n  priority: ERROR\n"

// openedIn is the record of an open of /etc/shadow in a place.
func openedIn(t *testing.T, place map[string]any) plog.Logs {
	t.Helper()
	ld := flood(1)
	require.NoError(t, ld.ResourceLogs().At(0).Resource().Attributes().FromRaw(place))
	return ld
}

// Every kind of place that operators think in can be the scope of a file.
func TestScopes(t *testing.T) {
	here := map[string]any{
		schema.K8sNamespaceName: "shop", schema.K8sDeploymentName: "web", schema.ServiceName: "web", schema.ServiceNamespace: "shop",
		schema.K8sPodLabelsPrefix + "tier": "front", schema.K8sNamespaceLabelsPrefix + "env": "prod", schema.K8sNodeName: "node-1",
		schema.ContainerID: "0123456789abcdef", schema.ContainerImageName: "registry.example/team/web", schema.ContainerName: "app",
	}
	for scope, want := range map[string]bool{
		"k8s.ns.name = shop":                               true,
		"k8s.ns.name in (test, staging)":                   false,
		"not k8s.ns.name in (test, staging)":               true,
		"not k8s.ns.name startswith sho":                   false,
		"k8s.workload.kind = Deployment":                   true,
		"k8s.workload.name = db":                           false,
		"service.name = web and service.namespace = shop":  true,
		"service.name = db":                                false,
		"k8s.pod.label[tier] = front":                      true,
		"k8s.pod.label.tier = back":                        false,
		"k8s.namespace.label[env] = prod":                  true,
		"k8s.node.name glob node-*":                        true,
		"k8s.node.name = node-2":                           false,
		"container.image.repository endswith /web":         true,
		"container.image.repository startswith docker.io/": false,
		"container.id = host":                              false,
	} {
		t.Run(scope, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rules.yaml")
			require.NoError(t, os.WriteFile(path, []byte("- scope: "+scope+"\n\n"+watched), 0o600))
			sink := new(consumertest.LogsSink)
			proc := started(t, testConfig(func(c *Config) { c.RulesFiles = []string{path} }), sink)
			require.NoError(t, proc.ConsumeLogs(t.Context(), openedIn(t, here)))
			require.Equal(t, want, sink.LogRecordCount() == 1)
		})
	}
}

// A test namespace does not page, by one line of configuration or by a rule file
// of one's own behind the stock's; everything else does, and the host too.
func TestATestNamespaceDoesNotPage(t *testing.T) {
	dir := t.TempDir()
	stock, own := filepath.Join(dir, "1.yaml"), filepath.Join(dir, "2.yaml")
	require.NoError(t, os.WriteFile(stock, []byte(watched), 0o600))
	require.NoError(t, os.WriteFile(own, []byte(`
- list: quiet_namespaces
  items: [test, staging]

- rule: Secret read
  condition: and not k8s.ns.name in (quiet_namespaces)
  override: {condition: append}
`), 0o600))
	for name, change := range map[string]func(*Config){
		"by the configuration": func(c *Config) {
			c.RulesFiles, c.Scope = []string{stock}, "not k8s.ns.name in (test, staging)"
		},
		"by a rule file": func(c *Config) { c.RulesFiles = []string{stock, own} },
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			proc := started(t, testConfig(change), sink)
			for _, tt := range []struct {
				place map[string]any
				want  int
			}{
				{map[string]any{schema.K8sNamespaceName: "test"}, 0},
				{map[string]any{schema.K8sNamespaceName: "staging"}, 0},
				{map[string]any{schema.K8sNamespaceName: "shop"}, 1},
				{map[string]any{schema.HostName: "node"}, 1},
			} {
				sink.Reset()
				require.NoError(t, proc.ConsumeLogs(t.Context(), openedIn(t, tt.place)))
				require.Equal(t, tt.want, sink.LogRecordCount(), tt.place)
			}
		})
	}
}

// The scope of the configuration holds beside those of files and rules, and an
// error in it is told once, not with every rule.
func TestScopeOfTheConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	other := strings.Replace(watched, "Secret read", "Again", 1)
	require.NoError(t, os.WriteFile(path, []byte("- scope: service.name = web\n\n"+watched+other), 0o600))
	sink := new(consumertest.LogsSink)
	proc := started(t, testConfig(func(c *Config) { c.RulesFiles, c.Scope = []string{path}, "k8s.ns.name = shop or k8s.ns.name = bar" }), sink)
	for _, tt := range []struct {
		service, namespace string
		want               int
	}{{"web", "shop", 1}, {"web", "bar", 1}, {"web", "test", 0}, {"db", "shop", 0}} {
		sink.Reset()
		require.NoError(t, proc.ConsumeLogs(t.Context(), openedIn(t, map[string]any{schema.ServiceName: tt.service, schema.K8sNamespaceName: tt.namespace})))
		require.Equal(t, tt.want, sink.LogRecordCount())
	}
	wrong, err := NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type),
		testConfig(func(c *Config) { c.RulesFiles, c.Scope = []string{path}, "k8s.namespace = x" }), sink)
	require.NoError(t, err)
	err = wrong.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, `scope:1:1: unknown field k8s.namespace`)
	require.Equal(t, 1, strings.Count(err.Error(), "unknown field"))
}
