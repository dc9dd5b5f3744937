package translate

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
)

func activePoints(t *testing.T, m pmetric.Metrics) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	for _, rm := range m.ResourceMetrics().All() {
		service, _ := rm.Resource().Attributes().Get(schema.ServiceName)
		metric := rm.ScopeMetrics().At(0).Metrics().At(0)
		require.Equal(t, "http.server.active_requests", metric.Name())
		require.False(t, metric.Sum().IsMonotonic())
		for _, dp := range metric.Sum().DataPoints().All() {
			method, _ := dp.Attributes().Get(schema.HTTPRequestMethod)
			scheme, _ := dp.Attributes().Get(schema.URLScheme)
			got[service.Str()+" "+method.Str()+" "+scheme.Str()] = dp.IntValue()
		}
	}
	return got
}

func TestActiveRequests(t *testing.T) {
	a := NewActiveRequests(Host{}, "1", time.Unix(1, 0))
	db, tool := Owner{Process: processTool, Cgroup: dockerInfo}, Owner{Process: processTool, Cgroup: rootInfo}
	a.Begin()
	a.Add(db, "GET", "http")
	a.Add(db, "GET", "http")
	a.Add(db, "POST", "https")
	a.Add(tool, "GET", "http")
	require.Equal(t, map[string]int64{"db GET http": 2, "db POST https": 1, "tool GET http": 1}, activePoints(t, a.Metrics(time.Unix(2, 0))))
	a.Begin()
	a.Add(tool, "GET", "http")
	require.Equal(t, map[string]int64{"db GET http": 0, "db POST https": 0, "tool GET http": 1}, activePoints(t, a.Metrics(time.Unix(3, 0))))
	for range idleActive {
		a.Begin()
		a.Add(tool, "GET", "http")
	}
	require.Equal(t, map[string]int64{"tool GET http": 1}, activePoints(t, a.Metrics(time.Unix(4, 0))), "an idle series ends")
}

func TestActiveRequestsAreBounded(t *testing.T) {
	a := NewActiveRequests(Host{}, "1", time.Unix(1, 0))
	a.Begin()
	for i := range maxActiveSeries + 10 {
		a.Add(Owner{Process: processTool, Cgroup: rootInfo}, strconv.Itoa(i), "http")
	}
	require.Len(t, a.series, maxActiveSeries)
}
