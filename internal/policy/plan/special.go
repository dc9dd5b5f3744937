package plan

import (
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
)

// always is the condition that every event meets.
type always struct{}

func (*always) Eval(*Context) bool { return true }

// special is what a subexpression comes to for events of one type: a verdict
// that the type alone decides, or what is left to evaluate.
type special struct {
	node    Node // nil when decided
	verdict bool
}

type specialKey struct {
	entry *entry
	id    events.ID
}

// For is the condition as events of one type need it: comparisons of the type
// are worked out, with all that they decide. nil means that no event of the
// type meets it. Call it after Build.
func (b *Builder) For(c Cond, id events.ID) Node {
	s := b.special(c.root, id)
	switch {
	case s.node != nil:
		return s.node
	case s.verdict:
		return &always{}
	default:
		return nil
	}
}

// First is the node that n evaluates first, which must be true for n to be.
func First(n Node) Node {
	if all, ok := n.(*allNode); ok {
		return First(all.children[0])
	}
	return n
}

func (b *Builder) special(e *entry, id events.ID) special {
	if !e.typed {
		return special{node: e.node}
	}
	key := specialKey{e, id}
	s, ok := b.specials[key]
	if !ok {
		s = b.specialize(e, id)
		b.specials[key] = s
	}
	return s
}

func (b *Builder) specialize(e *entry, id events.ID) special {
	switch e.expr.(type) {
	case *check.Not:
		s := b.special(e.children[0], id)
		if s.node == nil {
			return special{verdict: !s.verdict}
		}
		return special{node: &notNode{s.node}}
	case *check.And:
		return b.junction(e, id, false)
	case *check.Or:
		return b.junction(e, id, true)
	default: // only comparisons of the type are typed
		return special{verdict: e.node.(*typeNode).verdicts[id]}
	}
}

// junction is an and, or an or; absorbing is the verdict of one child that
// decides the whole.
func (b *Builder) junction(e *entry, id events.ID, absorbing bool) special {
	var nodes []Node
	for _, child := range e.children {
		s := b.special(child, id)
		switch {
		case s.node != nil:
			nodes = appendFlat(nodes, s.node, absorbing)
		case s.verdict == absorbing:
			return special{verdict: absorbing}
		}
	}
	switch len(nodes) {
	case 0:
		return special{verdict: !absorbing}
	case 1:
		return special{node: nodes[0]}
	}
	var node Node = &allNode{nodes}
	if absorbing {
		node = &anyNode{nodes}
	}
	if memo, ok := e.node.(*memoNode); ok {
		node = &memoNode{node: node, index: memo.index}
	}
	return special{node: node}
}

// appendFlat appends a node, or its children when it is a junction of the same
// kind that nobody shares.
func appendFlat(nodes []Node, n Node, or bool) []Node {
	switch n := n.(type) {
	case *allNode:
		if !or {
			return append(nodes, n.children...)
		}
	case *anyNode:
		if or {
			return append(nodes, n.children...)
		}
	}
	return append(nodes, n)
}
