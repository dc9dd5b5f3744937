package lang

// Relocate is a copy of e in which everything stands at one place: where a
// macro is referred to. Pos.Macro names the macro.
func Relocate(e Expr, at Pos) Expr {
	switch e := e.(type) {
	case *And:
		return &And{At: at, Children: relocateAll(e.Children, at)}
	case *Or:
		return &Or{At: at, Children: relocateAll(e.Children, at)}
	case *Not:
		return &Not{At: at, Child: Relocate(e.Child, at)}
	case *Ref:
		return &Ref{At: at, Name: e.Name}
	case *Check:
		return relocateCheck(e, at)
	}
	return e
}

func relocateAll(list []Expr, at Pos) []Expr {
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = Relocate(e, at)
	}
	return out
}

func relocateCheck(c *Check, at Pos) *Check {
	next := *c
	next.At = at
	next.Left = relocateOperand(c.Left, at)
	if c.Right != nil {
		next.Right = relocateOperand(c.Right, at)
	}
	if c.Value != nil {
		v := *c.Value
		v.At = at
		next.Value = &v
	}
	if c.List != nil {
		l := &List{At: at, Items: make([]Value, len(c.List.Items))}
		for i, v := range c.List.Items {
			v.At = at
			l.Items[i] = v
		}
		next.List = l
	}
	return &next
}

func relocateOperand(o Operand, at Pos) Operand {
	if f, ok := o.(*Field); ok {
		next := *f
		next.At = at
		return &next
	}
	next := *o.(*Transform) //nolint:forcetypeassert // there is no third kind
	next.At = at
	next.Args = relocateArgs(next.Args, at)
	return &next
}

func relocateArgs(args []Arg, at Pos) []Arg {
	out := make([]Arg, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case *Value:
			v := *a
			v.At = at
			out[i] = &v
		case *ArgList:
			out[i] = &ArgList{At: at, Items: relocateArgs(a.Items, at)}
		case *Field:
			out[i] = relocateOperand(a, at).(*Field) //nolint:forcetypeassert // stays what it is
		case *Transform:
			out[i] = relocateOperand(a, at).(*Transform) //nolint:forcetypeassert // stays what it is
		}
	}
	return out
}
