package identity

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/internal/alloctest"
)

type attrs = map[string]any

func key(tb testing.TB, r *Reader, resource attrs) (string, attrs) {
	tb.Helper()
	m := pcommon.NewMap()
	require.NoError(tb, m.FromRaw(resource))
	var id Identity
	k := r.AppendKey(nil, m, &id)
	o := aggregate.NewRegistry(1, nil).Acquire(k)
	out := pcommon.NewMap()
	for name, v := range o.Attributes() {
		attribute.Put(out, name, v)
	}
	require.Equal(tb, out.AsRaw()["service.name"], id.Service())
	return string(k), out.AsRaw()
}

func TestIdentity(t *testing.T) {
	for name, tc := range map[string]struct{ resource, want attrs }{
		"kubernetes": {
			attrs{
				"service.name": "cart", "service.namespace": "shop", "k8s.namespace.name": "prod", "k8s.deployment.name": "cart",
				"k8s.container.name": "app", "k8s.pod.name": "cart-5d4-x", "k8s.pod.uid": "u", "container.id": "c",
				"host.name": "n1", "service.instance.id": "i", "process.pid": 7, "k8s.replicaset.name": "cart-5d4",
			},
			attrs{
				"service.name": "cart", "service.namespace": "shop", "k8s.namespace.name": "prod", "k8s.deployment.name": "cart",
				"k8s.container.name": "app",
			},
		},
		"no name":    {attrs{"host.name": "n1"}, attrs{"service.name": "unknown_service"}},
		"empty name": {attrs{"service.name": "", "service.namespace": ""}, attrs{"service.name": "unknown_service"}},
		"cron job":   {attrs{"service.name": "b", "k8s.job.name": "b-2847", "k8s.cronjob.name": "b"}, attrs{"service.name": "b", "k8s.cronjob.name": "b"}},
		"job":        {attrs{"service.name": "b", "k8s.job.name": "b"}, attrs{"service.name": "b", "k8s.job.name": "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := key(t, NewReader(DefaultAttributes()), tc.resource)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestIdentityDoesNotDependOnOrder(t *testing.T) {
	r := NewReader([]string{"team", "service.name"})
	resource := attrs{"team": "a", "service.name": "s", "x": 1, "y": 2, "z": 3}
	first, _ := key(t, r, resource)
	for range 20 {
		again, _ := key(t, r, resource)
		require.Equal(t, first, again)
	}
	other, _ := key(t, r, attrs{"team": "b", "service.name": "s"})
	require.NotEqual(t, first, other)
}

func TestIdentityForgetsThePreviousResource(t *testing.T) {
	r := NewReader(DefaultAttributes())
	var id Identity
	m := pcommon.NewMap()
	m.PutStr("service.name", "a")
	m.PutStr("service.namespace", "n")
	r.AppendKey(nil, m, &id)
	m.Remove("service.namespace")
	got := r.AppendKey(nil, m, &id)
	require.Equal(t, aggregate.AppendNamed(nil, "service.name", aggregate.StringValue("a")), got)
}

func TestMostAttributes(t *testing.T) {
	var names []string
	resource := attrs{"service.name": "s"}
	for i := range MaxAttributes {
		names = append(names, fmt.Sprintf("a%02d", i))
		resource[names[i]] = "x"
	}
	_, got := key(t, NewReader(names), resource)
	require.Equal(t, resource, got)
}

func TestIdentityDoesNotAllocate(t *testing.T) {
	r := NewReader(DefaultAttributes())
	m := pcommon.NewMap()
	m.PutStr("service.name", "a")
	m.PutStr("k8s.namespace.name", "prod")
	m.PutStr("k8s.pod.name", "a-1")
	var id Identity
	buf := make([]byte, 0, 256)
	require.Zero(t, alloctest.PerRun(100, func() { buf = r.AppendKey(buf[:0], m, &id) }))
}
