package plan

import (
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

type allNode struct{ children []Node }

func (n *allNode) Eval(c *Context) bool {
	for _, child := range n.children {
		if !child.Eval(c) {
			return false
		}
	}
	return true
}

type anyNode struct{ children []Node }

func (n *anyNode) Eval(c *Context) bool {
	for _, child := range n.children {
		if child.Eval(c) {
			return true
		}
	}
	return false
}

type notNode struct{ child Node }

func (n *notNode) Eval(c *Context) bool { return !n.child.Eval(c) }

// memoNode keeps the verdict of a node that several conditions share.
type memoNode struct {
	node  Node
	index int
}

func (n *memoNode) Eval(c *Context) bool {
	m := &c.memos[n.index]
	if m.gen != c.gen {
		m.verdict = n.node.Eval(c)
		m.gen = c.gen
	}
	return m.verdict
}

// isCheap reports whether a node costs no more than looking up its verdict.
func isCheap(n Node) bool {
	switch n.(type) {
	case *typeNode, *existsNode:
		return true
	}
	return false
}

type existsNode struct{ slot int }

func (n *existsNode) Eval(c *Context) bool { return c.Value(n.slot).Kind != field.None }

// testNode holds a value against constants.
type testNode struct {
	slot int
	pred pred
}

func (n *testNode) Eval(c *Context) bool {
	v := c.Value(n.slot)
	return v.Kind != field.None && n.pred.test(v)
}

// compareNode holds two values against each other.
type compareNode struct {
	left, right int
	op          operator.ID
	list        bool
}

func (n *compareNode) Eval(c *Context) bool {
	l, r := c.Value(n.left), c.Value(n.right)
	if l.Kind == field.None || r.Kind == field.None {
		return false
	}
	if n.list {
		return compareLists(n.op, l, r)
	}
	return compareValues(n.op, l, r)
}

// ancestorNode is true when any ancestor satisfies the comparison.
type ancestorNode struct {
	ref   *field.Ref
	pred  pred        // nil: compare with the slot right
	op    operator.ID // for right
	right int
}

func (n *ancestorNode) Eval(c *Context) bool {
	v := &c.step
	for i := 1; n.ref.Step(&c.Context, i, v); i++ {
		if v.Kind == field.None {
			continue
		}
		if n.pred != nil {
			if n.pred.test(v) {
				return true
			}
			continue
		}
		if r := c.Value(n.right); r.Kind != field.None && compareValues(n.op, v, r) {
			return true
		}
	}
	return false
}

// typeNode is a test of the event's type, decided beforehand for each type.
type typeNode struct {
	verdicts []bool
	unknown  bool // for types that are not in the table
}

func (n *typeNode) Eval(c *Context) bool {
	if c.id < 0 {
		return n.unknown
	}
	return n.verdicts[c.id]
}

func typeNodeOf(ref *field.Ref, t *check.Test) Node {
	n := &typeNode{verdicts: make([]bool, events.Count())}
	var c field.Context
	var v field.Value
	verdict := func(name string, e *events.Event) bool {
		c.Begin(&field.Values{Event: name}, e)
		ref.Value(&c, &v)
		return v.Kind != field.None && (t.Op == operator.Exists || predOf(t).test(&v))
	}
	for id := range n.verdicts {
		e := events.ByID(events.ID(id))
		n.verdicts[id] = verdict(e.Name, e)
	}
	n.unknown = verdict("", nil)
	return n
}

// twoSidedNode is a comparison with either end of a socket: != must hold for
// both, everything else for one of them.
type twoSidedNode struct {
	sides  []int
	op     operator.ID
	pred   pred
	given  bool // values come by name: there is no socket to ask
	itself int  // slot of the field itself, where values come by name
}

func (b *Builder) twoSided(t *check.Test) Node {
	n := &twoSidedNode{op: t.Op, given: t.Left.Ref.Given()}
	for _, side := range t.Left.Ref.Sides() {
		n.sides = append(n.sides, b.Slot(&check.Operand{Ref: side, Type: side.Type}))
	}
	if n.given {
		n.itself = b.Slot(&t.Left)
	}
	switch {
	case t.Op == operator.Exists:
		n.pred = anything{}
	case t.Left.Type == field.IPNet && t.Mod == operator.Plain && len(t.Values) > 1:
		// The reference looks at the first network of a list only.
		first := *t
		first.Values = t.Values[:1]
		n.pred = predOf(&first)
	default:
		n.pred = predOf(t)
	}
	return n
}

func (n *twoSidedNode) Eval(c *Context) bool {
	if !n.given {
		known, isIP := c.SocketKnown()
		if n.op == operator.Exists || !isIP {
			return known && n.op == operator.Exists
		}
	} else if v := c.Value(n.itself); v.Kind != field.None {
		return n.pred.test(v)
	}
	some := false
	for _, side := range n.sides {
		v := c.Value(side)
		if v.Kind == field.None {
			continue
		}
		if n.pred.test(v) != (n.op == operator.Ne) {
			return n.op != operator.Ne
		}
		some = true
	}
	return some && n.op == operator.Ne
}

// domainNode compares an address with the addresses of names.
type domainNode struct {
	slot  int
	names []string
	op    operator.ID
}

func (b *Builder) domain(t *check.Test) Node {
	side := t.Left.Ref.Sides()[0]
	n := &domainNode{slot: b.Slot(&check.Operand{Ref: side, Type: side.Type}), op: t.Op}
	for i := range t.Values {
		n.names = append(n.names, t.Values[i].Text)
		if b.names != nil {
			b.names.Watch(t.Values[i].Text)
		}
	}
	if t.Left.Ref.Given() {
		return &testNode{slot: b.Slot(&t.Left), pred: predOf(t)}
	}
	return n
}

func (n *domainNode) Eval(c *Context) bool {
	v := c.Value(n.slot)
	if v.Kind != field.IP || c.Names == nil {
		return v.Kind == field.IP && n.op == operator.Ne
	}
	if n.op == operator.Exists {
		_, ok := c.Names.NameOf(v.Net.Addr())
		return ok
	}
	for _, name := range n.names {
		if c.Names.Has(name, v.Net.Addr()) {
			return n.op != operator.Ne
		}
	}
	return n.op == operator.Ne
}
