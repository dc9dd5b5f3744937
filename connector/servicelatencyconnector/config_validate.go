package servicelatencyconnector

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/identity"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/servicemap"
)

// Validate reports every value that cannot be meant, with its key and a remedy.
// The blocks and the patterns validate themselves.
func (c *Config) Validate() error {
	return errors.Join(
		c.validateTimes(),
		oneOf("aggregation_temporality", c.Temporality, Cumulative, Delta),
		c.validateMetrics(),
		c.validateResourceAttributes(),
		c.validateDimensions(),
		c.validateObjectives(),
	)
}

func (c *Config) validateTimes() error {
	switch {
	case c.FlushInterval < 100*time.Millisecond:
		return fmt.Errorf("metrics_flush_interval: %v is too short; use at least 100ms, for example 10s", c.FlushInterval)
	case c.SeriesExpiration < 2*c.FlushInterval:
		return fmt.Errorf("series_expiration: %v is shorter than two flushes; use at least %v",
			c.SeriesExpiration, 2*c.FlushInterval)
	default:
		return nil
	}
}

func (c *Config) validateMetrics() error {
	var errs error
	for name, m := range c.Metrics {
		if !knownMetric(name) {
			errs = errors.Join(errs, fmt.Errorf("metrics::%s: no such metric; use one of %v", name, metricNames()))
		}
		if !strictlyAscending(m.Boundaries) {
			errs = errors.Join(errs, fmt.Errorf("metrics::%s::boundaries: %v must ascend, in seconds, as in [0.1, 0.5, 1]", name, m.Boundaries))
		}
	}
	return errs
}

func strictlyAscending(bounds []float64) bool {
	for i, b := range bounds {
		if !(b > 0) || i > 0 && bounds[i-1] >= b {
			return false
		}
	}
	return true
}

func knownMetric(name string) bool { return slices.Contains(metricNames(), name) }

func metricNames() []string {
	names := make([]string, len(request.Definitions))
	for i := range request.Definitions {
		names[i] = request.Definitions[i].Name
	}
	return names
}

func (c *Config) validateResourceAttributes() error {
	var errs error
	if n := len(c.ResourceAttributes); n > identity.MaxAttributes {
		errs = fmt.Errorf("resource_attributes: %d are too many; use at most %d", n, identity.MaxAttributes)
	}
	for i, name := range c.ResourceAttributes {
		switch {
		case name == "":
			errs = errors.Join(errs, fmt.Errorf("resource_attributes: entry %d is empty; remove it", i+1))
		case !attribute.Pattern(name).Exact():
			errs = errors.Join(errs, fmt.Errorf("resource_attributes: %q is a pattern; list the names that identify a service", name))
		}
	}
	return errs
}

func (c *Config) validateDimensions() error {
	var errs error
	if n := len(c.Dimensions); n > request.MaxDimensions {
		errs = fmt.Errorf("dimensions: %d are too many; use at most %d, or a pattern such as \"app.*\"", n, request.MaxDimensions)
	}
	seen := map[attribute.Pattern]bool{}
	for i, d := range c.Dimensions {
		key := fmt.Sprintf("dimensions[%d]", i)
		if seen[d.Name] {
			errs = errors.Join(errs, fmt.Errorf("%s: %q is listed twice; remove one", key, d.Name))
		}
		seen[d.Name] = true
		errs = errors.Join(errs, c.validateDimension(key, d))
	}
	return errs
}

func (c *Config) validateDimension(key string, d DimensionConfig) error {
	var errs error
	if attribute.Unbounded(string(d.Name)) && !c.AllowUnboundedDimensions {
		errs = fmt.Errorf(
			"%s::name: %q has a value of its own for every address, connection or user and would make a series of each; "+
				"choose another attribute, or set allow_unbounded_dimensions: true", key, d.Name)
	}
	if d.Default != "" && !d.Name.Exact() {
		errs = errors.Join(errs, fmt.Errorf("%s::default: a pattern has no default; name the attribute or remove the default", key))
	}
	for _, name := range d.Metrics {
		if !knownMetric(name) {
			errs = errors.Join(errs, fmt.Errorf("%s::metrics: no metric %q; use some of %v", key, name, metricNames()))
		}
	}
	return errs
}

