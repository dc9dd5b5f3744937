package record

import "github.com/sightglass/sightglass/internal/schema"

// Activities are the event names of the records that policies are evaluated
// on, in a fixed order.
func Activities() []string {
	return []string{
		schema.EventProcessExec,
		schema.EventProcessExit,
		schema.EventFileOpen,
		schema.EventFileChange,
		schema.EventNetworkConnect,
		schema.EventNetworkAccept,
		schema.EventNetworkListen,
		schema.EventLoginStart,
		schema.EventLoginEnd,
		schema.EventSyscall,
		schema.EventFileModified,
	}
}
