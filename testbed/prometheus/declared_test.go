package prometheus

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// components are those of ours whose own telemetry exists only once something
// has gone wrong, such as counts of losses by reason.
var components = []string{
	"../../receiver/ebpfreceiver/metadata.yaml", "../../connector/servicelatencyconnector/metadata.yaml",
	"../../processor/securitypolicyprocessor/metadata.yaml",
}

// declared are the metrics of their own health that components generate code
// for, by the names that Prometheus shows them under, with their labels. What an
// exporter of the collector's core counts when it fails is declared here.
func declared(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, signal := range []string{"spans", "log_records", "metric_points"} {
		for _, what := range []string{"send", "enqueue"} {
			found["otelcol_exporter_"+what+"_failed_"+signal] = []string{"exporter", "instance"}
		}
	}
	for _, file := range components {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var component struct {
			Attributes map[string]struct {
				NameOverride string `yaml:"name_override"`
			}
			Telemetry struct {
				Metrics map[string]struct {
					Attributes []string
				}
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &component))
		for name, m := range component.Telemetry.Metrics {
			labels := []string{"instance", "job"} // of every target
			for _, a := range m.Attributes {
				if other := component.Attributes[a].NameOverride; other != "" {
					a = other
				}
				labels = append(labels, a)
			}
			found["otelcol_"+name] = labels
		}
	}
	return found
}