func (c *Config) validateObjectives() error {
	var errs error
	if n := len(c.Objectives); n > maxObjectives {
		errs = fmt.Errorf("objectives: %d are too many; use at most %d, with patterns for several services", n, maxObjectives)
	}
	seen := map[string]bool{}
	for i, o := range c.Objectives {
		key := fmt.Sprintf("objectives[%d]", i)
		switch {
		case o.Name == "":
			errs = errors.Join(errs, fmt.Errorf("%s::name: an objective needs a name; it becomes the attribute %s", key, objectiveName))
		case seen[o.Name]:
			errs = errors.Join(errs, fmt.Errorf("%s::name: %q is taken; choose another", key, o.Name))
		}
		seen[o.Name] = true
		if o.Threshold <= 0 {
			errs = errors.Join(errs, fmt.Errorf("%s::threshold: %v is no duration for a good request; write for example 300ms", key, o.Threshold))
		}
		for _, name := range o.Metrics {
			if !knownMetric(name) {
				errs = errors.Join(errs, fmt.Errorf("%s::metrics: no metric %q; use some of %v", key, name, metricNames()))
			}
		}
	}
	return errs
}

// Validate checks the service_map block.
func (c *ServiceMapConfig) Validate() error {
	errs := oneOf("names", c.Names, SightglassNames, GrafanaNames)
	if c.Wait < 0 || c.Wait > 5*time.Minute {
		errs = errors.Join(errs, fmt.Errorf("wait: %v is out of range; use up to 5m, by default 5s", c.Wait))
	}
	if c.MaxWaiting < 1 || c.MaxWaiting > 1_000_000 {
		errs = errors.Join(errs, fmt.Errorf("max_waiting: %d is out of range; use 1 to 1000000", c.MaxWaiting))
	}
	if _, err := servicemap.ParseNetworks(c.Networks); err != nil {
		errs = errors.Join(errs, fmt.Errorf("networks::%w", err))
	}
	return errs
}

// Validate checks the histogram block.
func (c *HistogramConfig) Validate() error {
	errs := oneOf("type", c.Type, Exponential, Explicit)
	if c.MaxSize < 4 || c.MaxSize > 1024 {
		errs = errors.Join(errs, fmt.Errorf("max_size: %d is out of range; use 4 to 1024, by default 160", c.MaxSize))
	}
	if c.MaxScale < -4 || c.MaxScale > aggregate.MaxScale {
		errs = errors.Join(errs, fmt.Errorf("max_scale: %d is out of range; use -4 to %d", c.MaxScale, aggregate.MaxScale))
	}
	return errs
}

// Validate checks the cardinality_limit block.
func (c *CardinalityConfig) Validate() error {
	var errs error
	for _, limit := range []struct {
		key   string
		value int
	}{{"total", c.Total}, {"per_service", c.PerService}, {"services", c.Services}} {
		if limit.value < 1 || limit.value > 10_000_000 {
			errs = errors.Join(errs, fmt.Errorf("%s: %d is out of range; use 1 to 10000000", limit.key, limit.value))
		}
	}
	return errs
}

// Validate checks the exemplars block.
func (c *ExemplarsConfig) Validate() error {
	errs := oneOf("filter", c.Filter, SampledSpans, AllSpans)
	if c.MaxPerSeries < 0 || c.MaxPerSeries > 100 {
		errs = errors.Join(errs, fmt.Errorf("max_per_series: %d is out of range; use 0 (off) to 100", c.MaxPerSeries))
	}
	if !(c.SamplingPercentage >= 0) || c.SamplingPercentage > 100 {
		errs = errors.Join(errs, fmt.Errorf("sampling_percentage: %v is out of range; use that of the sampler behind, 0 to 100", c.SamplingPercentage))
	}
	return errs
}

// Validate checks the statements block.
func (c *StatementsConfig) Validate() error {
	var errs error
	if c.Interval < time.Second {
		errs = fmt.Errorf("interval: %v is too short; use at least 1s, for example 1m", c.Interval)
	}
	for _, number := range []struct {
		key               string
		value, low, limit int
	}{
		{"top", c.Top, 1, 1000}, {"max_tracked", c.MaxTracked, 1, 100_000}, {"max_text_bytes", c.MaxTextBytes, 64, 65_536},
	} {
		if number.value < number.low || number.value > number.limit {
			errs = errors.Join(errs, fmt.Errorf("%s: %d is out of range; use %d to %d", number.key, number.value, number.low, number.limit))
		}
	}
	return errs
}

func oneOf[T ~string](key string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is unknown; use one of %q", key, value, allowed)
}
