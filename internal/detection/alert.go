package detection

import (
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
)

// Alert is what one match has to say.
type Alert struct {
	Rule        string
	RuleSet     string // the rule file's name without its extension
	Description string
	Reference   string // link for the operator
	Remedy      string // what to do about it
	Priority    string // Falco's spelling
	Source      string
	Tags        []string
	Output      string  // the formatted text
	Fields      []Field // what the output names, in its order
}

// Field is a field of the output with its value as text.
type Field struct {
	Name, Value string
}

// Write makes dst the record of the alert. The facts about the event come from
// trigger, apart from the arguments of its system call: those that matter are
// among the fields. dst must be empty.
func (a *Alert) Write(dst, trigger plog.LogRecord) {
	dst.SetEventName(schema.EventPolicyMatch)
	dst.SetTimestamp(trigger.Timestamp())
	dst.SetObservedTimestamp(trigger.ObservedTimestamp())
	dst.SetTraceID(trigger.TraceID())
	dst.SetSpanID(trigger.SpanID())
	dst.SetFlags(trigger.Flags())
	SetSeverity(dst, a.Priority)
	dst.Body().SetStr(valid(a.Output))

	attrs := dst.Attributes()
	attrs.EnsureCapacity(8 + len(a.Fields) + trigger.Attributes().Len())
	a.writeRule(attrs)
	for _, f := range a.Fields {
		attrs.PutStr(schema.PolicyField+f.Name, valid(f.Value))
	}
	copyFacts(attrs, trigger.Attributes())
}

// MakeStep makes the record of an alert that of a further step of an act, which
// another rule, first, has told already: nobody is called for it.
func MakeStep(dst plog.LogRecord, first string) {
	dst.SetEventName(schema.EventPolicyStep)
	dst.SetSeverityNumber(plog.SeverityNumberInfo)
	dst.Attributes().PutStr(schema.PolicyFollows, first)
}

// valid is s with what is not UTF-8 replaced: fields are what processes chose,
// any bytes, and a text that is not UTF-8 makes a back end refuse the whole
// batch.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func (a *Alert) writeRule(attrs pcommon.Map) {
	attrs.PutStr(schema.RuleName, valid(a.Rule))
	attrs.PutStr(schema.RulePriority, a.Priority)
	for _, kv := range [...]struct{ key, value string }{
		{schema.RuleSet, a.RuleSet},
		{schema.RuleDescription, a.Description},
		{schema.RuleReference, a.Reference},
		{schema.PolicyRemedy, a.Remedy},
		{schema.RuleSource, a.Source},
	} {
		if kv.value != "" {
			attrs.PutStr(kv.key, valid(kv.value))
		}
	}
	if len(a.Tags) == 0 {
		return
	}
	tags := attrs.PutEmptySlice(schema.RuleTags)
	tags.EnsureCapacity(len(a.Tags))
	for _, tag := range a.Tags {
		tags.AppendEmpty().SetStr(valid(tag))
	}
}

func copyFacts(dst, src pcommon.Map) {
	for name, value := range src.All() {
		if strings.HasPrefix(name, schema.SyscallArgPrefix) {
			continue
		}
		if to, exists := dst.GetOrPutEmpty(name); !exists {
			value.CopyTo(to)
			clean(to)
		}
	}
}

// clean makes the texts of a value valid.
func clean(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		if s := v.Str(); !utf8.ValidString(s) {
			v.SetStr(valid(s))
		}
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			clean(e)
		}
	case pcommon.ValueTypeMap:
		for _, e := range v.Map().All() {
			clean(e)
		}
	default:
	}
}

// severities follow the mapping of syslog's in the OpenTelemetry log data
// model; Falco's priorities are syslog's.
var severities = map[string]plog.SeverityNumber{
	"Emergency":     plog.SeverityNumberFatal,
	"Alert":         plog.SeverityNumberError3,
	"Critical":      plog.SeverityNumberError2,
	"Error":         plog.SeverityNumberError,
	"Warning":       plog.SeverityNumberWarn,
	"Notice":        plog.SeverityNumberInfo2,
	"Informational": plog.SeverityNumberInfo,
	"Debug":         plog.SeverityNumberDebug,
}

// SetSeverity gives a record the severity of a priority, which stays as the
// severity's text.
func SetSeverity(dst plog.LogRecord, priority string) {
	dst.SetSeverityText(priority)
	dst.SetSeverityNumber(severities[priority])
}
