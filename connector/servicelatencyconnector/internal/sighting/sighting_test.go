package sighting

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func place(tb testing.TB, resource map[string]any) *Place {
	tb.Helper()
	m := pcommon.NewMap()
	require.NoError(tb, m.FromRaw(resource))
	var p Place
	p.Read(m)
	return &p
}

func TestReportersAreRecognised(t *testing.T) {
	seen := map[string]any{ // what eBPF knows of a container
		"container.id": "c1", "k8s.pod.uid": "p1", "k8s.container.name": "app", "service.name": "cart", "service.namespace": "shop",
	}
	for name, tc := range map[string]struct {
		reporter map[string]any
		same     bool
	}{
		"by container id":      {map[string]any{"container.id": "c1", "service.name": "other"}, true},
		"other container":      {map[string]any{"container.id": "c2", "k8s.pod.uid": "p1", "k8s.container.name": "app"}, false},
		"by container name":    {map[string]any{"k8s.pod.uid": "p1", "k8s.container.name": "app"}, true},
		"sidecar":              {map[string]any{"k8s.pod.uid": "p1", "k8s.container.name": "proxy"}, false},
		"by pod":               {map[string]any{"k8s.pod.uid": "p1"}, true},
		"other pod":            {map[string]any{"k8s.pod.uid": "p2", "service.name": "cart", "service.namespace": "shop"}, false},
		"by service":           {map[string]any{"service.name": "cart", "service.namespace": "shop"}, true},
		"other namespace":      {map[string]any{"service.name": "cart"}, false},
		"says nothing of self": {map[string]any{"host.name": "h"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable()
			require.Zero(t, table.Reported(place(t, seen)))
			table.Reporter(place(t, tc.reporter)).Note(3)
			want := uint32(0)
			if tc.same {
				want = 1 << 3
			}
			require.Equal(t, want, table.Reported(place(t, seen)))
		})
	}
}

func TestSightingsAge(t *testing.T) {
	table := NewTable()
	p := place(t, map[string]any{"service.name": "a"})
	table.Age(Memory)
	table.Reporter(p).Note(1)
	table.Age(Memory + 1)
	require.EqualValues(t, 2, table.Reported(p), "too early")
	table.Age(2 * Memory)
	table.Reporter(p).Note(2)
	require.EqualValues(t, 6, table.Reported(p))
	table.Age(3 * Memory)
	require.EqualValues(t, 4, table.Reported(p))
	table.Age(4 * Memory)
	require.Zero(t, table.Reported(p))
	table.Age(5 * Memory)
	require.Empty(t, table.places)
}

func TestTableIsBounded(t *testing.T) {
	table := NewTable()
	for i := range maxPlaces + 10 {
		table.Reporter(place(t, map[string]any{"service.name": strconv.Itoa(i)})).Note(0)
	}
	require.Len(t, table.places, maxPlaces)
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	table := NewTable()
	m := pcommon.NewMap()
	m.PutStr("container.id", "c1")
	m.PutStr("service.name", "s")
	var p Place
	once := func() {
		p.Read(m)
		table.Reporter(&p).Note(1)
		table.Reported(&p)
	}
	once()
	require.Zero(t, alloctest.PerRun(100, once))
}
