package securitypolicyprocessor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/output"
	"github.com/sightglass/sightglass/internal/redact"
	"github.com/sightglass/sightglass/internal/schema"
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
	schema.SyscallArgPrefix + "args",
	schema.SyscallArgPrefix + "env",
	schema.SyscallArgPrefix + "exe",
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
	for _, name := range slices.Concat(commandAttributes, cfg.Attributes) {
		r.attributes[name] = struct{}{}
	}
	return r
}

// record masks the attributes of rec and reports how many values changed.
func (r *redactor) record(rec plog.LogRecord) int64 {
	if r == nil {
		return 0
	}
	var n int64
	for name, value := range rec.Attributes().All() {
		if _, ok := r.attributes[name]; ok {
			n += maskValue(value)
		}
	}
	return n
}

// detection is record for the record of a match, whose texts repeat the
// command lines of the acting process and its ancestors.
func (r *redactor) detection(rec plog.LogRecord, src field.Source) int64 {
	if r == nil {
		return 0
	}
	secrets := findSecrets(src)
	n := r.record(rec)
	n += maskText(rec.Body(), secrets)
	for name, value := range rec.Attributes().All() {
		if strings.HasPrefix(name, schema.PolicyField) {
			n += maskText(value, secrets)
		}
	}
	return n
}

func maskValue(value pcommon.Value) int64 {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return maskText(value, nil)
	case pcommon.ValueTypeSlice:
		return maskSlice(value.Slice())
	default:
		return 0
	}
}

func maskText(value pcommon.Value, secrets []secret) int64 {
	if value.Type() != pcommon.ValueTypeStr {
		return 0
	}
	before := value.Str()
	after := before
	for _, s := range secrets {
		after = strings.ReplaceAll(after, s.plain, s.masked)
	}
	if after = redact.Text(after); after == before {
		return 0
	}
	value.SetStr(after)
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

// secret is an argument with a secret in it, as it stands in a command line
// that was joined by blanks.
type secret struct{ plain, masked string }

// maxRedactedAncestors bounds whose command lines are searched; outputs rarely
// name more than the parent's.
const maxRedactedAncestors = 8

// findSecrets collects the arguments that are masked in the command lines of
// the acting process and its ancestors. Joined to one text, "-p hunter2" can no
// longer be told from a port, so the vectors are what is looked at.
func findSecrets(src field.Source) []secret {
	var out []secret
	var p field.Process
	for n := range maxRedactedAncestors {
		if !src.Ancestor(n, &p) {
			break
		}
		masked := redact.Args(p.Args)
		for i, arg := range masked {
			if i == 0 || arg == p.Args[i] {
				continue
			}
			// With the argument before it, so that a short secret does not
			// mask every letter like it.
			out = appendSecret(out, p.Args[i-1]+" "+p.Args[i], masked[i-1]+" "+arg)
			out = appendSecret(out, masked[i-1]+" "+p.Args[i], masked[i-1]+" "+arg)
		}
	}
	return out
}

// appendSecret adds a secret as attributes hold it, with what is not UTF-8
// replaced, and as the text of a detection does, if that is another.
func appendSecret(to []secret, plain, masked string) []secret {
	attr := secret{plain: strings.ToValidUTF8(plain, "\uFFFD"), masked: strings.ToValidUTF8(masked, "\uFFFD")}
	to = append(to, attr)
	if text := string(output.AppendClean(nil, plain)); text != attr.plain {
		to = append(to, secret{plain: text, masked: string(output.AppendClean(nil, masked))})
	}
	return to
}
