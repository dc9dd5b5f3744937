package field

import (
	"slices"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/events"
)

// ArgKind says what a field takes in brackets or behind a further dot.
type ArgKind uint8

// The kinds of field arguments.
const (
	ArgNone      ArgKind = iota
	ArgIndex             // an optional number: proc.aname[2]
	ArgIndexMust         // a number must be given
	ArgKey               // an optional text: proc.env[PATH]
	ArgKeyMust           // a text must be given: container.mount.dest[/proc*]
	ArgKeyDotted         // a text must be given, also with a dot: container.label.app
	ArgEvent             // an event argument's name behind a dot, or its number: evt.arg.flags, evt.arg[1]
)

// Flags mark what is special about a field.
type Flags uint16

// The marks of fields.
const (
	FilterOnly  Flags = 1 << iota // has no value of its own, only takes part in conditions
	NoCompare                     // takes neither val() nor transformers
	NoVal                         // takes no val()
	Deprecated                    // kept for old rules
	NeverValue                    // deprecated: has no value, whatever the event
	Suggested                     // appended to outputs by suggested_output
	Ancestors                     // without index a condition looks at every ancestor
	TwoSided                      // a condition looks at both ends of a socket
	DomainName                    // values are names that resolve to addresses
	HexNumber                     // printed in hexadecimal
	TextNumber                    // a time that prints as text and is a number in JSON
	EventType                     // values are names of event types
	EventArg                      // printed as text in JSON, whatever its type
	EventScoped                   // its values depend on the event's type alone
	Padded                        // printed with nine digits
)

// Field is one row of the table: everything there is to say about a field.
type Field struct {
	Name  string
	Type  Type
	List  bool
	Arg   ArgKind
	Flags Flags
	Doc   string
	From  []Attr // the attributes it is made of, for the documentation
	// Unsupported says why no event ever carries the data; rules that use the
	// field are refused. Empty when the field works.
	Unsupported string
	// Sides are the fields that a TwoSided or DomainName field compares.
	Sides []string
	Get   func(c *Context, a *Arg, v *Value)
}

// Has reports whether all marks in f are set.
func (f *Field) Has(flags Flags) bool { return f.Flags&flags == flags }

// Arg is a field's argument, ready to use.
type Arg struct {
	Text  string
	Index int // -1 when the argument is no number
	Has   bool

	attr  Attr // of an event argument by name
	known bool // attr is set
	pos   []int8
	kind  events.Kind
}

// Ref is a field as one condition or output uses it.
type Ref struct {
	Field *Field
	Name  string // canonical, with the argument; equal names have equal values
	Type  Type
	List  bool
	Arg   Arg
	get   func(c *Context, a *Arg, v *Value)

	given bool   // the value comes by name
	sides []*Ref // resolved from Field.Sides
}

// Value extracts the field's value of c's event into v.
func (r *Ref) Value(c *Context, v *Value) {
	*v = Value{}
	r.get(c, &r.Arg, v)
}

// Step extracts the value of the ancestor n steps up, from 1, for a field that
// stands for all of them. It is false behind the last ancestor.
func (r *Ref) Step(c *Context, n int, v *Value) bool {
	*v = Value{}
	if r.given {
		return r.stepGiven(c, n, v)
	}
	if c.Process(n) == nil {
		return false
	}
	c.step = Arg{Index: n, Has: true}
	r.get(c, &c.step, v)
	return true
}

// stepGiven takes the nth word of a text that lists all ancestors.
func (r *Ref) stepGiven(c *Context, n int, v *Value) bool {
	r.get(c, &r.Arg, v)
	if v.Kind != Text && v.Kind != List {
		return n == 1 && v.Kind != None
	}
	words := v.List
	if v.Kind == Text {
		words = strings.Fields(v.Text)
	}
	if n > len(words) {
		return false
	}
	*v = Value{}
	v.SetText(words[n-1])
	return true
}

// Reads reports whether the value is made of an attribute. A field that stands
// for all arguments of an event (evt.args) reads none of them in particular: it
// shows those that are there.
func (r *Ref) Reads(a Attr) bool {
	if a == AttrProcEnv && r.Field.Has(EventArg) && r.Arg.Text == "env" {
		return true
	}
	return slices.Contains(r.Field.From, a)
}

// Base is the base in which the value is printed when it is a number: 10, 16 or
// 8. That of a raw argument is its kind's.
func (r *Ref) Base() int {
	switch {
	case r.Field.Has(HexNumber):
		return 16
	case r.Field.Type == 0:
		return r.Arg.kind.Base()
	default:
		return 10
	}
}

// Given reports whether the value comes by name instead of being worked out.
func (r *Ref) Given() bool { return r.given }

// Sides are the fields that a TwoSided or DomainName field is about.
func (r *Ref) Sides() []*Ref { return r.sides }

// EveryAncestor reports whether the reference stands for all ancestors.
func (r *Ref) EveryAncestor() bool { return r.Field.Has(Ancestors) && !r.Arg.Has }
