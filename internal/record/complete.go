package record

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// maxAncestorNames bounds the list of ancestors that is written.
const maxAncestorNames = 16

// Complete writes into rec, a copy of the view's record or something made from
// it, what the process table knows and the record left out, so that who gets
// rec needs no table. Attributes that rec has are not touched.
func (v *View) Complete(rec plog.LogRecord) {
	if v.processes == nil {
		return
	}
	attrs := rec.Attributes()
	if p := v.self(); p != nil {
		completeProgram(attrs, p)
	}
	if start, ok := v.intOfSelf(field.AttrProcStart); ok {
		putNew(attrs, schema.ProcessCreationTime, func(to pcommon.Value) {
			to.SetStr(time.Unix(0, start).UTC().Format(time.RFC3339Nano))
		})
	}
	v.completeAncestry(attrs)
}

func completeProgram(attrs pcommon.Map, p *process.Process) {
	putText(attrs, schema.ProcessName, p.Name)
	putText(attrs, schema.ProcessPath, p.Path)
	putText(attrs, schema.ProcessWorkingDirectory, p.Cwd)
	if len(p.Args) > 0 {
		putNew(attrs, schema.ProcessCommandArgs, func(to pcommon.Value) { setTexts(to, p.Args) })
	}
	for _, mark := range [...]struct {
		name string
		flag event.FileFlags
	}{
		{schema.ProcessUpperLayer, event.FileUpper},
		{schema.ProcessLowerLayer, event.FileLower},
		{schema.ProcessMemfd, event.FileMemfd},
	} {
		if p.File.Flags&mark.flag != 0 {
			putNew(attrs, mark.name, func(to pcommon.Value) { to.SetBool(true) })
		}
	}
}

func (v *View) completeAncestry(attrs pcommon.Map) {
	var names []string
	var p field.Process
	for n := 1; n <= maxAncestorNames && v.Ancestor(n, &p); n++ {
		if p.Name == "" {
			break
		}
		names = append(names, p.Name)
		if n > 1 {
			continue
		}
		putText(attrs, schema.ProcessParentName, p.Name)
		putText(attrs, schema.ProcessParentPath, p.Path)
		putText(attrs, schema.ProcessParentCommand, strings.Join(p.Args, " "))
	}
	if len(names) > 0 {
		putNew(attrs, schema.ProcessAncestors, func(to pcommon.Value) { setTexts(to, names) })
	}
}

// valid is s with what is not UTF-8 replaced. Policies see what the process
// table holds, any bytes; in a record such a text would make a back end refuse
// the whole batch.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func putText(attrs pcommon.Map, name, text string) {
	if text != "" {
		putNew(attrs, name, func(to pcommon.Value) { to.SetStr(valid(text)) })
	}
}

func putNew(attrs pcommon.Map, name string, set func(to pcommon.Value)) {
	if to, exists := attrs.GetOrPutEmpty(name); !exists {
		set(to)
	}
}

func setTexts(to pcommon.Value, texts []string) {
	s := to.SetEmptySlice()
	s.EnsureCapacity(len(texts))
	for _, t := range texts {
		s.AppendEmpty().SetStr(valid(t))
	}
}
