package servicelatencyconnector

import (
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/identity"
)

// Config configures the connector. The same configuration serves all pairs of
// signals; each ignores what does not concern it.
type Config struct {
	// FlushInterval is the time between two flushes. The first one follows the
	// first data within a second.
	FlushInterval time.Duration `mapstructure:"metrics_flush_interval"`
	// Temporality of what is sent: "cumulative" or "delta".
	Temporality Temporality `mapstructure:"aggregation_temporality"`
	// Histogram chooses how durations are kept.
	Histogram HistogramConfig `mapstructure:"histogram"`
	// Metrics switches and adjusts single metrics, by name.
	Metrics map[string]MetricConfig `mapstructure:"metrics"`
	// ResourceAttributes identify a service; all others are dropped, so that
	// replicas share their series. service.name is always one of them.
	ResourceAttributes []string `mapstructure:"resource_attributes"`
	// Dimensions are further attributes of spans or their resources that
	// metrics are split by.
	Dimensions []DimensionConfig `mapstructure:"dimensions"`
	// ExcludeDimensions removes attributes from all metrics; * stands for any text.
	ExcludeDimensions []attribute.Pattern `mapstructure:"exclude_dimensions"`
	// AllowUnboundedDimensions permits addresses, ports and other attributes
	// without a bounded set of values among Dimensions.
	AllowUnboundedDimensions bool `mapstructure:"allow_unbounded_dimensions"`
	// PreferInstrumented leaves out what eBPF sees of processes that send the
	// same metric's spans by an SDK of their own.
	PreferInstrumented bool `mapstructure:"prefer_instrumented"`
	// CardinalityLimit bounds the number of series.
	CardinalityLimit CardinalityConfig `mapstructure:"cardinality_limit"`
	// SeriesExpiration is how long a series without a value is kept, and how
	// long a repetition of a writer's data point is recognised.
	SeriesExpiration time.Duration `mapstructure:"series_expiration"`
	// Exemplars configures the links from histograms to spans.
	Exemplars ExemplarsConfig `mapstructure:"exemplars"`
	// ServiceMap adds metrics of the edges between services.
	ServiceMap ServiceMapConfig `mapstructure:"service_map"`
	// Objectives count the requests that were good enough.
	Objectives []ObjectiveConfig `mapstructure:"objectives"`
	// Merge configures the pair metrics -> metrics.
	Merge MergeConfig `mapstructure:"merge"`
	// Statements configures the pair traces -> logs.
	Statements StatementsConfig `mapstructure:"statements"`
}

// Temporality says what a data point covers.
type Temporality string

// The temporalities.
const (
	Cumulative Temporality = "cumulative"
	Delta      Temporality = "delta"
)

// HistogramType says how the buckets of a histogram are chosen.
type HistogramType string

// The types of histograms.
const (
	Exponential HistogramType = "exponential"
	Explicit    HistogramType = "explicit"
)

// HistogramConfig chooses how durations are kept.
type HistogramConfig struct {
	// Type is "exponential" or "explicit".
	Type HistogramType `mapstructure:"type"`
	// MaxSize is the most buckets that an exponential histogram may have.
	MaxSize int `mapstructure:"max_size"`
	// MaxScale is the scale that an exponential histogram begins with: 2^scale
	// buckets per power of two.
	MaxScale int `mapstructure:"max_scale"`
}

// MetricConfig adjusts one metric.
type MetricConfig struct {
	// Enabled switches the metric on or off.
	Enabled *bool `mapstructure:"enabled"`
	// Boundaries replaces the conventions' boundaries of explicit histograms, in seconds.
	Boundaries []float64 `mapstructure:"boundaries"`
}

// DimensionConfig is one further dimension.
type DimensionConfig struct {
	// Name of the attribute; * stands for any text.
	Name attribute.Pattern `mapstructure:"name"`
	// Default is the value for requests without the attribute; without a
	// default they go without.
	Default string `mapstructure:"default"`
	// Metrics that get the dimension; all if empty.
	Metrics []string `mapstructure:"metrics"`
}

// CardinalityConfig bounds the number of series. What comes beyond is counted
// in series marked otel.metric.overflow, so that totals stay exact.
type CardinalityConfig struct {
	// Total is for all services together.
	Total int `mapstructure:"total"`
	// PerService is for one service.
	PerService int `mapstructure:"per_service"`
	// Services bounds the number of services.
	Services int `mapstructure:"services"`
}

