package lang

import (
	"strings"

	"github.com/sightglass/sightglass/internal/policy/operator"
)

// Transformers are the names of the transformers, in the order in which the
// parser tries them.
var Transformers = [...]string{"tolower", "toupper", "b64", "basename", "len", "join", "concat", "getopt"}

// Val is the name of the pseudo transformer that makes a field of a right side.
const Val = "val"

const rightHint = " or a field in val() or a transformer"

// operand reads a field or a transformer; nil when neither is there.
func (p *parser) operand() (Operand, error) {
	at := p.pos
	if name, ok := p.fieldName(); ok {
		return p.fieldTail(name, at)
	}
	if name, ok := p.transformer(); ok {
		return p.transformTail(name, at)
	}
	return nil, nil
}

func (p *parser) transformer() (string, bool) {
	for _, name := range Transformers {
		if strings.HasPrefix(p.rest(), name+"(") {
			p.take(len(name) + 1)
			return name, true
		}
	}
	return "", false
}

func (p *parser) fieldTail(name string, at Pos) (*Field, error) {
	if err := p.enter(depthField); err != nil {
		return nil, err
	}
	defer p.leave(depthField)
	arg, has, err := p.bracketArg()
	if err != nil {
		return nil, err
	}
	return &Field{At: at, Name: name, Arg: arg, HasArg: has}, nil
}

// bracketArg reads an optional argument in square brackets.
func (p *parser) bracketArg() (arg string, has bool, err error) {
	if !p.literal("[") {
		return "", false, nil
	}
	arg, ok, err := p.quoted()
	if err != nil {
		return "", false, err
	}
	if !ok {
		if arg, ok = p.bareArg(); !ok {
			return "", false, p.errorf("expected a field's argument: text, in quotes or without")
		}
	}
	if !p.literal("]") {
		return "", false, p.errorf("expected ']'")
	}
	return arg, true, nil
}

func (p *parser) transformTail(name string, at Pos) (*Transform, error) {
	if err := p.enter(depthTransform); err != nil {
		return nil, err
	}
	defer p.leave(depthTransform)
	t := &Transform{At: at, Name: name}
	for {
		p.blanks()
		arg, err := p.transformArg(true)
		if err != nil {
			return nil, err
		}
		t.Args = append(t.Args, arg)
		p.blanks()
		if !p.literal(",") {
			break
		}
	}
	return t, p.transformEnd(t)
}

func (p *parser) transformEnd(t *Transform) (err error) {
	if !p.literal(")") {
		return p.errorf("expected ')' behind the arguments of " + t.Name)
	}
	t.Arg, t.HasArg, err = p.bracketArg()
	return err
}

// transformArg reads one argument of a transformer, or, without lists, one
// element of a list among its arguments.
func (p *parser) transformArg(lists bool) (Arg, error) {
	at := p.pos
	text, ok := p.anyNumber()
	if ok {
		return &Value{At: at, Text: text}, nil
	}
	text, ok, err := p.quoted()
	if err != nil {
		return nil, err
	}
	if ok {
		return &Value{At: at, Text: text}, nil
	}
	if lists && p.literal("(") {
		return p.argList(at)
	}
	o, err := p.operand()
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, p.errorf("expected an argument: a field, a transformer, quoted text or a number")
	}
	return o, nil
}

func (p *parser) argList(at Pos) (Arg, error) {
	l := &ArgList{At: at}
	p.blanks()
	for !p.literal(")") {
		if len(l.Items) > 0 {
			if !p.literal(",") {
				return nil, p.errorf("expected ',' or ')'")
			}
			p.blanks()
		}
		item, err := p.transformArg(false)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, item)
		p.blanks()
	}
	return l, nil
}

func (p *parser) anyNumber() (string, bool) {
	if text, ok := p.hex(); ok {
		return text, true
	}
	return p.number()
}

// rightOperand reads val(field) or a transformer; nil when neither is there.
func (p *parser) rightOperand() (Operand, error) {
	at := p.pos
	if !p.literal(Val + "(") {
		if name, ok := p.transformer(); ok {
			return p.transformTail(name, at)
		}
		return nil, nil
	}
	p.blanks()
	fieldAt := p.pos
	name, ok := p.fieldName()
	if !ok {
		return nil, p.errorf("expected a field inside val()")
	}
	f, err := p.fieldTail(name, fieldAt)
	if err != nil {
		return nil, err
	}
	p.blanks()
	t := &Transform{At: at, Name: Val, Args: []Arg{f}}
	return t, p.transformEnd(t)
}

func (p *parser) numberSide(c *Check) (err error) {
	p.blanks()
	if c.Right, err = p.rightOperand(); err != nil || c.Right != nil {
		return err
	}
	at := p.pos
	text, ok := p.anyNumber()
	if !ok {
		return p.errorf("expected a number" + rightHint)
	}
	c.Value = &Value{At: at, Text: text}
	return nil
}

func (p *parser) scalarSide(c *Check) (err error) {
	if p.blanks() {
		if done, err := p.modified(c); done || err != nil {
			return err
		}
	}
	if c.Right, err = p.rightOperand(); err != nil || c.Right != nil {
		return err
	}
	v, err := p.text()
	if err != nil {
		return err
	}
	if v == nil {
		return p.errorf("expected a text" + rightHint)
	}
	c.Value = v
	return nil
}

// modified reads a modifier with its list. What only looks like a modifier is
// left alone: "= anyof" compares with the text anyof.
func (p *parser) modified(c *Check) (bool, error) {
	start, last := p.pos, p.last
	for _, m := range operator.Modifiers {
		p.pos, p.last = start, last
		if !p.literal(m.Name) || !p.blanks() {
			continue
		}
		at := p.pos
		if p.literal("(") {
			c.Mod = m.Modifier
			list, err := p.list(at)
			c.List = list
			return true, err
		}
		if name, ok := p.identifier(); ok && name != "and" && name != "or" {
			c.Mod, c.Value = m.Modifier, &Value{At: at, Text: name, Name: true}
			return true, nil
		}
	}
	p.pos, p.last = start, last
	return false, nil
}

func (p *parser) listSide(c *Check) (err error) {
	p.blanks()
	at := p.pos
	if p.literal("(") {
		c.List, err = p.list(at)
		return err
	}
	if c.Right, err = p.rightOperand(); err != nil || c.Right != nil {
		return err
	}
	name, ok := p.identifier()
	if !ok {
		return p.errorf("expected a list, a list's name," + rightHint[3:])
	}
	c.Value = &Value{At: at, Text: name, Name: true}
	return nil
}

// text reads quoted or bare text; nil when neither is there.
func (p *parser) text() (*Value, error) {
	at := p.pos
	text, ok, err := p.quoted()
	if err != nil {
		return nil, err
	}
	if !ok {
		if text, ok = p.bare(); !ok {
			return nil, nil
		}
	}
	return &Value{At: at, Text: text}, nil
}

// list reads what follows an opening bracket, and the closing one.
func (p *parser) list(at Pos) (*List, error) {
	l := &List{At: at}
	p.blanks()
	for {
		v, err := p.text()
		if err != nil {
			return nil, err
		}
		if v == nil && len(l.Items) > 0 {
			return nil, p.errorf("expected a text")
		}
		if v == nil {
			break
		}
		l.Items = append(l.Items, *v)
		p.blanks()
		if !p.literal(",") {
			break
		}
		p.blanks()
	}
	if !p.literal(")") {
		return nil, p.errorf("expected ')'")
	}
	return l, nil
}
