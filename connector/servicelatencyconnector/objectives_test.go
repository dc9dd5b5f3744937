package servicelatencyconnector

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/alloctest"
)

// objectiveCounts returns "good/total" by service and objective.
func objectiveCounts(list []row) map[string]string {
	good, total := map[string]uint64{}, map[string]uint64{}
	for _, r := range list {
		key := fmt.Sprint(r.resource["service.name"], " ", r.attrs[objectiveName])
		switch r.metric {
		case metricObjectiveGood:
			good[key] += r.count
		case metricObjectiveTotal:
			total[key] += r.count
		}
	}
	out := map[string]string{}
	for key, n := range total {
		out[key] = fmt.Sprint(good[key], "/", n)
	}
	return out
}

func TestObjectives(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Objectives = []ObjectiveConfig{
			{Name: "all", Threshold: time.Second},
			{Name: "pay", Threshold: 100 * time.Millisecond, Service: "shop*", Operation: "/pay/*"},
			{Name: "prod", Threshold: time.Second, Namespace: "prod"},
			{Name: "db", Threshold: time.Second, Metrics: []string{"db.client.operation.duration"}},
		}
	})
	failed := get("/pay/{id}", time.Millisecond)
	failed.status = ptrace.StatusCodeError
	stream := get("/pay/{id}", time.Hour)
	stream.attrs["sightglass.request.class"] = "stream"
	inside := get("/pay/{id}", time.Hour)
	inside.attrs["network.peer.address"] = "127.0.0.1"
	spans := []spanOf{
		get("/pay/{id}", 100*time.Millisecond), get("/pay/{id}", 101*time.Millisecond), get("/cart", 2*time.Second), failed, stream, inside,
		{kind: ptrace.SpanKindClient, duration: time.Second, attrs: attrs{"db.system.name": "mysql"}},
	}
	r.consume(tracesOf(t, attrs{"service.name": "shop-eu", "k8s.pod.name": "p"}, "", spans...))
	r.consume(tracesOf(t, attrs{"service.name": "cart", "k8s.namespace.name": "prod", "k8s.pod.name": "p"}, "", spans...))
	require.Equal(t, map[string]string{
		"shop-eu all": "2/4", "shop-eu pay": "1/3", "shop-eu db": "1/1",
		"cart all": "2/4", "cart prod": "2/4", "cart db": "1/1",
	}, objectiveCounts(r.flush()))
}

func TestObjectivesAreExactBeyondTheLimit(t *testing.T) {
	r := newRig(t, delta, func(c *Config) {
		c.CardinalityLimit.PerService = 1
		c.Objectives = []ObjectiveConfig{{Name: "all", Threshold: time.Second}}
	})
	for i := range 10 {
		r.consume(tracesOf(t, attrs{"service.name": "a"}, "", get(fmt.Sprint("/", i), time.Duration(i)*200*time.Millisecond)))
	}
	require.Equal(t, map[string]string{"a all": "6/10"}, objectiveCounts(r.flush()))
}

func TestEdgesAndObjectivesDoNotAllocate(t *testing.T) {
	for _, names := range []func(*Config){withMap, withGraph} {
		r := newRig(t, names, func(c *Config) {
			c.Objectives = []ObjectiveConfig{{Name: "all", Threshold: time.Second, Service: "s*", Operation: "/*"}}
			c.ServiceMap.MaxWaiting = 100
		})
		traces := shopTraces(t)
		traces.MarkReadOnly()
		for range 100 { // until the store of waiting requests is full and turns over
			r.consume(traces)
		}
		for range 3 {
			r.flush()
			r.consume(traces)
		}
		require.Zero(t, alloctest.PerRun(50, func() { _ = r.ConsumeTraces(t.Context(), traces) }))
	}
}
