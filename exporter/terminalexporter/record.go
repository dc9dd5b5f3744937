package terminalexporter

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
	"github.com/sightglass/sightglass/internal/schema"
)

// record is a log record with its resource, for reading only.
type record struct {
	plog.LogRecord
	resource pcommon.Map
}

// raw returns the first of the named attributes that is set, as text.
func (r record) raw(names ...string) string { return rawOf(r.Attributes(), names...) }

// safe is raw, made harmless and bounded.
func (r record) safe(names ...string) text.Safe { return safe(r.raw(names...)) }

// number returns an integer attribute.
func (r record) number(name string) (int64, bool) {
	v, ok := r.Attributes().Get(name)
	if !ok || v.Type() != pcommon.ValueTypeInt {
		return 0, false
	}
	return v.Int(), true
}

// flag tells whether a boolean attribute is set and true.
func (r record) flag(name string) bool {
	v, ok := r.Attributes().Get(name)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}

// time is when it happened, else when it was read.
func (r record) time() pcommon.Timestamp {
	return cmp.Or(r.Timestamp(), r.ObservedTimestamp())
}

// line returns what all lines have in common.
func (r record) line(tag screen.Tag) screen.Line {
	pid, _ := r.number(schema.ProcessPID)
	l := screen.Line{
		Time:    r.time().AsTime(),
		Tag:     tag,
		Service: serviceOf(r.resource),
		User:    r.safe(schema.ProcessUserName, schema.ProcessUserID),
		PID:     pid,
		Parent:  r.safe(schema.ProcessParentName),
	}
	if l.Service == "" {
		l.Service = r.safe(schema.ProcessName)
	}
	if container := containerOf(r.resource); container != l.Service {
		l.Container = container
	}
	return l
}

// serviceOf names the service of a resource, and its namespace where it has one.
func serviceOf(resource pcommon.Map) text.Safe {
	name := safe(rawOf(resource, schema.ServiceName))
	if name == "" {
		return containerOf(resource)
	}
	if namespace := safe(rawOf(resource, schema.ServiceNamespace, schema.K8sNamespaceName)); namespace != "" {
		return namespace + "/" + name
	}
	return name
}

// shortID is how much of a container's id people use to name it.
const shortID = 12

// containerOf names the container of a resource; empty outside containers.
func containerOf(resource pcommon.Map) text.Safe {
	if name := rawOf(resource, schema.K8sPodName, schema.ContainerName); name != "" {
		return safe(name)
	}
	id := rawOf(resource, schema.ContainerID)
	return safe(id[:min(len(id), shortID)])
}

func rawOf(m pcommon.Map, names ...string) string {
	for _, name := range names {
		if v, ok := m.Get(name); ok {
			if s := v.AsString(); s != "" {
				return s
			}
		}
	}
	return ""
}

// safe bounds s and makes it harmless.
func safe(s string) text.Safe {
	if len(s) <= screen.MaxText {
		return text.Escape(s)
	}
	end := screen.MaxText
	for end > screen.MaxText-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	// The copy keeps the rest of a huge text from staying in memory.
	return text.Escape(strings.Clone(s[:end])) + "..."
}
