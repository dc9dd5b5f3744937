// Package policytest tests rules: events made of attributes, and scripts that
// load rules, show them events and say what they expect.
package policytest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
)

// Event is a field.Source over attributes by name.
type Event struct {
	Type string
	When int64 // ns since 1970

	texts map[field.Attr]string
	ints  map[field.Attr]int64
	lists map[field.Attr][]string
	named map[string]string

	// Chain are the acting process and its ancestors, nearest first. Without
	// it the process is made of the attributes.
	Chain   []field.Process
	Leaders map[field.Group]field.Process
}

var _ field.Source = (*Event)(nil)

// NewEvent makes an event of a type without attributes.
func NewEvent(eventType string) *Event {
	return &Event{
		Type: eventType, texts: map[field.Attr]string{}, ints: map[field.Attr]int64{},
		lists: map[field.Attr][]string{}, named: map[string]string{}, Leaders: map[field.Group]field.Process{},
	}
}

// Set sets an attribute by its full name. The value is a string, bool, int,
// int64, float64 without fraction, []string or []any of strings. It returns
// the event.
func (e *Event) Set(name string, value any) *Event {
	if s, ok := value.(string); ok {
		e.named[name] = s
	}
	a, ok := field.AttrByName(name)
	if !ok {
		return e
	}
	switch v := value.(type) {
	case string:
		e.setText(a, v)
	case bool:
		e.ints[a] = 0
		if v {
			e.ints[a] = 1
		}
	case int:
		e.ints[a] = int64(v)
	case int64:
		e.ints[a] = v
	case float64:
		e.ints[a] = int64(v)
	case []string:
		e.lists[a] = v
	case []any:
		list := make([]string, len(v))
		for i := range v {
			list[i] = fmt.Sprint(v[i])
		}
		e.lists[a] = list
	}
	return e
}

func (e *Event) setText(a field.Attr, s string) {
	if a.Form() != field.FormTime {
		e.texts[a] = s
		return
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		e.ints[a] = t.UnixNano()
	}
}

// EventType implements field.Source.
func (e *Event) EventType() string { return e.Type }

// Time implements field.Source.
func (e *Event) Time() int64 { return e.When }

// String implements field.Source.
func (e *Event) String(a field.Attr) (string, bool) {
	s, ok := e.texts[a]
	return s, ok
}

// Int implements field.Source.
func (e *Event) Int(a field.Attr) (int64, bool) {
	n, ok := e.ints[a]
	return n, ok
}

// Strings implements field.Source.
func (e *Event) Strings(a field.Attr) ([]string, bool) {
	l, ok := e.lists[a]
	return l, ok
}

// WithPrefix implements field.Source.
func (e *Event) WithPrefix(prefix string, yield func(name, value string)) {
	for name, value := range e.named {
		if strings.HasPrefix(name, prefix) {
			yield(name, value)
		}
	}
}

// Named implements field.Source.
func (e *Event) Named(key string) (string, bool) {
	s, ok := e.named[key]
	return s, ok
}

// Ancestor implements field.Source.
func (e *Event) Ancestor(n int, p *field.Process) bool {
	if n < len(e.Chain) {
		*p = e.Chain[n]
		return true
	}
	if n > 0 || len(e.Chain) > 0 {
		return false
	}
	p.Name, p.PID = e.texts[field.AttrProcName], e.ints[field.AttrPID]
	p.Path, p.Args = e.texts[field.AttrProcPath], e.lists[field.AttrProcArgs]
	p.Start = e.ints[field.AttrProcStart]
	return p.Name != ""
}

// NameOf implements field.Source: it knows the acting process and its ancestors.
func (e *Event) NameOf(pid int64, own bool) (string, bool) {
	for i := range e.Chain {
		if p := &e.Chain[i]; !own && p.PID == pid || own && p.VPID == pid {
			return p.Name, true
		}
	}
	return "", false
}

// Leader implements field.Source.
func (e *Event) Leader(of field.Group, p *field.Process) bool {
	leader, ok := e.Leaders[of]
	if ok {
		*p = leader
	}
	return ok
}

var groups = map[string]field.Group{
	"session": field.Session, "group": field.ProcessGroup, "vgroup": field.VirtualProcGroup,
}

// setLine sets what one line of a script says: "name = JSON value". The names
// time, process and leader.<group> are the event's time and processes: the
// acting one first, then its ancestors.
func (e *Event) setLine(line string) error {
	name, text, ok := strings.Cut(line, "=")
	name, text = strings.TrimSpace(name), strings.TrimSpace(text)
	if !ok {
		return fmt.Errorf("%q is no assignment", line)
	}
	switch {
	case name == "time":
		n, err := strconv.ParseInt(text, 10, 64)
		e.When = n
		return err
	case name == "process":
		var p field.Process
		err := json.Unmarshal([]byte(text), &p)
		e.Chain = append(e.Chain, p)
		return err
	case strings.HasPrefix(name, "leader."):
		var p field.Process
		err := json.Unmarshal([]byte(text), &p)
		e.Leaders[groups[strings.TrimPrefix(name, "leader.")]] = p
		return err
	}
	if text == "OPEN_DIRECTORY" { // the flag differs between architectures
		text = strconv.FormatUint(events.SetByName("open").Entries[1].Kernel, 10)
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if n, isNumber := v.(float64); isNumber && n != math.Trunc(n) {
		return fmt.Errorf("%s: attributes have no fractions", name)
	}
	e.Set(name, v)
	return nil
}
