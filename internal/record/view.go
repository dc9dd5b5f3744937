package record

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// View is one log record as policies see it. It implements field.Source and
// is reused from record to record: SetResource, then SetRecord for each of
// the resource's records. Everything it returns aliases the record and is
// valid until the next SetRecord. One goroutine at a time; steady state does
// not allocate.
type View struct {
	rec   plog.LogRecord
	res   pcommon.Resource
	event string

	// A slot holds a value when its stamp is the current one, so nothing has
	// to be cleared between records. The record's attributes win over those
	// of its resource.
	recSlots, resSlots []slot
	recStamp, resStamp uint32

	sealed           pcommon.Map // what was masked in the record, when isSealed and not isLost
	isSealed, isLost bool

	lists []list   // lists already converted for this record
	arena []string // their storage

	processes   Processes // nil when there is no process table
	bootTime    int64     // ns since 1970; 0 when unknown
	clockRead   time.Time // when bootTime was
	selfKnown   bool      // selfProcess has been looked up for this record
	selfProcess *process.Process
}

type slot struct {
	value pcommon.Value
	stamp uint32
}

type list struct {
	slot  int
	items []string
}

var _ field.Source = (*View)(nil)

// New makes a view of an empty record.
func New() *View {
	return &View{
		rec: plog.NewLogRecord(), res: pcommon.NewResource(),
		recSlots: make([]slot, known.slots),
		resSlots: make([]slot, known.slots),
	}
}

// SetProcesses sets the process table, nil for none as in a gateway, and the
// wall-clock time of the boot by which its times are converted, in ns since
// 1970 (0 when it is not known). It holds from the next record on.
func (v *View) SetProcesses(p Processes, bootTime int64) { v.processes, v.bootTime = p, bootTime }

// SetResource makes res the resource of the records that follow.
func (v *View) SetResource(res pcommon.Resource) {
	v.res = res
	v.resStamp = nextStamp(v.resSlots, v.resStamp)
	fill(v.resSlots, v.resStamp, res.Attributes())
}

// SetRecord makes rec the record to be asked about.
func (v *View) SetRecord(rec plog.LogRecord) {
	v.rec = rec
	clear(v.lists)
	v.lists, v.arena = v.lists[:0], v.arena[:0]
	v.selfKnown, v.selfProcess = false, nil
	v.recStamp = nextStamp(v.recSlots, v.recStamp)
	fill(v.recSlots, v.recStamp, rec.Attributes())
	v.unseal()
	v.event = v.eventType()
}

func fill(slots []slot, stamp uint32, attrs pcommon.Map) {
	for name, value := range attrs.All() {
		if i := known.find(name); i >= 0 {
			slots[i] = slot{value: value, stamp: stamp}
		}
	}
}

// nextStamp advances a stamp; zero marks a slot that was never set.
func nextStamp(slots []slot, stamp uint32) uint32 {
	stamp++
	if stamp == 0 {
		clear(slots)
		stamp = 1
	}
	return stamp
}

func (v *View) value(slot int) (pcommon.Value, bool) {
	if s := &v.recSlots[slot]; s.stamp == v.recStamp && v.recStamp != 0 {
		return s.value, true
	}
	if s := &v.resSlots[slot]; s.stamp == v.resStamp && v.resStamp != 0 {
		return s.value, true
	}
	return pcommon.Value{}, false
}

// Record is the record that the view shows.
func (v *View) Record() plog.LogRecord { return v.rec }

// Resource is the resource that the view shows.
func (v *View) Resource() pcommon.Resource { return v.res }

// Self reports whether the record tells of the agent's own doing.
func (v *View) Self() bool {
	is, ok := v.Int(field.AttrIsAgent)
	return ok && is != 0
}

// EventType implements field.Source.
func (v *View) EventType() string { return v.event }

// Time implements field.Source: the record's time of the event, else the time
// when it was read.
func (v *View) Time() int64 {
	if t := v.rec.Timestamp(); t != 0 {
		return int64(t)
	}
	return int64(v.rec.ObservedTimestamp())
}

