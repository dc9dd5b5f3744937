package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/sightglass/sightglass/config"
)

func TestExposedPipelines(t *testing.T) {
	for name, tt := range map[string]struct {
		pipelines string
		want      []string
	}{
		"one that masks":    {"{logs: {receivers: [ebpf], processors: [security_policy], exporters: [otlp_grpc]}}", nil},
		"no processor":      {"{logs: {receivers: [ebpf], exporters: [otlp_grpc]}, logs/x: {receivers: [ebpf], exporters: [file]}}", nil},
		"one past it":       {"{logs: {receivers: [ebpf], processors: [security_policy], exporters: [otlp_grpc]}, logs/raw: {receivers: [ebpf], exporters: [file]}}", []string{"logs/raw"}},
		"of other receiver": {"{logs: {receivers: [ebpf], processors: [security_policy], exporters: [otlp_grpc]}, logs/raw: {receivers: [otlp], exporters: [file]}}", nil},
		"behind it":         {"{logs: {receivers: [ebpf], processors: [security_policy/a], exporters: [forward]}, logs/b: {receivers: [forward], exporters: [file]}}", nil},
		"before it":         {"{logs: {receivers: [ebpf], exporters: [forward]}, logs/b: {receivers: [forward], processors: [security_policy], exporters: [file]}}", nil},
		"beside a connector": {
			"{logs/a: {receivers: [ebpf/x], exporters: [forward]}, logs/b: {receivers: [forward], processors: [security_policy], exporters: [file]}, logs/c: {receivers: [forward], exporters: [file]}}",
			[]string{"logs/c"},
		},
		"in a circle": {"{logs/a: {receivers: [ebpf, forward], exporters: [forward]}, logs/b: {receivers: [otlp], processors: [security_policy], exporters: [file]}}", nil},
		"other signals": {
			"{logs: {receivers: [ebpf], processors: [security_policy], exporters: [otlp_grpc]}, traces: {receivers: [ebpf], exporters: [file]}}", nil,
		},
		"nothing": {"{}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, exposed(parsed(t, "connectors: {forward: {}}\nservice: {pipelines: "+tt.pipelines+"}\n")))
		})
	}
}

func TestNoConfigurationOfOursIsExposed(t *testing.T) {
	for name, text := range map[string]string{"local": config.Local, "host": config.Host, "agent": config.Agent} {
		require.Empty(t, exposed(parsed(t, text)), name)
	}
	require.Empty(t, exposed(nil))
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf.ToStringMap()
}
