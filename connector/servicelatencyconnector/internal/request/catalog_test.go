package request

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/internal/alloctest"
)

func dimensions(list ...Dimension) func(*Options) {
	return func(o *Options) { o.Dimensions = list }
}

func TestConfiguredDimensions(t *testing.T) {
	c := newCatalog(dimensions(
		Dimension{Name: "tenant", Default: "none"},
		Dimension{Name: "k8s.node.name"},
		Dimension{Name: "network.protocol.name", Metrics: []string{"http.server.request.duration"}},
	))
	resource := attrs{"k8s.node.name": "n1", "tenant": "of the resource"}

	_, got := read(t, c, newSpan(t, server, unset, attrs{"http.request.method": "GET", "tenant": "t1", "network.protocol.name": "http"}), resource)
	require.Equal(t, attrs{"http.request.method": "GET", "tenant": "t1", "k8s.node.name": "n1", "network.protocol.name": "http"}, got)

	_, got = read(t, c, newSpan(t, client, unset, attrs{"http.request.method": "GET", "network.protocol.name": "http"}), resource)
	require.Equal(t, attrs{"http.request.method": "GET", "tenant": "of the resource", "k8s.node.name": "n1"}, got)

	_, got = read(t, c, newSpan(t, client, unset, attrs{"http.request.method": "GET"}), nil)
	require.Equal(t, attrs{"http.request.method": "GET", "tenant": "none"}, got)
}

func TestDimensionsByPattern(t *testing.T) {
	c := newCatalog(dimensions(Dimension{Name: "app.*"}, Dimension{Name: "messaging.*"}, Dimension{Name: "rpc.*"}), func(o *Options) {
		o.Exclude = []attribute.Pattern{"app.secret.*", "url.scheme"}
	})
	span := attrs{
		"http.request.method": "GET", "url.scheme": "http", "app.b": 1, "app.a": true, "app.secret.key": "x",
		"app.peer.address": "1.2.3.4", "apples": 1, "messaging.destination.name": "d", "rpc.x": []any{"y"},
	}
	resource := attrs{"app.c": 0.5, "app.a": "the span's wins", "host.name": "h"}
	want := attrs{
		"http.request.method": "GET", "app.b": int64(1), "app.a": true, "app.c": 0.5,
		"messaging.destination.name": "d", "rpc.x": `["y"]`,
	}
	for range 5 { // maps have a new order each time, keys have not
		_, got := read(t, c, newSpan(t, server, unset, span), resource)
		require.Equal(t, want, got)
	}
	allowed := newCatalog(dimensions(Dimension{Name: "app.*"}), func(o *Options) { o.AllowUnbounded = true })
	_, got := read(t, allowed, newSpan(t, server, unset, span), nil)
	require.Equal(t, "1.2.3.4", got["app.peer.address"])
}

func TestPatternsAreBounded(t *testing.T) {
	c := newCatalog(dimensions(Dimension{Name: "app.*"}))
	span := attrs{"http.request.method": "GET"}
	for i := range 3 * maxMatched {
		span[fmt.Sprintf("app.%02d", i)] = i
	}
	_, got := read(t, c, newSpan(t, server, unset, span), attrs{"app.resource": 1})
	require.Len(t, got, 1+maxMatched)

	var f Fields
	one := pcommon.NewMap()
	for i := range maxDecisions + 100 {
		one.Clear()
		one.PutInt(fmt.Sprintf("app.%d", i), 1)
		f.reset()
		c.scan(one, &f)
		require.Len(t, f.matched, 1)
	}
	require.Len(t, f.decided, maxDecisions)
}

func TestExcludedDimensions(t *testing.T) {
	c := newCatalog(func(o *Options) { o.Exclude = []attribute.Pattern{"http.*", "error.type"} })
	_, got := read(t, c, newSpan(t, server, failed, attrs{"http.request.method": "GET", "http.response.status_code": 500, "url.scheme": "http"}), nil)
	require.Equal(t, attrs{"url.scheme": "http"}, got)
}

func TestMetricsCanBeSwitched(t *testing.T) {
	c := newCatalog(func(o *Options) {
		o.Enabled = func(d *Definition) bool { return d.Name == "dns.lookup.duration" }
	})
	require.Len(t, c.Metrics(), 1)
	name, got := read(t, c, newSpan(t, client, unset, attrs{"dns.question.name": "a.example"}), nil)
	require.Equal(t, "dns.lookup.duration", name)
	require.Equal(t, attrs{"dns.question.name": "a.example"}, got)
	name, _ = read(t, c, newSpan(t, server, unset, attrs{"http.request.method": "GET"}), nil)
	require.Equal(t, "outcome 1", name)
}

func TestMaxDimensionsFitsTheSlots(t *testing.T) {
	require.LessOrEqual(t, int(firstConfigured)+MaxDimensions, slots)
	var list []Dimension
	for i := range MaxDimensions {
		list = append(list, Dimension{Name: attribute.Pattern(fmt.Sprintf("d%d", i))})
	}
	c := newCatalog(dimensions(list...))
	span := attrs{"http.request.method": "GET", "d0": "first", "d15": "last"}
	_, got := read(t, c, newSpan(t, server, unset, span), nil)
	require.Equal(t, span, got)
}

func TestDefinitionsAreComplete(t *testing.T) {
	for slot, names := range slotNames {
		require.NotEmpty(t, names, "slot %d", slot)
	}
	for i, d := range Definitions {
		require.NotEmpty(t, d.Name)
		require.NotEmpty(t, d.Description)
		require.True(t, slices.IsSorted(d.Boundaries))
		require.NotNil(t, rules[i])
		for _, name := range d.Attributes() {
			require.False(t, attribute.Unbounded(name), "%s has %s", d.Name, name)
		}
		require.Contains(t, d.Attributes(), "error.type")
		require.Contains(t, d.Attributes(), "sightglass.request.class", d.Name)
	}
}

func TestReadDoesNotAllocate(t *testing.T) {
	c := newCatalog(dimensions(Dimension{Name: "tenant"}, Dimension{Name: "app.*"}))
	registry := aggregate.NewRegistry(1, nil)
	o := registry.Acquire(nil)
	var r Resource
	var f Fields
	key := make([]byte, 0, 512)
	for _, span := range benchmarkSpans(t) {
		res := pcommon.NewResource()
		res.Attributes().PutStr("app.tier", "web")
		res.Attributes().PutStr("k8s.pod.uid", "u")
		once := func() {
			c.ReadResource(res, &r)
			m, _ := c.Read(span, &r, &f)
			key = m.AppendKey(key[:0], o, &f)
			key = m.AppendOverflowKey(key[:0], o, &f)
		}
		once()
		require.Zero(t, alloctest.PerRun(100, once), span.Attributes().AsRaw())
	}
}

func TestNamesAreSpreadOverTheTable(t *testing.T) {
	table := slotTable(nil)
	for slot, names := range slotNames {
		if slices.Contains(computed, Slot(slot)) {
			continue
		}
		for _, name := range names {
			found, _, ok := table.Find(name)
			require.True(t, ok)
			require.EqualValues(t, slot, found, name)
		}
	}
	require.LessOrEqual(t, table.Longest(), 3, "names that are compared with one another")
}
