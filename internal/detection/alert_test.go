package detection

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
)

func TestWrite(t *testing.T) {
	trigger := plog.NewLogRecord()
	trigger.SetEventName(schema.EventFileOpen)
	trigger.SetTimestamp(7)
	trigger.SetObservedTimestamp(9)
	trigger.SetTraceID(pcommon.TraceID{1})
	trigger.SetSpanID(pcommon.SpanID{2})
	require.NoError(t, trigger.Attributes().FromRaw(map[string]any{
		schema.ProcessName:                "cat",
		schema.ProcessAncestors:           []any{"bash"},
		schema.SyscallName:                "openat",
		schema.SyscallArgPrefix + "flags": int64(1),
		schema.RuleName:                   "forged",
	}))
	dst := plog.NewLogRecord()
	alert := Alert{
		Rule: "Secret read", RuleSet: "files", Description: "why", Reference: "https://example.org/secret", Remedy: "ask",
		Priority: "Warning", Source: "syscall", Tags: []string{"file", "T1003"}, Output: "cat read it",
		Fields: []Field{{"proc.name", "cat"}, {"fd.name", "<NA>"}},
	}
	alert.Write(dst, trigger)

	require.Equal(t, schema.EventPolicyMatch, dst.EventName())
	require.EqualValues(t, 7, dst.Timestamp())
	require.EqualValues(t, 9, dst.ObservedTimestamp())
	require.Equal(t, pcommon.TraceID{1}, dst.TraceID())
	require.Equal(t, pcommon.SpanID{2}, dst.SpanID())
	require.Equal(t, plog.SeverityNumberWarn, dst.SeverityNumber())
	require.Equal(t, "Warning", dst.SeverityText())
	require.Equal(t, "cat read it", dst.Body().Str())
	require.Equal(t, map[string]any{
		schema.RuleName:                  "Secret read",
		schema.RuleSet:                   "files",
		schema.RuleDescription:           "why",
		schema.RuleReference:             "https://example.org/secret",
		schema.PolicyRemedy:              "ask",
		schema.RulePriority:              "Warning",
		schema.RuleSource:                "syscall",
		schema.RuleTags:                  []any{"file", "T1003"},
		schema.PolicyField + "proc.name": "cat",
		schema.PolicyField + "fd.name":   "<NA>",
		schema.ProcessName:               "cat",
		schema.ProcessAncestors:          []any{"bash"},
		schema.SyscallName:               "openat",
	}, dst.Attributes().AsRaw())
}

func TestWriteLeavesOutWhatARuleDoesNotHave(t *testing.T) {
	dst := plog.NewLogRecord()
	alert := Alert{Rule: "bare", Priority: "Debug"}
	alert.Write(dst, plog.NewLogRecord())
	require.Equal(t, map[string]any{schema.RuleName: "bare", schema.RulePriority: "Debug"}, dst.Attributes().AsRaw())
}

func TestSeverities(t *testing.T) {
	order := []string{"Debug", "Informational", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"}
	last := plog.SeverityNumberUnspecified
	for _, priority := range order {
		rec := plog.NewLogRecord()
		SetSeverity(rec, priority)
		require.Greater(t, rec.SeverityNumber(), last, priority)
		require.Equal(t, priority, rec.SeverityText())
		last = rec.SeverityNumber()
	}
}

// One text that is not UTF-8 would make a back end refuse a whole batch.
func FuzzDetectionsAreUTF8(f *testing.F) {
	f.Add("cat", "caf\xe9")
	f.Add("\xff\xfe", "\x80")
	f.Fuzz(func(t *testing.T, a, b string) {
		trigger := plog.NewLogRecord()
		trigger.Attributes().PutStr(schema.FilePath, a)
		trigger.Attributes().PutEmptySlice(schema.ProcessCommandArgs).AppendEmpty().SetStr(b)
		trigger.Attributes().PutEmptyMap("more").PutStr("text", b)
		alert := Alert{Rule: a, Description: b, Tags: []string{b}, Output: b, Fields: []Field{{"fd.name", a}, {"proc.name", b}}}
		dst := plog.NewLogRecord()
		alert.Write(dst, trigger)
		require.True(t, utf8.ValidString(dst.Body().Str()))
		require.True(t, utf8.ValidString(fmt.Sprint(dst.Attributes().AsRaw())), "%q", dst.Attributes().AsRaw())
		kept, _ := trigger.Attributes().Get(schema.FilePath)
		require.Equal(t, a, kept.Str(), "the trigger is not the alert's to change")
	})
}
