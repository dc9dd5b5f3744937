// Package lang reads and writes policy conditions: lexer, parser, syntax tree
// and printer. It knows the operators' and transformers' spelling but no
// fields; package check gives a tree its types.
//
//	condition  = or .
//	or         = and { "or" kwEnd and } .
//	and        = not { "and" kwEnd not } .
//	kwEnd      = blank | "(" , which belongs to what follows .
//	not        = { "not" blank } check | "not(" or ")" .
//	check      = "(" or ")" | operand test | macro .
//	operand    = field | transform .
//	field      = name "." name { "." name } [ "[" ( quoted | bareArg ) "]" ] .
//	transform  = tname "(" targ { "," targ } ")" [ "[" ( quoted | bareArg ) "]" ] .
//	targ       = number | quoted | "(" [ telem { "," telem } ] ")" | transform | field .
//	telem      = field | transform | quoted | number .
//	test       = "exists"
//	           | numberOp ( number | transform | val )
//	           | scalarOp ( transform | val | quoted | bare )
//	           | scalarOp blank modifier blank ( list | listName )
//	           | listOp ( list | transform | val | listName ) .
//	val        = "val(" field ")" .
//	list       = "(" [ item { "," item } ] ")" .    item = quoted | bare .
package lang

import (
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Nesting limits of Parse: for a condition on its own, and for one that a rule
// loader has already vetted. They count productions of the reference's
// recursive parser, so that both refuse the same conditions.
const (
	DepthDefault = 100
	DepthRules   = 1000
)

// How many productions are open inside each part of a condition.
const (
	depthCheck     = 4 // or, and, not, check
	depthBracket   = 1 + depthCheck
	depthField     = 1
	depthTest      = 1
	depthRight     = 2 // the value, and the attempt to read an operand
	depthTransform = 2 // the call and its argument
)

type parser struct {
	lexer
	depth, maxDepth int
}

// Parse reads a whole condition. Productions may nest below maxDepth. An error
// is an *Error.
func Parse(src string, maxDepth int) (Expr, error) {
	p := parser{lexer: lexer{src: src, pos: Pos{Line: 1, Column: 1}}, maxDepth: maxDepth, depth: depthCheck}
	if src == "" {
		return nil, p.errorf("the condition is empty")
	}
	if i := strings.IndexByte(src, 0); i >= 0 {
		p.skip(i)
		return nil, p.errorf("the condition contains a NUL byte")
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.rest() != "" {
		return nil, p.errorf("unexpected text after '" + strings.TrimSpace(p.last) + "': expected 'and' or 'or'")
	}
	return e, nil
}

// ParseOperand reads the longest field or transformer call at the beginning of
// src and reports how many bytes it takes.
func ParseOperand(src string) (Operand, int, error) {
	p := parser{lexer: lexer{src: src, pos: Pos{Line: 1, Column: 1}}, maxDepth: DepthDefault}
	left, err := p.operand()
	if err != nil {
		return nil, 0, err
	}
	if left == nil {
		return nil, 0, p.errorf("expected a field or a transformer")
	}
	return left, p.pos.Index, nil
}

// enter opens n productions, which leave closes again.
func (p *parser) enter(n int) error {
	p.depth += n
	if p.depth >= p.maxDepth {
		return p.errorf("nested too deeply: " + strconv.Itoa(p.maxDepth) + " levels, of which a bracket takes " + strconv.Itoa(depthBracket))
	}
	return nil
}

func (p *parser) leave(n int) { p.depth -= n }

// keyword takes "and" or "or"; a blank or a bracket must follow.
func (p *parser) keyword(word string) (bool, error) {
	if !p.literal(word) {
		return false, nil
	}
	if !p.blanks() && !strings.HasPrefix(p.rest(), "(") {
		return false, p.errorf("expected a blank or '(' after '" + word + "'")
	}
	return true, nil
}

func (p *parser) or() (Expr, error) {
	p.blanks()
	at := p.pos
	children, err := p.joined("or", p.and)
	if err != nil || len(children) == 1 {
		return first(children), err
	}
	return &Or{At: at, Children: children}, nil
}

func (p *parser) and() (Expr, error) {
	p.blanks()
	at := p.pos
	children, err := p.joined("and", p.negation)
	if err != nil || len(children) == 1 {
		return first(children), err
	}
	return &And{At: at, Children: children}, nil
}

func first(children []Expr) Expr {
	if len(children) == 0 {
		return nil
	}
	return children[0]
}

// joined reads one or more of what next reads, with word between them.
func (p *parser) joined(word string, next func() (Expr, error)) ([]Expr, error) {
	e, err := next()
	if err != nil {
		return nil, err
	}
	children := []Expr{e}
	for {
		p.blanks()
		found, err := p.keyword(word)
		if err != nil {
			return nil, err
		}
		if !found {
			return children, nil
		}
		if e, err = next(); err != nil {
			return nil, err
		}
		children = append(children, e)
	}
}

func (p *parser) negation() (Expr, error) {
	p.blanks()
	at, negated := p.pos, false
	for p.not() {
		negated = !negated
	}
	var child Expr
	var err error
	if p.literal("not(") {
		negated = !negated
		child, err = p.bracketed()
	} else {
		child, err = p.check()
	}
	if err != nil || !negated {
		return child, err
	}
	return &Not{At: at, Child: child}, nil
}

// bracketed reads what follows an opening bracket, and the closing one.
func (p *parser) bracketed() (Expr, error) {
	if err := p.enter(depthBracket); err != nil {
		return nil, err
	}
	defer p.leave(depthBracket)
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if !p.literal(")") {
		return nil, p.errorf("expected ')'")
	}
	return e, nil
}

func (p *parser) check() (Expr, error) {
	p.blanks()
	at := p.pos
	if p.literal("(") {
		return p.bracketed()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if left != nil {
		return p.test(&Check{At: at, Left: left})
	}
	if name, ok := p.identifier(); ok {
		return &Ref{At: at, Name: name}, nil
	}
	return nil, p.errorf("expected '(', a check of a field, or a macro")
}

// test reads operator and right side of a check.
func (p *parser) test(c *Check) (Expr, error) {
	if err := p.enter(depthTest); err != nil {
		return nil, err
	}
	defer p.leave(depthTest)
	p.blanks()
	var ok bool
	for group := operator.Unary; group <= operator.List; group++ {
		if c.Op, c.Alias, ok = p.operator(group); !ok {
			continue
		}
		return c, p.rightSide(c, group)
	}
	return nil, p.errorf("expected an operator: one of " + operatorNames())
}

// rightSide reads what follows an operator of the given group.
func (p *parser) rightSide(c *Check, group operator.Syntax) error {
	if group == operator.Unary {
		return nil
	}
	if err := p.enter(depthRight); err != nil {
		return err
	}
	defer p.leave(depthRight)
	switch group {
	case operator.Number:
		return p.numberSide(c)
	case operator.Scalar:
		return p.scalarSide(c)
	default:
		return p.listSide(c)
	}
}

func operatorNames() string {
	var names []string
	for _, row := range operator.Table {
		names = append(names, "'"+row.Name+"'")
	}
	return strings.Join(names, ", ")
}
