package request

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/internal/schema"
)

// Dimension is a further attribute of metrics, taken from the span or else from
// its resource.
type Dimension struct {
	Name    attribute.Pattern
	Default string   // for spans without it; ignored if Name is a pattern
	Metrics []string // empty = all
}

// Options configure a Catalog.
type Options struct {
	// Shape makes the histogram shape of a metric.
	Shape      func(*Definition) *aggregate.Shape
	Enabled    func(*Definition) bool
	Dimensions []Dimension
	Exclude    []attribute.Pattern
	// AllowUnbounded lets patterns match attributes that are known to have no
	// bounded set of values.
	AllowUnbounded bool
	// Ends and Texts have the other ends of requests and the texts of
	// statements read, too.
	Ends, Texts bool
}

// Catalog is the table of metrics with the configuration applied. It is
// immutable and safe for concurrent use.
type Catalog struct {
	options  Options
	table    *attribute.Table
	metrics  [definitions]*Metric // nil = off
	defaults []fallback
	names    [slots]string
	top      Slot // first unused slot
	patterns []attribute.Pattern
}

// fallback is the value of a dimension for spans that do not have it.
type fallback struct {
	slot  Slot
	value aggregate.Value
}

// NewCatalog applies options, which must be valid.
func NewCatalog(options Options) *Catalog {
	c := &Catalog{options: options, table: slotTable(options.skip()), top: firstConfigured}
	for slot, names := range slotNames {
		c.names[slot] = names[0]
	}
	for i := range Definitions {
		if d := &Definitions[i]; options.Enabled(d) {
			c.metrics[i] = c.newMetric(i, d)
		}
	}
	for _, d := range options.Dimensions {
		c.addDimension(d)
	}
	for _, m := range c.metrics {
		if m != nil {
			c.finish(m)
		}
	}
	return c
}

func (o *Options) skip() (unread []Slot) {
	if !o.Ends {
		unread = append(unread, endSlots...)
	}
	if !o.Texts {
		unread = append(unread, textSlots...)
	}
	return unread
}

func (c *Catalog) newMetric(id int, d *Definition) *Metric {
	return &Metric{
		Metric: aggregate.Metric{
			ID: uint32(id), Name: d.Name, Description: d.Description, Unit: "s", Shape: c.options.Shape(d),
		},
		Server: id == httpServer || id == rpcServer || id == dbServer || id == messagingProcess || id == messagingServer || id == otherServer,
		slots:  slices.Clone(d.slots),
	}
}

// addDimension gives a dimension a slot and its metrics the dimension. A
// pattern also stands for the attributes that have a slot anyway.
func (c *Catalog) addDimension(d Dimension) {
	if !d.Name.Exact() {
		c.patterns = append(c.patterns, d.Name)
		for slot := range firstConfigured {
			if c.wantedByPattern(c.names[slot]) {
				c.append(slot, d.Metrics)
			}
		}
		return
	}
	name := string(d.Name)
	found, _, ok := c.table.Find(name)
	slot := Slot(found)
	if !ok {
		slot = c.top
		c.top++
		c.names[slot] = name
		c.table.Add(name, uint8(slot), attribute.Current)
	}
	if d.Default != "" {
		c.defaults = append(c.defaults, fallback{slot, aggregate.StringValue(d.Default)})
	}
	c.append(slot, d.Metrics)
}

func (c *Catalog) append(slot Slot, metrics []string) {
	for _, m := range c.metrics {
		if m == nil || slices.Contains(m.slots, slot) {
			continue
		}
		if len(metrics) == 0 || slices.Contains(metrics, m.Name) {
			m.slots = append(m.slots, slot)
		}
	}
}

// finish removes what is excluded and names the attributes.
func (c *Catalog) finish(m *Metric) {
	m.slots = slices.DeleteFunc(m.slots, func(slot Slot) bool {
		return attribute.MatchAny(c.options.Exclude, c.names[slot])
	})
	for _, slot := range m.slots {
		m.Attributes = append(m.Attributes, c.names[slot])
	}
}

func (c *Catalog) wantedByPattern(name string) bool {
	return attribute.MatchAny(c.patterns, name) &&
		!attribute.MatchAny(c.options.Exclude, name) &&
		(c.options.AllowUnbounded || !attribute.Unbounded(name))
}

// Metrics returns the metrics that are on.
func (c *Catalog) Metrics() []*Metric {
	return slices.DeleteFunc(slices.Clone(c.metrics[:]), func(m *Metric) bool { return m == nil })
}

// Resource is what spans inherit from their resource. It is reused from
// resource to resource by one goroutine.
type Resource struct {
	inPod  bool
	fields Fields
}

// ReadResource prepares for the spans of a resource; r's strings are the resource's.
func (c *Catalog) ReadResource(resource pcommon.Resource, r *Resource) {
	r.fields.reset()
	r.inPod = false
	for name, v := range resource.Attributes().All() {
		if name == schema.K8sPodUID || name == schema.K8sPodName {
			r.inPod = true
		}
		slot, _, ok := c.table.Find(name)
		switch {
		case ok && Slot(slot) >= firstConfigured:
			r.fields.put(Slot(slot), attribute.Value(v))
		case len(c.patterns) > 0:
			c.match(name, v, &r.fields)
		}
	}
}

// inherit fills configured dimensions that the span does not have.
func (c *Catalog) inherit(f *Fields, r *Resource) {
	for slot := firstConfigured; slot < c.top; slot++ {
		if !f.Has(slot) && r.fields.Has(slot) {
			f.put(slot, r.fields.values[slot])
		}
	}
	for _, d := range c.defaults {
		if !f.Has(d.slot) {
			f.put(d.slot, d.value)
		}
	}
	for _, m := range r.fields.matched {
		own := slices.ContainsFunc(f.matched, func(o matched) bool { return o.name == m.name })
		if !own && len(f.matched) < maxMatched {
			f.insert(m)
		}
	}
}
