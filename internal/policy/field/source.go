// Package field holds what a policy can ask about an event: the values and
// types, the Source that gives access to one event's facts, and the table of
// fields with one row each.
//
//	Source (attributes) -> row.Get -> Value -> planned check or output
package field

import "net/netip"

// Source gives typed access to the facts of one event. An attribute that the
// event does not have is reported as absent, never as a zero value. Texts and
// slices are valid until the next event. A Source is used by one goroutine at
// a time.
type Source interface {
	// EventType is evt.type: the system call's name, or "procexit" and the
	// like for what is not a call. A successful execveat is "execve".
	EventType() string
	// Time is when the event happened, ns since 1970.
	Time() int64
	// String gives a text or bytes attribute. A number is absent.
	String(a Attr) (string, bool)
	// Int gives a number; truth values are 0 and 1. A text is absent, apart
	// from the attributes whose form is FormTime: the source converts their
	// RFC 3339 text to ns since 1970.
	Int(a Attr) (int64, bool)
	// Strings gives a list of texts.
	Strings(a Attr) ([]string, bool)
	// Named looks up a text attribute of the event or its resource by its full
	// name. It is for keys that are not known in advance, such as labels.
	Named(key string) (string, bool)
	// WithPrefix calls yield with the text attributes of the event and its
	// resource whose names begin with prefix, in any order. It is for all
	// labels together.
	WithPrefix(prefix string, yield func(name, value string))
	// Ancestor fills p with the process n steps above the acting one (0 is
	// the acting process' main thread, 1 its parent) and reports whether it is
	// known. A source without a process table answers from the attributes.
	Ancestor(n int, p *Process) bool
	// NameOf gives the name of the process with a pid: as the host counts or, when
	// own is set, as the pid namespace of the acting process does. A thread that
	// is not a process' main one has none.
	NameOf(pid int64, own bool) (string, bool)
	// Leader fills p with the leader of one of the acting process' groups.
	Leader(of Group, p *Process) bool
}

// Names knows the addresses of domain names. Its methods do not block; a name
// whose addresses are not known yet has none.
type Names interface {
	// Watch asks for a name's addresses to be kept up to date.
	Watch(name string)
	// Has reports whether addr is one of the name's.
	Has(name string, addr netip.Addr) bool
	// NameOf is the first watched name that has the address.
	NameOf(addr netip.Addr) (string, bool)
}

// Group names a set of processes that has a leader.
type Group uint8

// The groups of a process.
const (
	Session          Group = iota // by sid
	ProcessGroup                  // by pgid
	VirtualProcGroup              // by vpgid: pgid in the innermost pid namespace
)

// Process is what a policy can ask about a process other than the acting
// thread. A Source fills it; its texts alias the source.
type Process struct {
	PID     int64    // thread group id, host view
	VPID    int64    // in the innermost pid namespace; 0 when unknown
	Start   int64    // ns since 1970; 0 when unknown
	Name    string   // comm
	Path    string   // kernel's path of the executable; empty when unknown
	Args    []string // argument vector including argv[0]; nil when unknown
	Command string   // command line in Falco's form; used when Args is nil
	Env     []string // environment; nil when unknown
}

// Attr is the number of an attribute that policies read, or of a system
// call's argument. Numbers are dense, from 0 to NumAttrs-1, and stable within
// one build only.
type Attr uint16

// Form is how an attribute is represented.
type Form uint8

// The forms of attributes.
const (
	FormText  Form = iota + 1
	FormInt        // Source.Int
	FormBool       // Source.Int, 0 or 1
	FormTime       // RFC 3339 text in the record, ns since 1970 by Source.Int
	FormList       // Source.Strings
	FormBytes      // Source.String
	FormAny        // as the argument's kind says: Int, String or Strings
)
