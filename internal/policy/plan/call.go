package plan

import (
	"encoding/base64"
	"strings"
	"unsafe"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/field"
)

// callSource makes the result of a transformer.
type callSource struct {
	apply func(c *Context, s *callSource, v *field.Value)
	args  []callArg
	key   string // getopt's letter
}

// callArg is an argument: a slot, a constant text or a list of these.
type callArg struct {
	slot   int // -1 for a constant or a list
	text   field.Value
	items  []callArg
	isList bool
}

var applies = map[string]func(c *Context, s *callSource, v *field.Value){
	"tolower":  eachText((*Context).toLower),
	"toupper":  eachText((*Context).toUpper),
	"basename": eachText(func(_ *Context, s string) (string, bool) { return basename(s), true }),
	"b64":      eachText((*Context).decode64),
	"len":      applyLen,
	"join":     applyJoin,
	"concat":   applyConcat,
	"getopt":   applyGetopt,
}

func (b *Builder) call(call *check.Call) source {
	return &callSource{apply: applies[call.Name], args: b.callArgs(call.Args), key: call.Key}
}

func (b *Builder) callArgs(args []check.CallArg) []callArg {
	out := make([]callArg, len(args))
	for i := range args {
		out[i].slot = -1
		switch a := &args[i]; {
		case a.IsList:
			out[i].isList, out[i].items = true, b.callArgs(a.Items)
		case a.Operand != nil:
			out[i].slot = b.Slot(a.Operand)
		default:
			out[i].text.SetText(a.Text)
		}
	}
	return out
}

func (s *callSource) extract(c *Context, v *field.Value) { s.apply(c, s, v) }

// value is an argument's value; lists of arguments are put together. It has no
// value when an element has none.
func (a *callArg) value(c *Context, v *field.Value) {
	switch {
	case a.slot >= 0:
		*v = *c.Value(a.slot)
	case !a.isList:
		*v = a.text
	default:
		// Working an element out may put lists together in the same memory, so
		// that all are worked out before they are collected.
		if !present(c, a.items) {
			return
		}
		start := len(c.items)
		for i := range a.items {
			var item field.Value
			a.items[i].value(c, &item)
			c.items = append(c.items, c.textOf(&item))
		}
		v.SetList(c.items[start:len(c.items):len(c.items)])
	}
}

// textOf is a present value as text.
func (c *Context) textOf(v *field.Value) string {
	if v.Kind == field.Text || v.Kind == field.Bytes {
		return v.Text
	}
	start := len(c.buf)
	c.buf = v.AppendText(c.buf)
	return c.own(start)
}

// present reports whether all arguments have values, which are then cached.
func present(c *Context, args []callArg) bool {
	for i := range args {
		var v field.Value
		if args[i].value(c, &v); v.Kind == field.None {
			return false
		}
	}
	return true
}

// own finishes a text that was appended to the context's memory from start on.
func (c *Context) own(start int) string {
	if start == len(c.buf) {
		return ""
	}
	return unsafe.String(&c.buf[start], len(c.buf)-start)
}

// eachText applies a function to a text, or to each text of a list.
func eachText(f func(*Context, string) (string, bool)) func(*Context, *callSource, *field.Value) {
	return func(c *Context, s *callSource, v *field.Value) {
		var in field.Value
		s.args[0].value(c, &in)
		if in.Kind != field.List {
			if in.Kind != field.None {
				if out, ok := f(c, in.Text); ok {
					v.SetText(out)
					v.Kind = in.Kind // of bytes, bytes
				}
			}
			return
		}
		start := len(c.items)
		for _, it := range in.List {
			out, ok := f(c, it)
			if !ok {
				return
			}
			c.items = append(c.items, out)
		}
		v.SetList(c.items[start:len(c.items):len(c.items)])
	}
}

func (c *Context) toLower(s string) (string, bool) {
	start := len(c.buf)
	for i := range len(s) {
		c.buf = append(c.buf, lower(s[i]))
	}
	return c.own(start), true
}

func (c *Context) toUpper(s string) (string, bool) {
	start := len(c.buf)
	for i := range len(s) {
		b := s[i]
		if b >= 'a' && b <= 'z' {
			b -= 'a' - 'A'
		}
		c.buf = append(c.buf, b)
	}
	return c.own(start), true
}

func basename(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// strict64 refuses bits behind the end of what is encoded.
var strict64 = base64.RawStdEncoding.Strict()

// decode64 decodes base64 with or without padding, of which two characters are
// the most. It takes no line breaks.
func (c *Context) decode64(s string) (string, bool) {
	s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	if strings.ContainsAny(s, "\r\n") {
		return "", false
	}
	start, n := len(c.buf), strict64.DecodedLen(len(s))
	c.buf = append(c.buf, make([]byte, n)...)
	got, err := strict64.Decode(c.buf[start:], unsafe.Slice(unsafe.StringData(s), len(s)))
	if err != nil {
		c.buf = c.buf[:start]
		return "", false
	}
	c.buf = c.buf[:start+got]
	return c.own(start), true
}

func applyLen(c *Context, s *callSource, v *field.Value) {
	var in field.Value
	switch s.args[0].value(c, &in); in.Kind {
	case field.None:
	case field.List:
		v.SetUint(uint64(len(in.List)))
	default:
		v.SetUint(uint64(len(in.Text)))
	}
}

func applyJoin(c *Context, s *callSource, v *field.Value) {
	var sep, list field.Value
	s.args[0].value(c, &sep)
	s.args[1].value(c, &list)
	if sep.Kind == field.None || list.Kind == field.None {
		return
	}
	start := len(c.buf)
	for i, it := range list.List {
		if i > 0 {
			c.buf = append(c.buf, sep.Text...)
		}
		c.buf = append(c.buf, it...)
	}
	v.SetText(c.own(start))
}

func applyConcat(c *Context, s *callSource, v *field.Value) {
	if !present(c, s.args) {
		return
	}
	start := len(c.buf)
	for i := range s.args {
		var in field.Value
		s.args[i].value(c, &in)
		c.buf = append(c.buf, in.Text...)
	}
	v.SetText(c.own(start))
}
