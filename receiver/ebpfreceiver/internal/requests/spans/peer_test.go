package spans

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKubernetesService(t *testing.T) {
	for name, want := range map[string][2]string{
		"orders.shop.svc.cluster.local":      {"orders", "shop"},
		"orders.shop.svc":                    {"orders", "shop"},
		"db-0.db.shop.svc.corp.example":      {"db", "shop"},
		"a.b.db.shop.svc.corp.example":       {"db", "shop"},
		"orders.shop":                        {},
		"svc.cluster.local":                  {},
		"shop.svc.cluster.local":             {},
		".shop.svc.cluster.local":            {},
		"www.example.org":                    {},
		"":                                   {},
		"orders.shop.svcs.cluster.local":     {},
		"10-0-0-1.shop.pod.cluster.local":    {},
		"_http._tcp.web.shop.svc.cluster.io": {"web", "shop"},
	} {
		service, namespace, ok := kubernetesService(name)
		require.Equal(t, want[0] != "", ok, name)
		if ok {
			require.Equal(t, want, [2]string{service, namespace}, name)
		}
	}
}
