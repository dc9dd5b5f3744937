package lang

import "github.com/sightglass/sightglass/internal/policy/operator"

// Pos is a place in a condition. Line and Column count from 1, Column in
// bytes; Index is a byte offset from 0. Macro is the macro that brought the
// node to this place, empty for what stands there itself.
type Pos struct {
	Index, Line, Column int
	Macro               string
}

// Expr is a node of a condition: *And, *Or, *Not, *Ref or *Check. Nodes are
// not changed once they are parsed, so that trees may share them.
type Expr interface {
	Pos() Pos
	expr()
}

// Operand is what stands on the left side of a check, and on the right side
// of a comparison between fields: *Field or *Transform.
type Operand interface {
	Pos() Pos
	arg()
	operand()
}

// Arg is an argument of a transformer: *Field, *Transform, *Value or *ArgList.
type Arg interface {
	Pos() Pos
	arg()
}

// And is true when all children are. It has at least two.
type And struct {
	At       Pos
	Children []Expr
}

// Or is true when a child is. It has at least two.
type Or struct {
	At       Pos
	Children []Expr
}

// Not negates.
type Not struct {
	At    Pos
	Child Expr
}

// Ref stands for a macro.
type Ref struct {
	At   Pos
	Name string
}

// Check compares. Exactly one of Value, List and Right is set, none of them
// for the operator exists.
type Check struct {
	At    Pos
	Left  Operand
	Op    operator.ID
	Alias bool              // the operator is written by its other spelling
	Mod   operator.Modifier // not Plain: List, or Value with a list's name
	Value *Value
	List  *List
	Right Operand
}

// Field names a field, with the argument in brackets if there is one.
type Field struct {
	At     Pos
	Name   string
	Arg    string
	HasArg bool
}

// Transform is a call of a transformer. "val" wraps the field of a right side.
type Transform struct {
	At     Pos
	Name   string
	Args   []Arg
	Arg    string // in brackets behind the call
	HasArg bool
}

// Value is a text, without quotes and escapes.
type Value struct {
	At   Pos
	Text string
	// Name is set when the text stands where a list belongs: it is the name
	// of a list that was not substituted.
	Name bool
}

// List is the right side of a list operator or of a modifier.
type List struct {
	At    Pos
	Items []Value
}

// ArgList is a list among the arguments of a transformer.
type ArgList struct {
	At    Pos
	Items []Arg
}

// Pos is where the node begins.
func (e *And) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Or) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Not) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Ref) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Check) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Field) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Transform) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *Value) Pos() Pos { return e.At }

// Pos is where the node begins.
func (e *ArgList) Pos() Pos { return e.At }

func (*And) expr()          {}
func (*Or) expr()           {}
func (*Not) expr()          {}
func (*Ref) expr()          {}
func (*Check) expr()        {}
func (*Field) operand()     {}
func (*Transform) operand() {}
func (*Field) arg()         {}
func (*Transform) arg()     {}
func (*Value) arg()         {}
func (*ArgList) arg()       {}
