package check

import (
	"errors"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

type checker struct {
	table *field.Table
	res   *Result
	dated map[string]bool // deprecated fields that were warned about
}

// Check types a condition. An error is an *Error.
func Check(e lang.Expr, table *field.Table) (*Result, error) {
	c := checker{table: table, res: &Result{}, dated: map[string]bool{}}
	checked, err := c.expr(e)
	if err != nil {
		return nil, err
	}
	c.res.Expr = checked
	return c.res, nil
}

func fail(at lang.Pos, msg string) error { return &Error{Pos: at, Msg: msg} }

func (c *checker) expr(e lang.Expr) (Expr, error) {
	switch e := e.(type) {
	case *lang.And:
		children, err := c.all(e.Children)
		return &And{Children: children}, err
	case *lang.Or:
		children, err := c.all(e.Children)
		return &Or{Children: children}, err
	case *lang.Not:
		child, err := c.expr(e.Child)
		return &Not{Child: child}, err
	case *lang.Check:
		return c.test(e)
	case *lang.Ref:
		return nil, fail(e.At, "the macro "+e.Name+" is not defined")
	}
	return nil, fail(e.Pos(), "unknown kind of expression")
}

func (c *checker) all(list []lang.Expr) ([]Expr, error) {
	out := make([]Expr, 0, len(list))
	for _, e := range list {
		checked, err := c.expr(e)
		if err != nil {
			return nil, err
		}
		out = append(out, checked)
	}
	return out, nil
}

func (c *checker) test(e *lang.Check) (Expr, error) {
	left, err := c.operand(e.Left)
	if err != nil {
		return nil, err
	}
	t := &Test{At: e.At, Left: *left, Op: e.Op, Mod: e.Mod}
	if err := c.operator(t); err != nil {
		return nil, err
	}
	switch {
	case e.Right != nil:
		return t, c.right(t, e.Right)
	case e.List != nil:
		return t, c.constants(t, e.List.Items)
	case e.Value != nil:
		return t, c.constants(t, []lang.Value{*e.Value})
	}
	return t, nil
}

// operator holds the operator against the left side's type.
func (c *checker) operator(t *Test) error {
	row := operator.ByID(t.Op)
	if t.Left.List {
		if !row.Lists {
			return fail(t.At, "operator "+row.Name+" does not take a list")
		}
		return nil
	}
	if class := t.Left.Type.Class(); !row.Fields.Has(class) {
		return fail(t.At, "operator "+row.Name+" does not take "+classWords[class])
	}
	if t.Left.Ref == nil || !t.Left.Ref.Field.Has(field.DomainName) {
		return nil
	}
	switch t.Op {
	case operator.Eq, operator.Ne, operator.In, operator.Exists:
		return nil
	default:
		return fail(t.At, "operator "+row.Name+" does not take domain names")
	}
}

var classWords = [...]string{
	field.ClassText: "text", field.ClassNumber: "numbers", field.ClassBool: "truth values",
	field.ClassBytes: "bytes", field.ClassNet: "addresses and networks",
}

// right types the right side of a comparison between fields.
func (c *checker) right(t *Test, o lang.Operand) error {
	right, err := c.rightOperand(o)
	if err != nil {
		return err
	}
	switch {
	case t.Op == operator.PMatch || t.Op == operator.Regex:
		return fail(o.Pos(), "operator "+t.Op.String()+" does not compare fields")
	case t.Left.Type.Kind() == field.Net || right.Type.Kind() == field.Net:
		return fail(o.Pos(), "networks cannot be compared with each other")
	case t.Left.Ref != nil && t.Left.Ref.Field.Has(field.EventType|field.EventScoped):
		return fail(o.Pos(), t.Left.Ref.Name+" can only be compared with names")
	case t.Left.Ref != nil && t.Left.Ref.Field.Flags&(field.TwoSided|field.DomainName|field.NoCompare|field.NoVal) != 0:
		return fail(o.Pos(), t.Left.Ref.Name+" cannot be compared with another field")
	case !sameMeaning(t.Left.Type, right.Type) || t.Left.List != right.List:
		return fail(o.Pos(), "a "+typeName(&t.Left)+" cannot be compared with a "+typeName(right))
	}
	t.Right = right
	return nil
}

// sameMeaning reports whether values of two types mean the same: a path is a
// text, everything else only itself.
func sameMeaning(a, b field.Type) bool {
	return a == b || a.Class() == field.ClassText && b.Class() == field.ClassText
}

func typeName(o *Operand) string {
	if o.List {
		return "list of " + o.Type.String()
	}
	return o.Type.String()
}

// rightOperand reads val(field) or a transformer.
func (c *checker) rightOperand(o lang.Operand) (*Operand, error) {
	t, ok := o.(*lang.Transform)
	if !ok || t.Name != lang.Val {
		return c.operand(o)
	}
	if t.HasArg {
		return nil, fail(t.At, "val takes no argument in brackets")
	}
	f, ok := t.Args[0].(*lang.Field)
	if !ok {
		return nil, fail(t.At, "val takes a field")
	}
	right, err := c.field(f)
	if err != nil {
		return nil, err
	}
	if right.Ref.Field.Flags&(field.NoCompare|field.NoVal) != 0 {
		return nil, fail(f.At, right.Ref.Field.Name+" cannot stand inside val()")
	}
	return right, nil
}

func (c *checker) operand(o lang.Operand) (*Operand, error) {
	if t, ok := o.(*lang.Transform); ok {
		return c.call(t)
	}
	return c.field(o.(*lang.Field))
}

func (c *checker) field(f *lang.Field) (*Operand, error) {
	ref, err := c.table.Resolve(f.Name, f.Arg, f.HasArg)
	if err != nil {
		return nil, &Error{Pos: f.At, Msg: err.Error(), Unknown: errors.Is(err, field.ErrUnknown), Cause: err}
	}
	if ref.Field.Has(field.Deprecated) && !c.dated[ref.Field.Name] {
		c.dated[ref.Field.Name] = true
		c.warn(f.At, "the field "+ref.Field.Name+" is deprecated: "+ref.Field.Doc, true)
	}
	c.res.Refs = append(c.res.Refs, &ref)
	return &Operand{Ref: &ref, Type: ref.Type, List: ref.List}, nil
}

func (c *checker) warn(at lang.Pos, msg string, deprecated bool) {
	c.res.Warnings = append(c.res.Warnings, Warning{Pos: at, Msg: msg, Deprecated: deprecated})
}

// TypeOperand types a single operand, as outputs name them.
func TypeOperand(o lang.Operand, table *field.Table) (*Operand, *Result, error) {
	c := checker{table: table, res: &Result{}, dated: map[string]bool{}}
	out, err := c.operand(o)
	return out, c.res, err
}
