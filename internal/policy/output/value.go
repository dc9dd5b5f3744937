package output

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sightglass/sightglass/internal/policy/field"
)

// appendText appends a present value as outputs print it. ref may be nil.
func appendText(dst []byte, ref *field.Ref, v *field.Value) []byte {
	if ref != nil && v.Kind == field.List && !ref.List { // all ancestors
		return append(dst, strings.Join(v.List, " ")...)
	}
	if ref != nil && v.IsNumber() {
		if base := baseOf(ref, v); base != 10 {
			return appendBase(dst, v.Num, base)
		}
		if ref.Field.Has(field.Padded) {
			return fmt.Appendf(dst, "%09d", v.Num)
		}
	}
	return v.AppendText(dst)
}

// baseOf is the base of a number: that of a raw argument is the event's.
func baseOf(ref *field.Ref, v *field.Value) int {
	if v.Base != 0 {
		return int(v.Base)
	}
	return ref.Base()
}

// appendBase appends a number without a prefix, as Falco's outputs have it.
func appendBase(dst []byte, n uint64, base int) []byte {
	return append(dst, strings.ToUpper(strconv.FormatUint(n, base))...)
}

// AppendText appends the field's value as outputs print it, Missing when it
// has none.
func (f *Field) AppendText(dst []byte, v *field.Value) []byte {
	if v.Kind == field.None {
		return append(dst, Missing...)
	}
	return appendText(dst, f.Ref, v)
}

// AppendJSON appends the field's value as JSON: null when it has none, numbers
// and truth values as such, times as ns since 1970, everything else as text.
func (f *Field) AppendJSON(dst []byte, v *field.Value) []byte {
	switch {
	case v.Kind == field.None:
		return append(dst, "null"...)
	case f.Ref.Field.Has(field.TextNumber):
		return strconv.AppendUint(dst, v.Num, 10)
	case v.IsNumber() && baseOf(f.Ref, v) != 10:
		return AppendQuoted(dst, string(appendBase(nil, v.Num, baseOf(f.Ref, v))))
	case v.Kind == field.List && f.Ref.List:
		dst = append(dst, '[')
		for i, it := range v.List {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendQuoted(dst, it)
		}
		return append(dst, ']')
	}
	switch v.Kind {
	case field.Bool, field.Int, field.Uint, field.Double:
		return v.AppendText(dst)
	default:
		return AppendQuoted(dst, string(appendText(nil, f.Ref, v)))
	}
}

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON text. What is not UTF-8 is replaced.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, true)
	return append(dst, '"')
}

// AppendClean appends s with control characters escaped as in JSON and what is
// not UTF-8 replaced, so that it stays on one line and harms no terminal.
func AppendClean(dst []byte, s string) []byte { return appendEscaped(dst, s, false) }

func appendEscaped(dst []byte, s string, quotes bool) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r >= 0x80 && r < 0xa0 { // the second block of control characters
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			i += n
			continue
		}
		i++
		switch {
		case quotes && (c == '"' || c == '\\'):
			dst = append(dst, '\\', c)
		case c >= ' ' && c != 0x7f:
			dst = append(dst, c)
		default:
			dst = appendControl(dst, c)
		}
	}
	return dst
}

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
