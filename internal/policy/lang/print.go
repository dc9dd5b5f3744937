package lang

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Print writes a condition in its canonical form: operators as they were
// spelled, one blank between words, brackets around every "and" and "or", bare text where possible. Parsing the
// result gives an equal tree.
func Print(e Expr) string {
	var b strings.Builder
	printExpr(&b, e)
	return b.String()
}

func printExpr(b *strings.Builder, e Expr) {
	switch e := e.(type) {
	case *And:
		printJoined(b, e.Children, " and ")
	case *Or:
		printJoined(b, e.Children, " or ")
	case *Not:
		b.WriteString("not ")
		if _, twice := e.Child.(*Not); twice { // "not not" would cancel out
			printJoined(b, []Expr{e.Child}, "")
			return
		}
		printExpr(b, e.Child)
	case *Ref:
		b.WriteString(e.Name)
	case *Check:
		printCheck(b, e)
	}
}

func printJoined(b *strings.Builder, children []Expr, word string) {
	b.WriteByte('(')
	for i, c := range children {
		if i > 0 {
			b.WriteString(word)
		}
		printExpr(b, c)
	}
	b.WriteByte(')')
}

func printCheck(b *strings.Builder, c *Check) {
	printArg(b, c.Left)
	b.WriteByte(' ')
	if c.Alias {
		b.WriteString(operator.ByID(c.Op).Alias)
	} else {
		b.WriteString(c.Op.String())
	}
	if m := c.Mod.String(); m != "" {
		b.WriteByte(' ')
		b.WriteString(m)
	}
	switch {
	case c.List != nil:
		b.WriteString(" (")
		for i, v := range c.List.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(Quote(v.Text))
		}
		b.WriteByte(')')
	case c.Right != nil:
		b.WriteByte(' ')
		printArg(b, c.Right)
	case c.Value != nil:
		b.WriteByte(' ')
		b.WriteString(Quote(c.Value.Text))
	}
}

// PrintOperand writes a field or a transformer in its canonical form.
func PrintOperand(o Operand) string {
	var b strings.Builder
	printArg(&b, o)
	return b.String()
}

func printArg(b *strings.Builder, a interface{ Pos() Pos }) {
	switch a := a.(type) {
	case *Field:
		b.WriteString(a.Name)
		printBracket(b, a.Arg, a.HasArg)
	case *Transform:
		b.WriteString(a.Name)
		b.WriteByte('(')
		printArgs(b, a.Args)
		b.WriteByte(')')
		printBracket(b, a.Arg, a.HasArg)
	case *Value:
		b.WriteString(inQuotes(a.Text))
	case *ArgList:
		b.WriteByte('(')
		printArgs(b, a.Items)
		b.WriteByte(')')
	}
}

func printArgs(b *strings.Builder, args []Arg) {
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		printArg(b, a)
	}
}

func printBracket(b *strings.Builder, arg string, has bool) {
	if !has {
		return
	}
	b.WriteByte('[')
	if n := span(arg, isBareArg); n > 0 && n == len(arg) {
		b.WriteString(arg)
	} else {
		b.WriteString(inQuotes(arg))
	}
	b.WriteByte(']')
}
