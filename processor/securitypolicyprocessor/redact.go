package securitypolicyprocessor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/redact"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// RedactConfig is what is taken out of the records that leave. Rules see the
// records as they came.
type RedactConfig struct {
	// Enabled masks secrets in command lines, and in the detections that
	// repeat them.
	Enabled bool `mapstructure:"enabled"`
	// Attributes are further attributes whose texts are searched for secrets.
	Attributes []string `mapstructure:"attributes"`
}

// Validate implements the collector's validation.
func (c *RedactConfig) Validate() error {
	for i, name := range c.Attributes {
		if strings.TrimSpace(name) == "" {
			return fmt.Errorf("attributes[%d]: is empty", i)
		}
	}
	if len(c.Attributes) > 0 && !c.Enabled {
		return errors.New("attributes: have no effect while enabled is false")
	}
	return nil
}

// commandAttributes hold command lines and environments.
var commandAttributes = []string{
	schema.ProcessCommandArgs,
	schema.ProcessCommandLine,
	schema.ProcessParentCommand,
	schema.ProcessEnvironment,
}

// argumentAttributes are the arguments of system calls in which a caller can
// write what it likes: vectors, texts that name no file, and buffers.
func argumentAttributes() []string {
	var out []string
	for i := range syscalls.Table {
		for _, arg := range syscalls.Table[i].Args {
			switch arg.Kind {
			case syscalls.KindStrings, syscalls.KindText, syscalls.KindBytes:
				out = append(out, schema.SyscallArgPrefix+arg.Name)
			default:
			}
		}
	}
	return out
}

// redactor masks secrets in records that the processor owns. nil masks
// nothing. It is read only, and so safe for concurrent use.
type redactor struct {
	attributes map[string]struct{}
}

func newRedactor(cfg RedactConfig) *redactor {
	if !cfg.Enabled {
		return nil
	}
	r := &redactor{attributes: map[string]struct{}{}}
	for _, name := range slices.Concat(commandAttributes, argumentAttributes(), cfg.Attributes) {
		r.attributes[name] = struct{}{}
	}
	return r
}

func (r *redactor) has(attribute string) bool {
	_, ok := r.attributes[attribute]
	return ok
}

// record masks the attributes of rec and reports how many values changed.
func (r *redactor) record(rec plog.LogRecord) int64 {
	if r == nil {
		return 0
	}
	var n int64
	for name, value := range rec.Attributes().All() {
		if r.has(name) {
			n += maskValue(value)
		}
	}
	return n
}

// complete adds to rec what the process table knows. The parent's command line
// is one text there, in which "-p hunter2" can no longer be told from a port,
// so it is made from the masked vector.
func (r *redactor) complete(rec plog.LogRecord, view *record.View) (masked int64) {
	if r != nil {
		masked = r.completeParent(rec.Attributes(), view)
	}
	view.Complete(rec)
	return masked
}

func (r *redactor) completeParent(attrs pcommon.Map, view *record.View) int64 {
	var p field.Process
	if !view.Ancestor(1, &p) || len(p.Args) == 0 {
		return 0
	}
	args := redact.Args(p.Args)
	if &args[0] == &p.Args[0] {
		return 0
	}
	attrs.PutStr(schema.ProcessParentCommand, strings.ToValidUTF8(strings.Join(args, " "), "\uFFFD"))
	return 1
}

// detection is record for the record of a match, whose texts were made from a
// hidden source already. What they quote beside command lines is searched too.
func (r *redactor) detection(rec plog.LogRecord) int64 {
	if r == nil {
		return 0
	}
	n := r.record(rec) + maskText(rec.Body())
	for name, value := range rec.Attributes().All() {
		if strings.HasPrefix(name, schema.PolicyField) {
			n += maskText(value)
		}
	}
	return n
}

func maskValue(value pcommon.Value) int64 {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return maskText(value)
	case pcommon.ValueTypeSlice:
		return maskSlice(value.Slice())
	case pcommon.ValueTypeBytes:
		return maskBytes(value.Bytes())
	default:
		return 0
	}
}

func maskText(value pcommon.Value) int64 {
	if value.Type() != pcommon.ValueTypeStr {
		return 0
	}
	before := value.Str()
	after := redact.Text(before)
	if after == before {
		return 0
	}
	value.SetStr(after)
	return 1
}

func maskBytes(value pcommon.ByteSlice) int64 {
	before := string(value.AsRaw())
	after := redact.Text(before)
	if after == before {
		return 0
	}
	value.FromRaw([]byte(after))
	return 1
}

// maskSlice masks an argument vector, where a flag tells what follows.
func maskSlice(s pcommon.Slice) int64 {
	args := make([]string, s.Len())
	for i := range args {
		args[i] = s.At(i).AsString()
	}
	masked := redact.Args(args)
	var n int64
	for i, arg := range masked {
		if arg != args[i] {
			s.At(i).SetStr(arg)
			n++
		}
	}
	return n
}
