//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// maxInstrumented bounds each of the two generations of instrumented.
const maxInstrumented = 4096

// traceExporter is implemented by facts that can tell whether a request carries
// spans of an OpenTelemetry SDK.
type traceExporter interface{ ExportsTraces() bool }

// instrumented remembers the processes that were seen exporting spans of their
// own. Exporters do so every few seconds: what is forgotten comes back. The zero
// value is ready; one goroutine.
type instrumented struct{ recent, before map[event.ProcessKey]struct{} }

// note looks whether an exchange is such an export.
func (i *instrumented) note(ex *exchange.Exchange) {
	if ex.Role != event.RoleClient {
		return
	}
	if e, ok := ex.Facts.(traceExporter); ok && e.ExportsTraces() {
		i.add(ex.Owner)
	}
}

func (i *instrumented) add(k event.ProcessKey) {
	if len(i.recent) >= maxInstrumented || i.recent == nil {
		i.recent, i.before = make(map[event.ProcessKey]struct{}), i.recent
	}
	i.recent[k] = struct{}{}
}

// has tells whether a process makes spans of its own, p being what is known of
// it, if anything.
func (i *instrumented) has(k event.ProcessKey, p *process.Process) bool {
	if p != nil && p.LoadsSDK {
		return true
	}
	if _, ok := i.recent[k]; ok {
		return true
	}
	if _, ok := i.before[k]; ok {
		i.add(k)
		return true
	}
	return false
}
