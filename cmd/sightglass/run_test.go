package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/sightglass/sightglass/config"
	"github.com/sightglass/sightglass/internal/cli"
)

// settings are those of the generated main, but for the version.
func settings() otelcol.CollectorSettings {
	return otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "sightglass"},
		Factories: components,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory()},
			DefaultScheme:     "env",
		}},
	}
}

var configs = map[string]string{"local": config.Local, "host": config.Host, "agent": config.Agent, "gateway": config.Gateway, "balancer": config.Balancer}

// Every configuration passes the real validation, on a machine without
// Kubernetes and without privileges.
func TestConfigurationsAreValid(t *testing.T) {
	t.Setenv("K8S_NODE_NAME", "node-1")
	t.Setenv("K8S_NODE_IP", "10.0.0.1")
	for name, text := range configs {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name+".yaml")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			cmd := cli.NewCommand(settings(), "")
			cmd.SetArgs([]string{"validate", "--config", path})
			require.NoError(t, cmd.ExecuteContext(t.Context()))
		})
	}
}

// What is not shown is told of the flag that asked for it.
func TestUnknownShow(t *testing.T) {
	cmd := cli.NewCommand(settings(), "")
	cmd.SetArgs([]string{"run", "--show", "commands, comands"})
	require.ErrorContains(t, cmd.ExecuteContext(t.Context()), `--show: "comands" is none of detections, commands,`)
}

// Mutual TLS is added by a second file.
func TestMutualTLSIsValid(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"CERTIFICATE", "KEY", "CLIENT_CA"} {
		t.Setenv("SIGHTGLASS_TLS_"+name, filepath.Join(dir, name))
	}
	overlay := filepath.Join(dir, "mutual-tls.yaml")
	require.NoError(t, os.WriteFile(overlay, []byte(config.MutualTLS), 0o600))
	for _, name := range []string{"gateway", "balancer"} {
		path := filepath.Join(dir, name+".yaml")
		require.NoError(t, os.WriteFile(path, []byte(configs[name]), 0o600))
		cmd := cli.NewCommand(settings(), "")
		cmd.SetArgs([]string{"validate", "--config", path, "--config", overlay})
		require.NoError(t, cmd.ExecuteContext(t.Context()), name)
	}
}

// load resolves and decodes a configuration.
func load(t *testing.T, text string) *otelcol.Config {
	t.Helper()
	set := settings().ConfigProviderSettings
	set.ResolverSettings.URIs = []string{"yaml:" + text}
	provider, err := otelcol.NewConfigProvider(set)
	require.NoError(t, err)
	factories, err := components()
	require.NoError(t, err)
	cfg, err := provider.Get(t.Context(), factories)
	require.NoError(t, err)
	require.NoError(t, provider.Shutdown(t.Context()))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

// ids returns the names of components in a list of a pipeline.
func ids(list []component.ID) []string {
	names := make([]string, 0, len(list))
	for _, id := range list {
		names = append(names, id.String())
	}
	return names
}

func exportersOf(cfg *otelcol.Config, signal pipeline.Signal) []string {
	return ids(cfg.Service.Pipelines[pipeline.NewID(signal)].Exporters)
}

func TestLocalByItself(t *testing.T) {
	cfg := load(t, config.Local)
	require.Equal(t, []string{"terminal", "file/logs"}, exportersOf(cfg, pipeline.SignalLogs))
	require.Equal(t, []string{"service_latency", "terminal", "file/traces"}, exportersOf(cfg, pipeline.SignalTraces))
	require.Equal(t, []string{"terminal", "file/metrics"}, exportersOf(cfg, pipeline.SignalMetrics))
}

// What run puts into the environment arrives as it was meant, dollar signs and
// all.
func TestLocalWithABackEnd(t *testing.T) {
	for name, value := range map[string]string{
		"SIGHTGLASS_LOGS_EXPORTERS":   "[terminal, otlp_http]",
		"SIGHTGLASS_SHOW":             "[detections,status]",
		"SIGHTGLASS_OTLP_HTTP":        "http://backend:4318",
		"SIGHTGLASS_OTLP_HEADERS":     `{"api-key":"a=b $$c $${env:HOME}","x":"true"}`,
		"SIGHTGLASS_OTLP_ENCODING":    "json",
		"SIGHTGLASS_OTLP_TIMEOUT":     "2500ms",
		"SIGHTGLASS_OTLP_COMPRESSION": "none",
		"SIGHTGLASS_OTLP_INSECURE":    "true",
	} {
		t.Setenv(name, value)
	}
	cfg := load(t, config.Local)
	require.Equal(t, []string{"terminal", "otlp_http"}, exportersOf(cfg, pipeline.SignalLogs))
	http := cfg.Exporters[component.MustNewID("otlp_http")].(*otlphttpexporter.Config)
	require.Equal(t, "http://backend:4318", http.ClientConfig.Endpoint)
	require.Equal(t, otlphttpexporter.EncodingJSON, http.Encoding)
	require.Equal(t, "2.5s", http.ClientConfig.Timeout.String())
	headers := map[string]string{}
	for name, value := range http.ClientConfig.Headers.Iter {
		headers[name] = string(value)
	}
	require.Equal(t, map[string]string{"api-key": "a=b $c ${env:HOME}", "x": "true"}, headers)
	grpc := cfg.Exporters[component.MustNewID("otlp_grpc")].(*otlpexporter.Config)
	require.True(t, grpc.ClientConfig.TLS.Insecure)
}

// The order that the design asks for: names before policies, metrics before
// anything is sampled, a bounded queue before every network.
func TestAgentOrder(t *testing.T) {
	t.Setenv("K8S_NODE_NAME", "node-1")
	t.Setenv("K8S_NODE_IP", "10.0.0.1")
	t.Setenv("SIGHTGLASS_METRICS_RECEIVERS", "[ebpf, service_latency, kubelet_stats]")
	cfg := load(t, config.Agent)
	logs := cfg.Service.Pipelines[pipeline.NewID(pipeline.SignalLogs)]
	require.Equal(t, []string{"memory_limiter", "k8s_attributes", "security_policy"}, ids(logs.Processors))
	traces := cfg.Service.Pipelines[pipeline.NewID(pipeline.SignalTraces)]
	require.Equal(t, []string{"memory_limiter", "k8s_attributes"}, ids(traces.Processors))
	require.Contains(t, ids(traces.Exporters), "service_latency")
	metrics := cfg.Service.Pipelines[pipeline.NewID(pipeline.SignalMetrics)]
	require.Equal(t, []string{"ebpf", "service_latency", "kubelet_stats"}, ids(metrics.Receivers))
	for _, name := range []string{"host", "agent", "gateway", "balancer"} {
		cfg := load(t, configs[name])
		require.NotContains(t, slices.Collect(maps.Keys(cfg.Exporters)), component.MustNewID("terminal"))
		queue := cfg.Exporters[component.MustNewID("otlp_grpc")].(*otlpexporter.Config).QueueConfig
		require.True(t, queue.HasValue())
		require.True(t, queue.Get().Batch.HasValue())
	}
}

func TestGatewayMerges(t *testing.T) {
	cfg := load(t, config.Gateway)
	agents := cfg.Service.Pipelines[pipeline.NewIDWithName(pipeline.SignalMetrics, "agents")]
	require.Equal(t, []string{"service_latency"}, ids(agents.Exporters))
	require.Equal(t, []string{"service_latency"}, ids(cfg.Service.Pipelines[pipeline.NewID(pipeline.SignalMetrics)].Receivers))
}
