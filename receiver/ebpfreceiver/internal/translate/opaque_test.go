package translate

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

func TestOpaqueConnections(t *testing.T) {
	c := NewOpaqueConnections(Host{}, "1", time.Unix(1, 0))
	db, tool := Owner{Process: processTool, Cgroup: dockerInfo}, Owner{Process: processTool, Cgroup: rootInfo}
	require.True(t, c.Add(db, "postgresql", "tls", ""))
	require.False(t, c.Add(db, "postgresql", "tls", ""))
	require.True(t, c.Add(tool, "tls", "tls", "Java's own TLS"))
	got := map[string]int64{}
	for _, rm := range c.Metrics(time.Unix(2, 0)).ResourceMetrics().All() {
		m := rm.ScopeMetrics().At(0).Metrics().At(0)
		require.Equal(t, schema.MetricOpaqueConnections, m.Name())
		require.True(t, m.Sum().IsMonotonic())
		service, _ := rm.Resource().Attributes().Get(schema.ServiceName)
		for _, dp := range m.Sum().DataPoints().All() {
			protocol, _ := dp.Attributes().Get(schema.NetworkProtocolName)
			form, _ := dp.Attributes().Get(schema.ReasonAttr)
			if detail, ok := dp.Attributes().Get(schema.DetailAttr); ok {
				form.SetStr(detail.Str())
			}
			got[service.Str()+" "+protocol.Str()+" "+form.Str()] = dp.IntValue()
		}
	}
	require.Equal(t, map[string]int64{"db postgresql tls": 2, "tool tls Java's own TLS": 1}, got)
}

func TestOpaqueConnectionsAreBounded(t *testing.T) {
	c := NewOpaqueConnections(Host{}, "1", time.Unix(1, 0))
	for i := range maxOpaqueSeries + 10 {
		c.Add(Owner{Process: processTool, Cgroup: rootInfo}, strconv.Itoa(i), "tls", "")
	}
	require.Len(t, c.series, maxOpaqueSeries)
}
