// Package events is the list of what evt.type can be: every system call of
// Linux by name, the happenings that are no call, and for those with a known
// layout the arguments in the order of evt.arg[N], each with its kind.
package events

import (
	"strings"

	"github.com/sightglass/sightglass/internal/nearest"
)

// ID is the number of an event type: an index into the list of names. Numbers
// are dense and stable within one build only.
type ID uint16

// Category is evt.category.
type Category uint8

// The categories.
const (
	Other Category = iota
	File
	Net
	IPC
	Memory
	Process
	Sleep
	System
	Signal
	User
	Time
	Wait
	Scheduler
	Internal
	IORead
	IOWrite
	IOOther
)

var categoryNames = [...]string{
	"other", "file", "net", "IPC", "memory", "process", "sleep", "system", "signal", "user",
	"time", "wait", "scheduler", "internal", "I/O read", "I/O write", "I/O other",
}

// String is the category's name.
func (c Category) String() string { return categoryNames[c] }

// Event is one type of event.
type Event struct {
	ID       ID
	Name     string
	Syscall  bool // a system call, as opposed to what the kernel or the agent reports on its own
	Layout   bool // Args is known
	Category Category
	Args     []Arg
	FD       int8 // index of the argument that is the event's descriptor; -1: the event has none
	Result   int8 // index of the argument with the result; -1: there is none
}

// Arg is one argument of an event.
type Arg struct {
	Name string
	Kind Kind
	Set  *Set // names of bits or values; nil for none
	Dir  int8 // a path relative to the descriptor in that argument; -1: to the working directory
}

// ArgIndex is the position of an argument by name, -1 when there is none.
func (e *Event) ArgIndex(name string) int {
	for i := range e.Args {
		if e.Args[i].Name == name {
			return i
		}
	}
	return -1
}

var (
	list   []Event
	byName map[string]ID
)

func init() { //nolint:gochecknoinits // derived tables: pure, cheap, and needed by every user
	names := strings.Fields(syscallNames)
	byName = make(map[string]ID, len(names)+len(layouts))
	for _, name := range names {
		add(Event{Name: name, Syscall: true, FD: -1, Result: -1})
	}
	for _, row := range layouts {
		e := row.event()
		if id, ok := byName[row.name]; ok {
			e.ID = id
			list[id] = e
			continue
		}
		add(e)
	}
}

func add(e Event) {
	e.ID = ID(len(list))
	byName[e.Name] = e.ID
	list = append(list, e)
}

// Unknown is what to say of a name that does not exist, with the one that was
// probably meant.
func Unknown(name string) string {
	known := make([]string, len(list))
	for i := range list {
		known[i] = list[i].Name
	}
	msg := "there is no event type " + name
	if near := nearest.Of(name, known, min(2, len(name)/3)); near != "" {
		msg += ": did you mean " + near + "?"
	}
	return msg
}

// Count is the number of event types.
func Count() int { return len(list) }

// ByID is an event type by its number.
func ByID(id ID) *Event { return &list[id] }

// ByName finds an event type.
func ByName(name string) (*Event, bool) {
	id, ok := byName[name]
	if !ok {
		return nil, false
	}
	return &list[id], true
}

// ArgKind is the kind of the first argument of that name over all events.
func ArgKind(name string) (Kind, bool) {
	for i := range list {
		if n := list[i].ArgIndex(name); n >= 0 {
			return list[i].Args[n].Kind, true
		}
	}
	return 0, false
}

// ArgNames are the names of all arguments of all events, without repetition,
// in the order in which they first appear.
func ArgNames() []string {
	var names []string
	seen := map[string]bool{}
	for i := range list {
		for _, a := range list[i].Args {
			if !seen[a.Name] {
				seen[a.Name] = true
				names = append(names, a.Name)
			}
		}
	}
	return names
}
