package plan

import (
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Builder interns the conditions of a rule set. Add all of them, then Build.
type Builder struct {
	sources []source
	slots   map[string]int // by canonical operand
	entries map[string]*entry
	memos   int
	names   field.Names

	specials map[specialKey]special
}

// entry is one distinct subexpression.
type entry struct {
	id       int
	expr     check.Expr
	children []*entry
	uses     int  // how many parents and conditions refer to it
	typed    bool // the event's type alone decides a part of it; set by Build
	node     Node // made by Build
}

// Cond is a condition that was added to a Builder.
type Cond struct{ root *entry }

// NewBuilder makes an empty Builder. names tells the addresses of the domain
// names that conditions compare with; it may be nil.
func NewBuilder(names field.Names) *Builder {
	return &Builder{
		slots: map[string]int{}, entries: map[string]*entry{}, names: names, specials: map[specialKey]special{},
	}
}

// Add takes a condition in.
func (b *Builder) Add(e check.Expr) Cond { return Cond{root: b.intern(e)} }

// Build ends the adding and makes the program.
func (b *Builder) Build() *Program {
	for _, e := range b.entries {
		b.finish(e)
	}
	return &Program{sources: b.sources, memos: b.memos, names: b.names}
}

// Node is the planned form of the condition, once Build was called.
func (c Cond) Node() Node { return c.root.node }

func (b *Builder) intern(e check.Expr) *entry {
	var children []*entry
	var key string
	switch e := e.(type) {
	case *check.And:
		children = b.internAll(e.Children)
		key = "and" + ids(children)
	case *check.Or:
		children = b.internAll(e.Children)
		key = "or" + ids(children)
	case *check.Not:
		children = b.internAll([]check.Expr{e.Child})
		key = "not" + ids(children)
	case *check.Test:
		key = testKey(e)
	}
	found, ok := b.entries[key]
	if !ok {
		found = &entry{id: len(b.entries), expr: e, children: children}
		b.entries[key] = found
	}
	found.uses++
	return found
}

func (b *Builder) internAll(list []check.Expr) []*entry {
	out := make([]*entry, len(list))
	for i, e := range list {
		out[i] = b.intern(e)
	}
	return out
}

func ids(entries []*entry) string {
	var s strings.Builder
	for _, e := range entries {
		s.WriteByte(' ')
		s.WriteString(strconv.Itoa(e.id))
	}
	return s.String()
}

// testKey is the same for tests that always have the same verdict.
func testKey(t *check.Test) string {
	var s strings.Builder
	s.WriteString(operandKey(&t.Left))
	s.WriteByte(' ')
	s.WriteString(t.Op.String())
	s.WriteString(t.Mod.String())
	if t.Right != nil {
		s.WriteString(" val ")
		s.WriteString(operandKey(t.Right))
	}
	for i := range t.Values {
		s.WriteByte(' ')
		s.WriteString(strconv.Quote(t.Values[i].Text))
	}
	return s.String()
}

func operandKey(o *check.Operand) string {
	if o.Ref != nil {
		return o.Ref.Name
	}
	var s strings.Builder
	s.WriteString(o.Call.Name)
	argsKey(&s, o.Call.Args)
	s.WriteString("[" + o.Call.Key + "]")
	return s.String()
}

func argsKey(s *strings.Builder, args []check.CallArg) {
	s.WriteByte('(')
	for i := range args {
		switch a := &args[i]; {
		case a.IsList:
			argsKey(s, a.Items)
		case a.Operand != nil:
			s.WriteString(operandKey(a.Operand))
		default:
			s.WriteString(strconv.Quote(a.Text))
		}
		s.WriteByte(',')
	}
	s.WriteByte(')')
}

// Slot is the place of an operand's value in a Context.
func (b *Builder) Slot(o *check.Operand) int {
	key := operandKey(o)
	if i, ok := b.slots[key]; ok {
		return i
	}
	var src source
	if o.Ref != nil {
		src = fieldSource{o.Ref}
	} else {
		src = b.call(o.Call)
	}
	i := len(b.sources)
	b.sources = append(b.sources, src)
	b.slots[key] = i
	return i
}

// finish makes the node of an entry, and of its children first.
func (b *Builder) finish(e *entry) Node {
	if e.node != nil {
		return e.node
	}
	var node Node
	cheap := false
	switch x := e.expr.(type) {
	case *check.And:
		node = &allNode{b.finishAll(e.children)}
	case *check.Or:
		node = &anyNode{b.finishAll(e.children)}
	case *check.Not:
		node = &notNode{b.finish(e.children[0])}
		cheap = true
	case *check.Test:
		node = b.test(x)
		cheap = isCheap(node)
		_, e.typed = node.(*typeNode)
	}
	for _, child := range e.children {
		e.typed = e.typed || child.typed
	}
	if e.uses > 1 && !cheap {
		node = &memoNode{node: node, index: b.memos}
		b.memos++
	}
	e.node = node
	return node
}

func (b *Builder) finishAll(children []*entry) []Node {
	out := make([]Node, len(children))
	for i, c := range children {
		out[i] = b.finish(c)
	}
	return out
}

// test plans one comparison.
func (b *Builder) test(t *check.Test) Node {
	left := t.Left.Ref
	switch {
	case left == nil:
	case left.Field.Has(field.TwoSided):
		return b.twoSided(t)
	case left.Field.Has(field.DomainName):
		return b.domain(t)
	case t.Op == operator.Exists && left.EveryAncestor():
		return &ancestorNode{ref: left, pred: anything{}}
	case left.EveryAncestor() && t.Right != nil:
		return &ancestorNode{ref: left, op: t.Op, right: b.Slot(t.Right)}
	case left.EveryAncestor():
		return &ancestorNode{ref: left, pred: predOf(t)}
	case left.Field.Has(field.EventScoped) && !left.Given() && t.Right == nil:
		return typeNodeOf(left, t)
	}
	i := b.Slot(&t.Left)
	switch {
	case t.Op == operator.Exists:
		return &existsNode{i}
	case t.Right != nil:
		return &compareNode{left: i, right: b.Slot(t.Right), op: t.Op, list: t.Left.List}
	}
	return &testNode{slot: i, pred: predOf(t)}
}
