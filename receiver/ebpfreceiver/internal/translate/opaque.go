package translate

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
)

// maxOpaqueSeries bounds OpaqueConnections.
const maxOpaqueSeries = 10_000

// OpaqueConnections counts, by service, the connections that are seen and not
// decoded, so that silence is not taken for the absence of requests. Not safe
// for concurrent use.
type OpaqueConnections struct {
	host    Host
	version string
	start   pcommon.Timestamp
	series  map[opaqueKey]*opaqueSeries
}

type opaqueKey struct {
	owner          resourceKey
	protocol, form string
	detail         string
}

type opaqueSeries struct {
	owner Owner
	n     int64
}

// NewOpaqueConnections returns an empty collection. start is when counting
// began.
func NewOpaqueConnections(host Host, version string, start time.Time) *OpaqueConnections {
	return &OpaqueConnections{
		host: host, version: version, start: pcommon.NewTimestampFromTime(start),
		series: make(map[opaqueKey]*opaqueSeries),
	}
}

// Add counts a connection: protocol is what it began as, form what it became, and
// detail what is in the way, if that is known.
// It reports whether that is new for the owner's service.
func (c *OpaqueConnections) Add(o Owner, protocol, form, detail string) (fresh bool) {
	k := opaqueKey{owner: o.key(), protocol: protocol, form: form, detail: detail}
	s := c.series[k]
	if s == nil {
		if len(c.series) >= maxOpaqueSeries {
			return false
		}
		s = &opaqueSeries{owner: o}
		c.series[k] = s
		fresh = true
	}
	s.n++
	return fresh
}

// Metrics makes the metric, one resource for each service.
func (c *OpaqueConnections) Metrics(now time.Time) pmetric.Metrics {
	out := pmetric.NewMetrics()
	services := make(map[resourceKey]pmetric.NumberDataPointSlice)
	for k, s := range c.series {
		points, ok := services[k.owner]
		if !ok {
			sum := c.host.sumOf(out, s.owner, c.version, schema.MetricOpaqueConnections, "{connection}", "Connections that were seen and not decoded.")
			sum.SetIsMonotonic(true)
			points = sum.DataPoints()
			services[k.owner] = points
		}
		dp := points.AppendEmpty()
		dp.SetStartTimestamp(c.start)
		dp.SetTimestamp(pcommon.NewTimestampFromTime(now))
		dp.SetIntValue(s.n)
		put(dp.Attributes(), schema.NetworkProtocolName, k.protocol)
		put(dp.Attributes(), schema.ReasonAttr, k.form)
		if k.detail != "" {
			put(dp.Attributes(), schema.DetailAttr, k.detail)
		}
	}
	return out
}

// sumOf appends a cumulative sum of a service.
func (h *Host) sumOf(out pmetric.Metrics, o Owner, version, name, unit, description string) pmetric.Sum {
	rm := out.ResourceMetrics().AppendEmpty()
	h.fill(rm.Resource().Attributes(), o)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(schema.ScopeName)
	sm.Scope().SetVersion(version)
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	sum := m.SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return sum
}
