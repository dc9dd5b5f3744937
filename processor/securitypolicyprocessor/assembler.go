package securitypolicyprocessor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// assembler builds the outgoing batch. Nothing is made before there is a
// record for it: most batches leave nothing.
type assembler struct {
	logs plog.Logs
	some bool // logs has been made

	resource     plog.ResourceLogs // of the incoming batch
	haveResource bool              // to, and below it, are for it
	to           plog.ResourceLogs

	scope     plog.ScopeLogs // of the incoming batch
	haveScope bool           // records is for it
	records   plog.LogRecordSlice

	haveDetections bool
	detections     plog.LogRecordSlice
}

func (a *assembler) reset() { *a = assembler{} }

// plain appends a record to the present resource and scope.
func (a *assembler) plain() plog.LogRecord {
	a.open()
	if !a.haveScope {
		sl := a.to.ScopeLogs().AppendEmpty()
		a.scope.Scope().CopyTo(sl.Scope())
		sl.SetSchemaUrl(a.scope.SchemaUrl())
		a.haveScope, a.records = true, sl.LogRecords()
	}
	return a.records.AppendEmpty()
}

// detection appends a record to the present resource, in the scope of the
// processor.
func (a *assembler) detection(setScope func(pcommon.InstrumentationScope)) plog.LogRecord {
	a.open()
	if !a.haveDetections {
		sl := a.to.ScopeLogs().AppendEmpty()
		setScope(sl.Scope())
		a.haveDetections, a.detections = true, sl.LogRecords()
	}
	return a.detections.AppendEmpty()
}

func (a *assembler) open() {
	if !a.some {
		a.some, a.logs = true, plog.NewLogs()
	}
	if !a.haveResource {
		a.to = a.logs.ResourceLogs().AppendEmpty()
		a.resource.Resource().CopyTo(a.to.Resource())
		a.to.SetSchemaUrl(a.resource.SchemaUrl())
		a.haveResource, a.haveDetections = true, false
	}
}
