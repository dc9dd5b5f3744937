package field

import (
	"math"
	"strconv"
)

// Type is the declared type of a field. It decides which operators a field
// takes, how a rule's values for it are read, and how it is printed.
type Type uint8

// The types of fields, by the names that Falco gives them.
const (
	CharBuf Type = iota + 1 // text
	FSPath                  // text that is a path
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	PID     // int64
	FD      // int64
	Errno   // int64, zero or a negative error number
	Flags32 // uint32 of bits
	Boolean
	RelTime // uint64, ns
	AbsTime // uint64, ns since 1970
	Port    // uint16
	IPAddr
	IPNet
	ByteBuf
	Float64
)

// Class groups the types that take the same operators.
type Class uint8

// The operator classes.
const (
	ClassText Class = iota + 1
	ClassNumber
	ClassBool
	ClassBytes
	ClassNet
)

type typeRow struct {
	name   string
	class  Class
	kind   Kind
	signed bool
	max    uint64 // largest magnitude that a rule may compare with
}

var types = [...]typeRow{
	CharBuf: {name: "CHARBUF", class: ClassText, kind: Text},
	FSPath:  {name: "FSPATH", class: ClassText, kind: Text},
	Int8:    {name: "INT8", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt8},
	Int16:   {name: "INT16", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt16},
	Int32:   {name: "INT32", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt32},
	Int64:   {name: "INT64", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt64},
	Uint8:   {name: "UINT8", class: ClassNumber, kind: Uint, max: math.MaxUint8},
	Uint16:  {name: "UINT16", class: ClassNumber, kind: Uint, max: math.MaxUint16},
	Uint32:  {name: "UINT32", class: ClassNumber, kind: Uint, max: math.MaxUint32},
	Uint64:  {name: "UINT64", class: ClassNumber, kind: Uint, max: math.MaxUint64},
	PID:     {name: "PID", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt64},
	FD:      {name: "FD", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt64},
	Errno:   {name: "ERRNO", class: ClassNumber, kind: Int, signed: true, max: math.MaxInt64},
	Flags32: {name: "FLAGS32", class: ClassNumber, kind: Uint, max: math.MaxUint32},
	Boolean: {name: "BOOL", class: ClassBool, kind: Bool},
	RelTime: {name: "RELTIME", class: ClassNumber, kind: Uint, max: math.MaxUint64},
	AbsTime: {name: "ABSTIME", class: ClassNumber, kind: Uint, max: math.MaxUint64},
	Port:    {name: "PORT", class: ClassNumber, kind: Uint, max: math.MaxUint16},
	IPAddr:  {name: "IPADDR", class: ClassNet, kind: IP},
	IPNet:   {name: "IPNET", class: ClassNet, kind: Net},
	ByteBuf: {name: "BYTEBUF", class: ClassBytes, kind: Bytes},
	Float64: {name: "DOUBLE", class: ClassNumber, kind: Double},
}

// String is the name of the type.
func (t Type) String() string { return types[t].name }

// Class is the operator class of the type.
func (t Type) Class() Class { return types[t].class }

// Kind is the representation of the type's values.
func (t Type) Kind() Kind { return types[t].kind }

// Signed reports whether the type's numbers have a sign.
func (t Type) Signed() bool { return types[t].signed }

// Max is the largest magnitude of the type's numbers; zero where it has none.
func (t Type) Max() uint64 { return types[t].max }

// TypeByName finds a type by its name.
func TypeByName(name string) (Type, bool) {
	for t := CharBuf; int(t) < len(types); t++ {
		if types[t].name == name {
			return t, true
		}
	}
	return 0, false
}

func appendDouble(dst []byte, bits uint64) []byte {
	return strconv.AppendFloat(dst, math.Float64frombits(bits), 'f', 6, 64)
}
