package translate

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/redact"
	"github.com/sightglass/sightglass/internal/schema"
)

// seal returns where the values are kept that are masked in the present record;
// nobody may see them when there is no policy.
func (l *Logs) seal(a *Activity) (values pcommon.Map, ok bool) {
	if a.Seal && !l.isSealed {
		l.sealed, l.isSealed = pcommon.NewMap(), true
	}
	return l.sealed, a.Seal
}

// maskArgs is an argument vector as the record may show it under a name.
func (l *Logs) maskArgs(a *Activity, name string, args []string) []string {
	if !a.Redact || len(args) == 0 {
		return args
	}
	masked := redact.Args(args)
	if &masked[0] != &args[0] {
		if values, ok := l.seal(a); ok {
			putTexts(values, name, args)
		}
	}
	return masked
}

// parentCommand is the command line of the parent. It is made from the masked
// vector: in one text, "-p hunter2" can no longer be told from a port.
func (l *Logs) parentCommand(a *Activity, args []string) string {
	raw := valid(strings.Join(args, " "))
	if !a.Redact {
		return raw
	}
	masked := redact.Args(args)
	if &masked[0] == &args[0] {
		return raw
	}
	if values, ok := l.seal(a); ok {
		values.PutStr(schema.ProcessParentCommand, raw)
	}
	return valid(strings.Join(masked, " "))
}

// maskText is a text as the record may show it under a name.
func (l *Logs) maskText(a *Activity, name, text string) string {
	if !a.Redact {
		return text
	}
	masked := redact.Text(text)
	if masked != text {
		if values, ok := l.seal(a); ok {
			values.PutStr(name, text)
		}
	}
	return masked
}

// maskBytes is what a call moved as the record may show it.
func (l *Logs) maskBytes(a *Activity, name string, raw []byte) []byte {
	if !a.Redact {
		return raw
	}
	text := string(raw)
	masked := redact.Text(text)
	if masked == text {
		return raw
	}
	if values, ok := l.seal(a); ok {
		values.PutEmptyBytes(name).FromRaw(raw)
	}
	return []byte(masked)
}
