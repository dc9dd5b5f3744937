// Package check gives a parsed condition its types: it resolves fields, holds
// operators against the types, and reads the values that rules compare with.
//
//	lang.Expr (without macro references) -> check.Expr -> plan
package check

import (
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Expr is a node of a checked condition: *And, *Or, *Not or *Test.
type Expr interface{ expr() }

// And is true when all children are; they are evaluated in order.
type And struct{ Children []Expr }

// Or is true when a child is; they are evaluated in order.
type Or struct{ Children []Expr }

// Not negates.
type Not struct{ Child Expr }

// Test is a comparison. Right is set for a comparison with another field,
// else Values holds the constants: one for a scalar operator without modifier.
type Test struct {
	At     lang.Pos
	Left   Operand
	Op     operator.ID
	Mod    operator.Modifier
	Values []Constant
	Right  *Operand
}

// Constant is a value that a rule compares with, read by the left side's type.
type Constant struct {
	At    lang.Pos
	Text  string // as written, or the decoded bytes of a hexadecimal value
	Value field.Value
}

// Operand is a typed side of a comparison: a field or a transformer's result.
type Operand struct {
	Ref  *field.Ref // nil for a transformer
	Call *Call      // nil for a field
	Type field.Type
	List bool
}

// Call is a transformer applied to arguments.
type Call struct {
	Name  string
	Args  []CallArg
	Key   string // in brackets behind the call
	Keyed bool
}

// CallArg is an argument of a transformer: an operand, a constant text, or a
// list of these.
type CallArg struct {
	Operand *Operand
	Text    string
	Items   []CallArg
	IsList  bool
}

func (*And) expr()  {}
func (*Or) expr()   {}
func (*Not) expr()  {}
func (*Test) expr() {}

// Error is why a condition cannot be used, and where.
type Error struct {
	lang.Pos
	Msg string
	// Unknown marks a name that does not exist: a field or an event type.
	// Rules with skip-if-unknown-filter are then skipped.
	Unknown bool
	Cause   error // what the table says of a field, else nil
}

func (e *Error) Error() string { return e.Msg }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Warning is something that is probably not meant.
type Warning struct {
	lang.Pos
	Msg        string
	Deprecated bool // about a field that rules should no longer use
}

// Result is a checked condition.
type Result struct {
	Expr     Expr
	Refs     []*field.Ref // every field, in order of appearance
	Warnings []Warning
}
