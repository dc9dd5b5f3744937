//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"path"
	"slices"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// atWantedPort tells whether the server's port is one that is not left out.
// Sockets without ports are.
func (c *RequestsConfig) atWantedPort(ex *exchange.Exchange) bool {
	port := int(ex.LocalPort)
	if ex.Role == event.RoleClient {
		port = int(ex.PeerPort)
	}
	return !slices.Contains(c.ExcludePorts, port) && (len(c.IncludePorts) == 0 || slices.Contains(c.IncludePorts, port))
}

// ofWantedService tells whether an owner is not left out.
func (c *RequestsConfig) ofWantedService(o translate.Owner) bool {
	if len(c.IncludeServices) == 0 && len(c.ExcludeServices) == 0 {
		return true
	}
	name := serviceOf(o)
	return !matchesAny(c.ExcludeServices, name) && (len(c.IncludeServices) == 0 || matchesAny(c.IncludeServices, name))
}

// serviceOf is what patterns are compared with: the service's name, or in a pod
// without one, which Kubernetes names later, namespace/container.
func serviceOf(o translate.Owner) string {
	if name := o.ServiceName(); name != "" {
		return name
	}
	return o.Cgroup.Names.PodNamespace + "/" + o.Cgroup.Names.K8sContainerName
}

// matchesAny compares with patterns that Validate has accepted.
func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// exporter is implemented by the facts of protocols that carry OTLP.
type exporter interface {
	Exporter() (userAgent []byte, ok bool)
}

// isOwnExport tells whether a server on this machine was given the telemetry of
// an agent: a span of that would be exported again, for ever. The agent's own
// end is left out by the kernel side.
func (s *spanStage) isOwnExport(ex *exchange.Exchange) bool {
	e, ok := ex.Facts.(exporter)
	if !ok || ex.Role != event.RoleServer || s.agent == "" {
		return false
	}
	by, ok := e.Exporter()
	return ok && len(by) >= len(s.agent) && string(by[:len(s.agent)]) == s.agent
}
