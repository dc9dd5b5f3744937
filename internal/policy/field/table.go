package field

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/nearest"
	"github.com/sightglass/sightglass/internal/policy/events"
)

// Why a field cannot be used.
var (
	ErrUnknown     = errors.New("unknown field")
	ErrUnsupported = errors.New("unsupported field")
	ErrArgument    = errors.New("wrong field argument")
)

// Table is a set of fields by name.
type Table struct {
	rows   map[string]*Field
	values bool            // values come by name, from a ValueSource
	types  map[string]Type // of values by name, where the source says so
}

// NewTable makes a table of rows.
func NewTable(rows ...[]Field) *Table {
	t := &Table{rows: make(map[string]*Field)}
	for _, group := range rows {
		for i := range group {
			t.rows[group[i].Name] = &group[i]
		}
	}
	return t
}

var standard = NewTable(evtFields, evtTimeFields, evtStateFields, evtDataFields, fdFields, fdSocketFields, fsFields, changeFields,
	procFields, procAncestorFields, procStateFields, threadFields, userFields, containerFields, k8sFields, serviceFields)

// Standard is the table of all fields.
func Standard() *Table { return standard }

// With is a table with further rows.
func (t *Table) With(rows []Field) *Table {
	next := *t
	next.rows = maps.Clone(t.rows)
	for i := range rows {
		next.rows[rows[i].Name] = &rows[i]
	}
	return &next
}

// ByValue is the table whose values come by name from a ValueSource, which
// also makes fields usable for which events have no data. types overrides the
// types of names whose type depends on the event.
func (t *Table) ByValue(types map[string]Type) *Table {
	next := *t
	next.values, next.types = true, types
	return &next
}

// Rows are the rows of the table, by name.
func (t *Table) Rows() []*Field {
	return slices.SortedFunc(maps.Values(t.rows), func(a, b *Field) int { return strings.Compare(a.Name, b.Name) })
}

// Known reports whether name is the name of a field, with a dotted argument or
// without.
func (t *Table) Known(name string) bool {
	_, _, ok := t.find(name)
	return ok
}

// find splits a dotted argument off when the whole name is no field.
func (t *Table) find(name string) (f *Field, dotted string, ok bool) {
	if f, ok = t.rows[name]; ok {
		return f, "", true
	}
	for i := strings.LastIndexByte(name, '.'); i > 0; i = strings.LastIndexByte(name[:i], '.') {
		f, ok = t.rows[name[:i]]
		if ok && (f.Arg == ArgKeyDotted || f.Arg == ArgEvent) {
			return f, name[i+1:], true
		}
	}
	return nil, "", false
}

// Resolve finds a field and reads its argument. The error wraps ErrUnknown,
// ErrUnsupported or ErrArgument.
func (t *Table) Resolve(name, arg string, hasArg bool) (Ref, error) {
	f, dotted, ok := t.find(name)
	if !ok {
		return Ref{}, fmt.Errorf("%w %s%s", ErrUnknown, name, t.suggest(name))
	}
	if f.Unsupported != "" && !t.values {
		return Ref{}, fmt.Errorf("%w %s: %s", ErrUnsupported, f.Name, f.Unsupported)
	}
	if dotted != "" && hasArg {
		return Ref{}, fmt.Errorf("%w: %s has two arguments", ErrArgument, name)
	}
	r := Ref{Field: f, Name: f.Name, Type: f.Type, List: f.List, get: f.Get}
	if dotted != "" {
		arg = dotted
	}
	if err := r.setArg(arg, hasArg || dotted != "", dotted != ""); err != nil {
		return Ref{}, err
	}
	for _, side := range f.Sides {
		s, err := t.Resolve(side, "", false)
		if err != nil {
			return Ref{}, err
		}
		r.sides = append(r.sides, &s)
	}
	if t.values {
		t.byValue(&r, name)
	}
	return r, nil
}

