package servicelatencyconnector

import (
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
)

// newCatalog applies the configuration to the table of metrics.
func newCatalog(cfg *Config) *request.Catalog {
	options := request.Options{
		Shape:          cfg.shape,
		Enabled:        cfg.enabled,
		Exclude:        cfg.ExcludeDimensions,
		AllowUnbounded: cfg.AllowUnboundedDimensions,
		Ends:           cfg.ServiceMap.Enabled,
	}
	for _, d := range cfg.Dimensions {
		options.Dimensions = append(options.Dimensions, request.Dimension{Name: d.Name, Default: d.Default, Metrics: d.Metrics})
	}
	return request.NewCatalog(options)
}

func (c *Config) enabled(d *request.Definition) bool {
	if on := c.Metrics[d.Name].Enabled; on != nil {
		return *on
	}
	return !d.Off
}

// shape returns how a metric's durations are kept.
func (c *Config) shape(d *request.Definition) *aggregate.Shape {
	if c.Histogram.Type == Exponential {
		return aggregate.NewExponential(c.Histogram.MaxSize, c.Histogram.MaxScale)
	}
	if own := c.Metrics[d.Name].Boundaries; len(own) > 0 {
		return aggregate.NewExplicit(own)
	}
	return aggregate.NewExplicit(d.Boundaries)
}