// String implements field.Source.
func (v *View) String(a field.Attr) (string, bool) {
	if val, ok := v.value(int(a)); ok {
		return textOf(val)
	}
	return v.textOfSelf(a)
}

func textOf(val pcommon.Value) (string, bool) {
	switch val.Type() {
	case pcommon.ValueTypeStr:
		return val.Str(), true
	case pcommon.ValueTypeBytes:
		return string(val.Bytes().AsRaw()), true
	default:
		return "", false
	}
}

// Int implements field.Source.
func (v *View) Int(a field.Attr) (int64, bool) {
	val, ok := v.value(int(a))
	if !ok {
		if a == field.AttrSyscallReturn && v.rec.EventName() == schema.EventProcessExec {
			return 0, true // the kernel tells only of an exec that succeeded
		}
		return v.intOfSelf(a)
	}
	switch val.Type() {
	case pcommon.ValueTypeInt:
		return val.Int(), true
	case pcommon.ValueTypeBool:
		if val.Bool() {
			return 1, true
		}
		return 0, true
	case pcommon.ValueTypeStr:
		if a.Form() == field.FormTime {
			return parseTime(val.Str())
		}
	default:
	}
	return 0, false
}

func parseTime(s string) (int64, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, false
	}
	return t.UnixNano(), true
}

// Strings implements field.Source. Elements that are not texts are given as
// their text form.
func (v *View) Strings(a field.Attr) ([]string, bool) {
	for i := range v.lists {
		if v.lists[i].slot == int(a) {
			return v.lists[i].items, true
		}
	}
	val, ok := v.value(int(a))
	if !ok {
		return v.listOfSelf(a)
	}
	if val.Type() != pcommon.ValueTypeSlice {
		return nil, false
	}
	items := v.expand(val.Slice())
	v.lists = append(v.lists, list{slot: int(a), items: items})
	return items, true
}

// expand copies a slice's texts into the arena. Growing the arena leaves the
// lists that were cut from it before untouched.
func (v *View) expand(s pcommon.Slice) []string {
	start := len(v.arena)
	for _, item := range s.All() {
		v.arena = append(v.arena, item.AsString())
	}
	return v.arena[start:len(v.arena):len(v.arena)]
}

// Named implements field.Source.
func (v *View) Named(key string) (string, bool) {
	if val, ok := v.secret(key); ok {
		return textOf(val)
	}
	if val, ok := v.rec.Attributes().Get(key); ok {
		return textOf(val)
	}
	if val, ok := v.res.Attributes().Get(key); ok {
		return textOf(val)
	}
	return "", false
}

// WithPrefix implements field.Source. Attributes of the record come first.
func (v *View) WithPrefix(prefix string, yield func(name, value string)) {
	for _, attrs := range [...]pcommon.Map{v.rec.Attributes(), v.res.Attributes()} {
		for name, value := range attrs.All() {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			if raw, ok := v.secret(name); ok {
				value = raw
			}
			if text, ok := textOf(value); ok {
				yield(name, text)
			}
		}
	}
}

// eventType derives evt.type. Records name their system call; those of other
// senders at least have an event name.
func (v *View) eventType() string {
	event := v.rec.EventName()
	if event == schema.EventFileModified {
		return interest.FileModified // the call that did it has a record of its own
	}
	if name, ok := v.String(field.AttrSyscallName); ok && !isSession(event) {
		if name == "execveat" {
			if ret, ok := v.Int(field.AttrSyscallReturn); !ok || ret >= 0 {
				return "execve" // only a failed execveat keeps its name
			}
		}
		return name
	}
	switch event {
	case schema.EventProcessExec:
		return "execve"
	case schema.EventProcessExit:
		return "procexit"
	case schema.EventNetworkConnect:
		return "connect"
	case schema.EventNetworkAccept:
		return "accept"
	case schema.EventNetworkListen:
		return "listen"
	default:
		return ""
	}
}

// isSession reports whether a record tells of a session rather than of a
// system call. The exec that opened the session has a record of its own.
func isSession(event string) bool {
	return event == schema.EventLoginStart || event == schema.EventLoginEnd
}