func (r *Ref) setArg(arg string, has, dotted bool) error {
	f := r.Field
	r.Arg = Arg{Text: arg, Index: -1, Has: has}
	if has {
		if n, err := strconv.Atoi(arg); err == nil && n >= 0 {
			r.Arg.Index = n
		}
		r.Name = f.Name + "[" + arg + "]"
	}
	switch f.Arg {
	case ArgNone:
		if has {
			return fmt.Errorf("%w: %s takes none", ErrArgument, f.Name)
		}
	case ArgIndex, ArgIndexMust:
		if has && r.Arg.Index < 0 {
			return fmt.Errorf("%w: %s needs a number, not %q", ErrArgument, f.Name, arg)
		}
		if !has && f.Arg == ArgIndexMust {
			return fmt.Errorf("%w: %s needs a number in brackets", ErrArgument, f.Name)
		}
	case ArgKey:
	case ArgKeyMust, ArgKeyDotted:
		if !has || arg == "" {
			return fmt.Errorf("%w: %s needs one in brackets", ErrArgument, f.Name)
		}
	case ArgEvent:
		return r.setEventArg(arg, has, dotted)
	}
	return nil
}

// setEventArg looks up an event argument by name or number.
func (r *Ref) setEventArg(arg string, has, dotted bool) error {
	f := r.Field
	switch {
	case !has || arg == "":
		return fmt.Errorf("%w: %s needs an argument's name or number", ErrArgument, f.Name)
	case !dotted && r.Arg.Index >= 0 && f.Type == 0:
		return fmt.Errorf("%w: %s needs an argument's name, a number says nothing about its type", ErrArgument, f.Name)
	case !dotted && r.Arg.Index >= 0:
		r.Arg.kind = events.KindText
		return nil
	}
	kind, ok := events.ArgKind(arg)
	if !ok {
		return fmt.Errorf("%w: no event has an argument named %s", ErrArgument, arg)
	}
	r.Arg.Index, r.Arg.kind = -1, kind
	r.Arg.attr, r.Arg.known = ArgAttr(arg)
	r.Arg.pos = make([]int8, events.Count())
	for id := range r.Arg.pos {
		r.Arg.pos[id] = int8(events.ByID(events.ID(id)).ArgIndex(arg))
	}
	r.Name = f.Name + "." + arg
	if f.Type == 0 { // evt.rawarg: the type is the argument's
		r.Type = typeOfKind(kind)
	}
	return nil
}

// position is the argument's place in events of the type, -1 for none.
func (a *Arg) position(e *events.Event) int {
	switch {
	case e == nil:
		return -1
	case a.pos != nil:
		return int(a.pos[e.ID])
	case a.Index < len(e.Args):
		return a.Index
	default:
		return -1
	}
}

var kindTypes = [...]Type{
	events.KindFD: FD, events.KindErrno: Errno, events.KindPID: PID, events.KindI8: Int8, events.KindI16: Int16,
	events.KindI32: Int32, events.KindI64: Int64, events.KindU8: Uint8, events.KindU16: Uint16,
	events.KindU32: Uint32, events.KindU64: Uint64, events.KindHex32: Uint32, events.KindHex64: Uint64,
	events.KindHexI32: Int32, events.KindOct32: Uint32, events.KindFlags: Flags32, events.KindFlags8: Flags32,
	events.KindFlags16: Flags32, events.KindEnum: Flags32, events.KindMode: Flags32, events.KindUID: Uint32,
	events.KindGID: Uint32, events.KindPath: FSPath, events.KindText: CharBuf, events.KindBytes: ByteBuf,
	events.KindAddr: CharBuf, events.KindTuple: CharBuf, events.KindSignal: Uint8, events.KindRelTime: RelTime,
	events.KindAbsTime: AbsTime, events.KindDyn: Int64, events.KindFDList: CharBuf, events.KindSigSet: Uint32,
}

func typeOfKind(k events.Kind) Type { return kindTypes[k] }

// maxTypo is how many letters of a name may be wrong for it to be taken for
// another.
const maxTypo = 2

// suggest is the field that was probably meant, as an addition to a message.
func (t *Table) suggest(name string) string {
	var known []string
	for _, f := range t.Rows() {
		if f.Unsupported == "" && !f.Has(Deprecated) {
			known = append(known, f.Name)
		}
	}
	if near := nearest.Of(name, known, maxTypo); near != "" {
		return ": did you mean " + near + "?"
	}
	return ""
}
