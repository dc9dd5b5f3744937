package aggregate

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// ValueKind is the type of an attribute's value.
type ValueKind uint8

// The kinds of values. Absent is the zero value.
const (
	Absent ValueKind = iota
	String
	Int
	Bool
	Double
)

// maxStringBytes bounds a string value: a key then has a bound, and memory with it.
const maxStringBytes = 256

// Value is an attribute's value that needs no memory of its own.
type Value struct {
	kind ValueKind
	num  uint64 // Int, Bool, Double
	str  string
}

// StringValue returns a string value; the string is shared.
func StringValue(s string) Value { return Value{kind: String, str: s} }

// IntValue returns an integer value.
func IntValue(i int64) Value { return Value{kind: Int, num: uint64(i)} }

// BoolValue returns a boolean value.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// DoubleValue returns a floating-point value.
func DoubleValue(f float64) Value { return Value{kind: Double, num: math.Float64bits(f)} }

// Kind returns the type, Absent for the zero value.
func (v Value) Kind() ValueKind { return v.kind }

// Str returns a String's text.
func (v Value) Str() string { return v.str }

// Empty reports whether there is no value or no text in it.
func (v Value) Empty() bool { return v.kind == Absent || v.kind == String && v.str == "" }

// Int returns an Int's number.
func (v Value) Int() int64 { return int64(v.num) }

// Bool returns a Bool's truth.
func (v Value) Bool() bool { return v.num != 0 }

// Double returns a Double's number.
func (v Value) Double() float64 { return math.Float64frombits(v.num) }

// AppendValue appends v in a form that is equal for equal values only. Strings
// beyond a bound are cut at a rune boundary.
func AppendValue(dst []byte, v Value) []byte {
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case Absent:
	case String:
		dst = appendText(dst, v.str)
	case Bool:
		dst = append(dst, byte(v.num))
	default:
		dst = binary.LittleEndian.AppendUint64(dst, v.num)
	}
	return dst
}

// AppendNamed appends an attribute with its name.
func AppendNamed(dst []byte, name string, v Value) []byte {
	return AppendValue(appendText(dst, name), v)
}

// AppendJoined is AppendValue(dst, StringValue(a+"/"+b)) without building the string.
func AppendJoined(dst []byte, a, b string) []byte {
	a, b = cut(a), cut(b)
	dst = append(dst, byte(String))
	dst = binary.AppendUvarint(dst, uint64(len(a)+1+len(b)))
	dst = append(dst, a...)
	dst = append(dst, '/')
	return append(dst, b...)
}

func appendText(dst []byte, s string) []byte {
	s = cut(s)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func cut(s string) string {
	if len(s) <= maxStringBytes {
		return s
	}
	limit := maxStringBytes
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// takeValue reads what AppendValue wrote; strings share the key's memory.
func takeValue(key string) (Value, string) {
	v, rest := Value{kind: ValueKind(key[0])}, key[1:]
	switch v.kind {
	case Absent:
	case String:
		v.str, rest = takeText(rest)
	case Bool:
		v.num, rest = uint64(rest[0]), rest[1:]
	default:
		for i := range 8 {
			v.num |= uint64(rest[i]) << (8 * i)
		}
		rest = rest[8:]
	}
	return v, rest
}

func takeText(key string) (text, rest string) {
	n, shift := 0, 0
	for {
		b := key[0]
		key = key[1:]
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return key[:n], key[n:]
		}
		shift += 7
	}
}
