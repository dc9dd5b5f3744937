// Package plan turns checked conditions into small nodes that evaluate an
// event. All conditions of a rule set share one Program: equal fields are
// extracted once per event, equal subexpressions evaluated once.
//
//	check.Expr -> Builder (interned graph) -> Program (nodes) -> Node.Eval(Context)
//
// A field without a value makes every comparison false, also !=.
package plan

import (
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
)

// Node is a planned condition.
type Node interface {
	// Eval is the verdict on the event that c.Begin set. It does not allocate
	// once c has seen events of all kinds.
	Eval(c *Context) bool
}

// source makes the value of one slot: a field or a transformer's result.
type source interface {
	extract(c *Context, v *field.Value)
}

// Program is what the conditions of a rule set have in common. It is not
// changed once it is built and may be used by any number of Contexts.
type Program struct {
	sources []source
	memos   int
	names   field.Names
}

// slot is the cached value of one source.
type slot struct {
	gen uint32
	val field.Value
}

// memo is the cached verdict of one shared node.
type memo struct {
	gen     uint32
	verdict bool
}

// Context evaluates events, one at a time and by one goroutine.
type Context struct {
	field.Context
	prog  *Program
	gen   uint32
	slots []slot
	memos []memo
	id    int // number of the event's type; -1 when unknown
	buf   []byte
	items []string
	step  field.Value // of the ancestor that is being looked at
}

// NewContext makes a Context for the program's nodes.
func (p *Program) NewContext() *Context {
	c := &Context{prog: p, slots: make([]slot, len(p.sources)), memos: make([]memo, p.memos)}
	c.Names = p.names
	return c
}

// Begin makes src the event to evaluate. What earlier events gave is no longer
// valid. event is the event's type, nil when it is unknown.
func (c *Context) Begin(src field.Source, event *events.Event) {
	c.Context.Begin(src, event)
	c.restart(event)
}

// BeginLike makes the event that other shows, which is a context of the same
// program, the one to evaluate, with the facts as src tells them.
func (c *Context) BeginLike(other *Context, src field.Source) {
	c.Context.BeginLike(&other.Context, src)
	c.restart(other.Event())
}

// Again is Begin for an event that was begun before, and does not count again.
func (c *Context) Again(src field.Source, event *events.Event) {
	c.Context.Again(src, event)
	c.restart(event)
}

func (c *Context) restart(event *events.Event) {
	c.gen++
	if c.gen == 0 { // wrapped: nothing may look current
		clear(c.slots)
		clear(c.memos)
		c.gen = 1
	}
	c.id = -1
	if event != nil {
		c.id = int(event.ID)
	}
	c.buf, c.items = c.buf[:0], c.items[:0]
}

// Value is the value of a slot. It is valid until the next Begin.
func (c *Context) Value(i int) *field.Value {
	s := &c.slots[i]
	if s.gen != c.gen {
		s.gen = c.gen
		s.val.Kind = field.None
		c.prog.sources[i].extract(c, &s.val)
	}
	return &s.val
}

type fieldSource struct{ ref *field.Ref }

func (s fieldSource) extract(c *Context, v *field.Value) { s.ref.Value(&c.Context, v) }
