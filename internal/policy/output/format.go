// Package output makes the texts and JSON of detections: format strings with
// fields, their values with types, and alerts as Falco writes them.
package output

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// Missing is printed for a field without a value.
const Missing = "<NA>"

// Format is a parsed output: literal text and fields.
//
//	%proc.name         a field
//	%20proc.name       padded with blanks or cut to 20 bytes
//	%proc.aname[2]     a field with an argument
//	%toupper(fd.name)  a transformer
//
// A star at the beginning, which Falco uses to print even when values are
// missing, is taken off: that is what always happens here.
type Format struct {
	Text   string // as written
	tokens []token
	fields []*Field
}

type token struct {
	literal string
	operand *check.Operand // nil for literal text
	slot    int
	width   int // 0: as long as it is
}

// Field is a field that a format names, on its own or inside a transformer.
type Field struct {
	Name string // as the format writes it
	Ref  *field.Ref
	Key  string // of an extra field: its name in the alert; else Name
	slot int
}

// Error is why a format cannot be used. Unknown marks a field that does not
// exist.
type Error struct {
	Offset  int // byte offset in the format
	Msg     string
	Unknown bool
}

func (e *Error) Error() string { return e.Msg }

// Parse reads a format. Deprecated fields are reported as warnings.
func Parse(text string, table *field.Table) (*Format, []check.Warning, error) {
	f := &Format{Text: text}
	if text == "" {
		return nil, nil, &Error{Msg: "the output is empty"}
	}
	var warnings []check.Warning
	rest := strings.TrimPrefix(text, "*")
	for rest != "" {
		i := strings.IndexByte(rest, '%')
		if i < 0 {
			f.literal(rest)
			break
		}
		f.literal(rest[:i])
		offset := len(text) - len(rest) + i
		n, warned, err := f.field(rest[i+1:], table, offset)
		if err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, warned...)
		rest = rest[i+1+n:]
	}
	return f, warnings, nil
}

func (f *Format) literal(s string) {
	if s != "" {
		f.tokens = append(f.tokens, token{literal: s})
	}
}

// field reads what follows a percent sign and reports its length.
func (f *Format) field(s string, table *field.Table, offset int) (int, []check.Warning, error) {
	if s == "" {
		return 0, nil, &Error{Offset: offset, Msg: "an output cannot end with a percent sign"}
	}
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	if digits == len(s) {
		return 0, nil, &Error{Offset: offset, Msg: "an output cannot end with a field's width"}
	}
	width := 0
	if digits > 0 {
		var err error
		if width, err = strconv.Atoi(s[:digits]); err != nil || width > maxWidth {
			return 0, nil, &Error{Offset: offset, Msg: "a field's width is at most " + strconv.Itoa(maxWidth)}
		}
	}
	found, err := longest(s[digits:], table)
	if err != nil {
		return 0, nil, &Error{Offset: offset, Msg: err.Error(), Unknown: !errors.Is(err, field.ErrUnsupported)}
	}
	f.tokens = append(f.tokens, token{operand: found.typed, width: width})
	f.addFields(found.operand, found.typed, found.res)
	return digits + found.length, found.res.Warnings, nil
}

const maxWidth = 4096

// addFields notes the fields of an operand, each once.
func (f *Format) addFields(o lang.Operand, typed *check.Operand, res *check.Result) {
	if typed.Ref != nil {
		f.addField(lang.PrintOperand(o), typed.Ref)
		return
	}
	for _, ref := range res.Refs {
		f.addField(ref.Name, ref)
	}
}

func (f *Format) addField(name string, ref *field.Ref) {
	for _, known := range f.fields {
		if known.Name == name {
			return
		}
	}
	f.fields = append(f.fields, &Field{Name: name, Key: name, Ref: ref})
}

// Plan gives the format its places in a program. It must be called before the
// builder's Build.
func (f *Format) Plan(b *plan.Builder) {
	for i := range f.tokens {
		if t := &f.tokens[i]; t.operand != nil {
			t.slot = b.Slot(t.operand)
		}
	}
	for _, fld := range f.fields {
		fld.Plan(b)
	}
}

// Fields are the fields that the format names, each once, in order. Those
// inside transformers are named without them.
func (f *Format) Fields() []*Field { return f.fields }

// NewField makes a field that no format names, for extra fields of alerts.
func NewField(name string, table *field.Table) (*Field, error) {
	o, n, err := lang.ParseOperand(name)
	if err != nil {
		return nil, err
	}
	single, ok := o.(*lang.Field)
	if !ok || n != len(name) {
		return nil, &Error{Msg: name + " is no field", Unknown: true}
	}
	ref, err := table.Resolve(single.Name, single.Arg, single.HasArg)
	if err != nil {
		return nil, err
	}
	return &Field{Name: name, Key: name, Ref: &ref}, nil
}

// Plan gives the field its place in a program.
func (f *Field) Plan(b *plan.Builder) {
	f.slot = b.Slot(&check.Operand{Ref: f.Ref, Type: f.Ref.Type, List: f.Ref.List})
}

// Value is the field's value of c's event; its kind is None when there is
// none. It is valid until c's next event.
func (f *Field) Value(c *plan.Context) *field.Value { return c.Value(f.slot) }

// Append appends the output for c's event. Control characters are escaped as
// in JSON and what is not UTF-8 is replaced.
func (f *Format) Append(dst []byte, c *plan.Context) []byte {
	var scratch []byte
	for i := range f.tokens {
		t := &f.tokens[i]
		if t.operand == nil {
			dst = AppendClean(dst, t.literal)
			continue
		}
		scratch = appendOperand(scratch[:0], t.operand, c.Value(t.slot))
		for t.width > len(scratch) {
			scratch = append(scratch, ' ')
		}
		if t.width > 0 {
			scratch = scratch[:t.width]
		}
		dst = AppendClean(dst, string(scratch))
	}
	return dst
}

func appendOperand(dst []byte, o *check.Operand, v *field.Value) []byte {
	if v.Kind == field.None {
		return append(dst, Missing...)
	}
	return appendText(dst, o.Ref, v)
}
