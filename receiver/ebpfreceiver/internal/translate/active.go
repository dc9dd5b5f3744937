package translate

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
)

// Bounds of ActiveRequests: series, and readings after which one without a
// request ends.
const (
	maxActiveSeries = 10_000
	idleActive      = 60
)

// ActiveRequests is how many requests each service is serving at the moment:
// http.server.active_requests. Spans tell of requests that have ended only. Not
// safe for concurrent use.
type ActiveRequests struct {
	host    Host
	version string
	start   pcommon.Timestamp
	reading uint64
	series  map[activeKey]*activeSeries
}

type activeKey struct {
	owner          resourceKey
	method, scheme string
}

type activeSeries struct {
	owner Owner
	n     int64
	seen  uint64 // last reading with a request
}

// NewActiveRequests returns an empty collection. start is when counting began.
func NewActiveRequests(host Host, version string, start time.Time) *ActiveRequests {
	return &ActiveRequests{
		host: host, version: version, start: pcommon.NewTimestampFromTime(start),
		series: make(map[activeKey]*activeSeries),
	}
}

// Begin starts a reading.
func (a *ActiveRequests) Begin() {
	a.reading++
	for k, s := range a.series {
		s.n = 0
		if a.reading-s.seen > idleActive {
			delete(a.series, k)
		}
	}
}

// Add counts a request that is being served.
func (a *ActiveRequests) Add(o Owner, method, scheme string) {
	k := activeKey{owner: o.key(), method: method, scheme: scheme}
	s := a.series[k]
	if s == nil {
		if len(a.series) >= maxActiveSeries {
			return
		}
		s = &activeSeries{owner: o}
		a.series[k] = s
	}
	s.n++
	s.seen = a.reading
}

// Metrics makes the metrics of the reading. A service that serves nothing any
// more says so for a while.
func (a *ActiveRequests) Metrics(now time.Time) pmetric.Metrics {
	out := pmetric.NewMetrics()
	services := make(map[resourceKey]pmetric.NumberDataPointSlice)
	for k, s := range a.series {
		points, ok := services[k.owner]
		if !ok {
			points = a.host.sumOf(out, s.owner, a.version, schema.MetricActiveRequests, "{request}", "Number of active HTTP server requests.").DataPoints()
			services[k.owner] = points
		}
		dp := points.AppendEmpty()
		dp.SetStartTimestamp(a.start)
		dp.SetTimestamp(pcommon.NewTimestampFromTime(now))
		dp.SetIntValue(s.n)
		put(dp.Attributes(), schema.HTTPRequestMethod, k.method)
		put(dp.Attributes(), schema.URLScheme, k.scheme)
	}
	return out
}
