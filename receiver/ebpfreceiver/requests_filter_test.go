//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

func TestWantedPorts(t *testing.T) {
	server := &exchange.Exchange{Endpoint: exchange.Endpoint{Role: event.RoleServer, LocalPort: 80, PeerPort: 40000}}
	client := &exchange.Exchange{Endpoint: exchange.Endpoint{Role: event.RoleClient, LocalPort: 40000, PeerPort: 80}}
	for _, tc := range []struct {
		name string
		cfg  RequestsConfig
		want bool
	}{
		{"everything", RequestsConfig{}, true},
		{"excluded", RequestsConfig{ExcludePorts: []int{80}}, false},
		{"the client's port does not count", RequestsConfig{ExcludePorts: []int{40000}}, true},
		{"included", RequestsConfig{IncludePorts: []int{443, 80}}, true},
		{"not included", RequestsConfig{IncludePorts: []int{443}}, false},
		{"excluded counts more", RequestsConfig{IncludePorts: []int{80}, ExcludePorts: []int{80}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, tc.cfg.atWantedPort(server))
			assert.Equal(t, tc.want, tc.cfg.atWantedPort(client))
		})
	}
}

func TestWantedServices(t *testing.T) {
	named := translate.Owner{Process: &process.Process{Service: process.Service{Name: "shop"}}, Cgroup: &container.Info{}}
	pod := translate.Owner{Cgroup: &container.Info{
		State: container.Container, Ref: container.Ref{PodUID: "1"},
		Names: container.Names{PodNamespace: "kube-system", K8sContainerName: "coredns"},
	}}
	for _, tc := range []struct {
		name      string
		cfg       RequestsConfig
		shop, dns bool
	}{
		{"everything", RequestsConfig{}, true, true},
		{"a name", RequestsConfig{ExcludeServices: []string{"shop"}}, false, true},
		{"a namespace", RequestsConfig{ExcludeServices: []string{"kube-system/*"}}, true, false},
		{"only", RequestsConfig{IncludeServices: []string{"sh?p"}}, true, false},
		{"only, but", RequestsConfig{IncludeServices: []string{"*"}, ExcludeServices: []string{"shop"}}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.shop, tc.cfg.ofWantedService(named))
			assert.Equal(t, tc.dns, tc.cfg.ofWantedService(pod))
		})
	}
}
