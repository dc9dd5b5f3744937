//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/privileges"
)

// tellHooks says once what the kernel refuses.
func (r *ebpfReceiver) tellHooks(host component.Host, k kernel) {
	var missing []error
	for _, h := range k.Hooks() {
		if h.Attached {
			continue
		}
		r.set.Logger.Warn("A hook is missing.", zap.String("hook", h.Name), zap.String("without it", h.Provides+" are not seen"),
			zap.String("remedy", h.Remedy), zap.Error(h.Err))
		missing = append(missing, fmt.Errorf("hook %s: %w", h.Name, h.Err))
	}
	for _, d := range k.Degradations() {
		r.set.Logger.Info("This kernel does less.", zap.String("missing", d.Name), zap.String("consequence", d.Consequence))
	}
	if len(missing) > 0 {
		componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(errors.Join(missing...)))
	}
}

// tellPrivileges says once what this process may not do.
func (r *ebpfReceiver) tellPrivileges() {
	if held, ok := privileges.Held(); ok {
		tellAbsent(held, r.set.Logger)
	}
}

// tellAbsent leaves out what nothing works without: the hooks tell that.
func tellAbsent(held privileges.Set, log *zap.Logger) {
	for i := range privileges.Used {
		if c := &privileges.Used[i]; !c.Essential && !held.Holds(c) {
			log.Warn("A privilege is missing.", zap.String("privilege", c.Name), zap.String("needed for", c.For),
				zap.String("remedy", "run as root, or add it"))
		}
	}
}
