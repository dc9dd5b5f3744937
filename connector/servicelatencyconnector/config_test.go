package servicelatencyconnector

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
)

// loadConfig returns a configuration of testdata/config.yaml.
func loadConfig(t *testing.T, name string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestConfigs(t *testing.T) {
	on, off := true, false
	agent := createDefaultConfig().(*Config)
	agent.FlushInterval = 10 * time.Second
	for name, want := range map[string]*Config{
		"":      createDefaultConfig().(*Config),
		"agent": agent,
		"everything": {
			FlushInterval: time.Minute,
			Temporality:   Delta,
			Histogram:     HistogramConfig{Type: Explicit, MaxSize: 320, MaxScale: 4},
			Metrics: map[string]MetricConfig{
				"http.server.request.duration": {Boundaries: []float64{0.1, 1, 10}},
				"dns.lookup.duration":          {Enabled: &on},
				"rpc.client.call.duration":     {Enabled: &off},
			},
			ResourceAttributes: []string{"service.name", "team"},
			Dimensions: []DimensionConfig{
				{Name: "tenant", Default: "none"},
				{Name: "app.*", Metrics: []string{"http.server.request.duration"}},
				{Name: "server.address"},
			},
			ExcludeDimensions:        []attribute.Pattern{"url.scheme", "db.*"},
			AllowUnboundedDimensions: true,
			CardinalityLimit:         CardinalityConfig{Total: 1000, PerService: 100, Services: 10},
			SeriesExpiration:         time.Hour,
			Exemplars:                ExemplarsConfig{MaxPerSeries: 1, Filter: AllSpans, SamplingPercentage: 10},
			ServiceMap: ServiceMapConfig{
				Enabled: true, Names: GrafanaNames, Wait: 2 * time.Second, MaxWaiting: 100,
				Networks: map[string][]string{"office": {"192.0.2.0/24"}},
			},
			Objectives: []ObjectiveConfig{
				{
					Name: "checkout", Threshold: 300 * time.Millisecond, Service: "shop*", Namespace: "prod", Operation: "/pay/*",
					Metrics: []string{"http.server.request.duration"},
				},
				{Name: "all", Threshold: time.Second},
			},
			Merge:      MergeConfig{DropResourceAttributes: []attribute.Pattern{"host.*"}},
			Statements: StatementsConfig{Interval: 5 * time.Minute, Top: 3, MaxTracked: 100, MaxTextBytes: 512},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := loadConfig(t, name)
			require.NoError(t, err)
			require.NoError(t, confmap.Validate(cfg))
			require.Equal(t, want, cfg)
			newCatalog(cfg)
		})
	}
}

func TestConfigErrorsNameKeyAndRemedy(t *testing.T) {
	for name, want := range map[string][]string{
		"wrong_times":       {"metrics_flush_interval: 1ms is too short; use at least 100ms"},
		"short_expiration":  {"series_expiration: 1m30s is shorter than two flushes; use at least 2m0s"},
		"wrong_temporality": {`aggregation_temporality: "Delta" is unknown; use one of ["cumulative" "delta"]`},
		"wrong_histogram": {
			`histogram: type: "gauge" is unknown; use one of ["exponential" "explicit"]`,
			"max_size: 1 is out of range; use 4 to 1024", "max_scale: 20 is out of range; use -4 to 8",
		},
		"wrong_metrics": {
			"metrics::http.server.duration: no such metric; use one of [http.server.request.duration",
			"metrics::db.client.operation.duration::boundaries: [1 0.5] must ascend",
		},
		"wrong_resource": {"resource_attributes: entry 1 is empty; remove it", `resource_attributes: "k8s.*" is a pattern; list the names`},
		"wrong_dimensions": {
			`dimensions[0]::name: "client.address" has a value of its own for every address`, "allow_unbounded_dimensions: true",
			`dimensions[2]: "tenant" is listed twice; remove one`,
			"dimensions[3]::default: a pattern has no default",
			`dimensions[4]::metrics: no metric "nothing"; use some of`,
			`dimensions::5::name: "*" matches every attribute; name a prefix`,
			"exclude_dimensions::0: an attribute name must not be empty",
		},
		"many_dimensions": {"dimensions: 17 are too many; use at most 16"},
		"wrong_limits": {
			"cardinality_limit: total: 0 is out of range; use 1 to 10000000", "per_service: -1 is out of range", "services: 100000000 is out of range",
		},
		"wrong_exemplars": {
			`exemplars: filter: "some" is unknown; use one of ["sampled" "all"]`, "max_per_series: 1000 is out of range; use 0 (off) to 100",
		},
		"wrong_statements": {
			"statements: interval: 1ms is too short; use at least 1s", "top: 0 is out of range; use 1 to 1000",
			"max_tracked: 0 is out of range", "max_text_bytes: 1 is out of range; use 64 to 65536",
		},
		"wrong_map": {
			`service_map: names: "other" is unknown; use one of ["sightglass" "grafana"]`, "wait: 1h0m0s is out of range",
			"max_waiting: 0 is out of range", `networks::office: "192.0.2.0" is not a range of addresses`,
		},
		"wrong_objectives": {
			"objectives[0]::name: an objective needs a name", "objectives[1]::threshold: 0s is no duration",
			`objectives[2]::name: "a" is taken`, `objectives[2]::metrics: no metric "nothing"`,
		},
		"wrong_merge": {`merge::drop_resource_attributes::0: "*" matches every attribute; name a prefix`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := loadConfig(t, name)
			require.NoError(t, err)
			err = confmap.Validate(cfg)
			for _, text := range want {
				require.ErrorContains(t, err, text)
			}
		})
	}
	_, err := loadConfig(t, "unknown_key")
	require.ErrorContains(t, err, "flush_interval")
}

func TestTooManyEntries(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Objectives = make([]ObjectiveConfig, 65)
	require.ErrorContains(t, cfg.Validate(), "objectives: 65 are too many; use at most 64")
	cfg.Objectives = nil
	cfg.ResourceAttributes = make([]string, 65)
	for i := range cfg.ResourceAttributes {
		cfg.ResourceAttributes[i] = "a"
	}
	require.ErrorContains(t, cfg.Validate(), "resource_attributes: 65 are too many; use at most 64")
}

func TestShapesFollowTheConfiguration(t *testing.T) {
	cfg, err := loadConfig(t, "everything")
	require.NoError(t, err)
	bounds := map[string][]float64{}
	for _, m := range newCatalog(cfg).Metrics() {
		bounds[m.Name] = m.Shape.Bounds()
	}
	require.Equal(t, []float64{0.1, 1, 10}, bounds["http.server.request.duration"])
	require.Equal(t, []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}, bounds["db.client.operation.duration"])
	require.Contains(t, bounds, "dns.lookup.duration")
	require.NotContains(t, bounds, "rpc.client.call.duration")
	require.Len(t, bounds, len(request.Definitions)-1)
}
