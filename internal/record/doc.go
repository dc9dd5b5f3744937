// Package record lets policies read OpenTelemetry log records: a View indexes
// one record and its resource in a single pass over the attributes and then
// answers as a field.Source.
//
//	plog.LogRecord + pcommon.Resource -> View (attribute name -> slot) -> field.Source
//
// Looking a name up once per attribute, and not once per question, is what
// makes evaluation cheap: pcommon.Map.Get compares every key of the record.
package record