// ExemplarsConfig configures exemplars.
type ExemplarsConfig struct {
	// MaxPerSeries is the most exemplars of a data point; 0 switches them off.
	MaxPerSeries int `mapstructure:"max_per_series"`
	// Filter is "sampled" (only spans that the sender's flags promise to
	// arrive) or "all".
	Filter ExemplarFilter `mapstructure:"filter"`
	// SamplingPercentage is that of a probabilistic_sampler in its mode
	// equalizing behind the connector: exemplars are then of spans that it keeps.
	SamplingPercentage float64 `mapstructure:"sampling_percentage"`
}

// ExemplarFilter says which spans may become exemplars.
type ExemplarFilter string

// The filters.
const (
	SampledSpans ExemplarFilter = "sampled"
	AllSpans     ExemplarFilter = "all"
)

// MergeConfig configures the merging of other connectors' delta streams.
type MergeConfig struct {
	// DropResourceAttributes are removed before merging: what tells replicas,
	// nodes and writers apart. * stands for any text.
	DropResourceAttributes []attribute.Pattern `mapstructure:"drop_resource_attributes"`
}

// ServiceMapConfig configures the edges between services.
type ServiceMapConfig struct {
	// Enabled adds the edges' metrics.
	Enabled bool `mapstructure:"enabled"`
	// Names is "sightglass" (one metric, as precise as the others) or "grafana"
	// (those that Grafana's service graph reads, with explicit buckets).
	Names EdgeNames `mapstructure:"names"`
	// Wait is how long a span waits for that of the other end when it does not
	// name the other end itself.
	Wait time.Duration `mapstructure:"wait"`
	// MaxWaiting bounds how many spans wait.
	MaxWaiting int `mapstructure:"max_waiting"`
	// Networks names ranges of addresses, for ends that are not services.
	Networks map[string][]string `mapstructure:"networks"`
}

// EdgeNames says whose names the edges' metrics have.
type EdgeNames string

// The names.
const (
	SightglassNames EdgeNames = "sightglass"
	GrafanaNames    EdgeNames = "grafana"
)

// ObjectiveConfig is a promise about requests: that they succeed, and how soon.
type ObjectiveConfig struct {
	// Name is the value of the counters' attribute sightglass.objective.name.
	Name string `mapstructure:"name"`
	// Threshold is the longest duration of a good request.
	Threshold time.Duration `mapstructure:"threshold"`
	// Service and Namespace choose the services; * stands for any text, empty
	// for all.
	Service   string `mapstructure:"service"`
	Namespace string `mapstructure:"namespace"`
	// Operation chooses by route, method, statement or destination; empty for all.
	Operation string `mapstructure:"operation"`
	// Metrics chooses by the metric that counts the request; all servers' if empty.
	Metrics []string `mapstructure:"metrics"`
}

// StatementsConfig configures the list of slow database statements.
type StatementsConfig struct {
	// Interval is the time that a list covers.
	Interval time.Duration `mapstructure:"interval"`
	// Top is how many statements of a service are listed, by each of total
	// time, count and 95th percentile.
	Top int `mapstructure:"top"`
	// MaxTracked bounds the number of different statements in an interval;
	// further ones are counted together.
	MaxTracked int `mapstructure:"max_tracked"`
	// MaxTextBytes is how much of a statement's text is looked at.
	MaxTextBytes int `mapstructure:"max_text_bytes"`
}

func createDefaultConfig() component.Config {
	return &Config{
		FlushInterval:      10 * time.Second,
		Temporality:        Cumulative,
		Histogram:          HistogramConfig{Type: Exponential, MaxSize: 160, MaxScale: 8},
		ResourceAttributes: identity.DefaultAttributes(),
		PreferInstrumented: true,
		CardinalityLimit:   CardinalityConfig{Total: 50_000, PerService: 2_000, Services: 2_000},
		SeriesExpiration:   15 * time.Minute,
		Exemplars:          ExemplarsConfig{MaxPerSeries: 2, Filter: SampledSpans, SamplingPercentage: 100},
		Merge: MergeConfig{DropResourceAttributes: []attribute.Pattern{
			"host.*", "os.*", "container.*", "process.*", "k8s.pod.*", "k8s.node.*", "k8s.replicaset.*",
			"service.instance.id", "sightglass.writer.id",
		}},
		ServiceMap: ServiceMapConfig{Names: SightglassNames, Wait: 5 * time.Second, MaxWaiting: 10_000},
		Statements: StatementsConfig{Interval: time.Minute, Top: 10, MaxTracked: 2_000, MaxTextBytes: 2_048},
	}
}
