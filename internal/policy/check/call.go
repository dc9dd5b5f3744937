package check

import (
	"strconv"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

// transformer describes one transformer: how many arguments it takes and what
// it makes of them.
type transformer struct {
	min, max int
	keyed    bool // takes an argument in brackets
	typed    func(c *checker, t *lang.Transform, call *Call) (field.Type, bool, error)
}

const unlimited = 1 << 16

var transformers = map[string]transformer{
	"tolower":  {min: 1, max: 1, typed: typeOfText},
	"toupper":  {min: 1, max: 1, typed: typeOfText},
	"basename": {min: 1, max: 1, typed: typeOfText},
	"b64":      {min: 1, max: 1, typed: typeOfB64},
	"len":      {min: 1, max: 1, typed: typeOfLen},
	"join":     {min: 2, max: 2, typed: typeOfJoin},
	"concat":   {min: 2, max: unlimited, typed: typeOfConcat},
	"getopt":   {min: 2, max: 2, keyed: true, typed: typeOfGetopt},
}

func (c *checker) call(t *lang.Transform) (*Operand, error) {
	row, ok := transformers[t.Name]
	if !ok {
		return nil, fail(t.At, t.Name+" cannot stand here")
	}
	if t.HasArg && !row.keyed {
		return nil, fail(t.At, "the transformer "+t.Name+" takes no argument in brackets")
	}
	if len(t.Args) < row.min || len(t.Args) > row.max {
		return nil, fail(t.At, "the transformer "+t.Name+" takes "+strconv.Itoa(row.min)+" arguments, not "+strconv.Itoa(len(t.Args)))
	}
	call := &Call{Name: t.Name, Key: t.Arg, Keyed: t.HasArg}
	for _, a := range t.Args {
		arg, err := c.callArg(a)
		if err != nil {
			return nil, err
		}
		call.Args = append(call.Args, arg)
	}
	typ, list, err := row.typed(c, t, call)
	if err != nil {
		return nil, err
	}
	return &Operand{Call: call, Type: typ, List: list}, nil
}

func (c *checker) callArg(a lang.Arg) (CallArg, error) {
	switch a := a.(type) {
	case *lang.Value:
		return CallArg{Text: a.Text}, nil
	case *lang.ArgList:
		arg := CallArg{IsList: true}
		for _, it := range a.Items {
			item, err := c.callArg(it)
			if err != nil {
				return CallArg{}, err
			}
			arg.Items = append(arg.Items, item)
		}
		return arg, nil
	case *lang.Field:
		o, err := c.field(a)
		if err != nil {
			return CallArg{}, err
		}
		if o.Ref.Field.Has(field.NoCompare) {
			return CallArg{}, fail(a.At, o.Ref.Field.Name+" takes no transformer")
		}
		return CallArg{Operand: o}, nil
	case *lang.Transform:
		o, err := c.call(a)
		return CallArg{Operand: o}, err
	}
	return CallArg{}, fail(a.Pos(), "unknown kind of argument")
}

func isText(a *CallArg) bool {
	return !a.IsList && (a.Operand == nil || a.Operand.Type.Class() == field.ClassText)
}

func needText(t *lang.Transform, i int) error {
	return fail(t.Args[i].Pos(), "argument "+strconv.Itoa(i+1)+" of "+t.Name+" must be a text")
}

func needList(t *lang.Transform, i int) error {
	return fail(t.Args[i].Pos(), "argument "+strconv.Itoa(i+1)+" of "+t.Name+" must be a list of texts")
}

// typeOfText is for what turns a text into a text, or each text of a list.
func typeOfText(_ *checker, t *lang.Transform, call *Call) (field.Type, bool, error) {
	a := &call.Args[0]
	if !isText(a) {
		return 0, false, needText(t, 0)
	}
	return field.CharBuf, a.Operand != nil && a.Operand.List, nil
}

// typeOfB64: bytes may hold encoded bytes.
func typeOfB64(c *checker, t *lang.Transform, call *Call) (field.Type, bool, error) {
	if o := call.Args[0].Operand; o != nil && o.Type.Class() == field.ClassBytes {
		return o.Type, o.List, nil
	}
	return typeOfText(c, t, call)
}

func typeOfLen(_ *checker, t *lang.Transform, call *Call) (field.Type, bool, error) {
	a := &call.Args[0]
	if a.IsList || isText(a) || a.Operand.List || a.Operand.Type.Class() == field.ClassBytes {
		return field.Uint64, false, nil
	}
	return 0, false, fail(t.Args[0].Pos(), "len takes a text, bytes or a list")
}

// isTextList reports whether an argument is a list of single texts. Values of
// other types among its items stand for their text.
func isTextList(a *CallArg) bool {
	if !a.IsList {
		return a.Operand != nil && a.Operand.List && a.Operand.Type.Class() == field.ClassText
	}
	for i := range a.Items {
		if it := &a.Items[i]; it.IsList || it.Operand != nil && it.Operand.List {
			return false
		}
	}
	return true
}

func isSingleText(a *CallArg) bool { return isText(a) && (a.Operand == nil || !a.Operand.List) }

func typeOfJoin(_ *checker, t *lang.Transform, call *Call) (field.Type, bool, error) {
	if !isSingleText(&call.Args[0]) {
		return 0, false, needText(t, 0)
	}
	if !isTextList(&call.Args[1]) {
		return 0, false, needList(t, 1)
	}
	return field.CharBuf, false, nil
}

func typeOfConcat(_ *checker, t *lang.Transform, call *Call) (field.Type, bool, error) {
	for i := range call.Args {
		if !isSingleText(&call.Args[i]) {
			return 0, false, needText(t, i)
		}
	}
	return field.CharBuf, false, nil
}

func typeOfGetopt(_ *checker, t *lang.Transform, call *Call) (field.Type, bool, error) {
	if !isTextList(&call.Args[0]) {
		return 0, false, needList(t, 0)
	}
	if !isSingleText(&call.Args[1]) {
		return 0, false, needText(t, 1)
	}
	if call.Keyed && len(call.Key) != 1 {
		return 0, false, fail(t.At, "getopt takes one letter in brackets")
	}
	return field.CharBuf, !call.Keyed, nil
}
