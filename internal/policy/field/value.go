package field

import (
	"math"
	"net/netip"
	"strconv"
)

// Kind says which part of a Value is set.
type Kind uint8

// The representations of a Value.
const (
	None   Kind = iota // no value: every comparison with it is false
	Bool               // Num is 0 or 1
	Int                // Num holds the bits of an int64
	Uint               // Num
	Double             // Num holds the bits of a float64
	Text               // Text; any bytes, need not be UTF-8
	Bytes              // Text holds the raw bytes
	IP                 // Net with the address; the length is the address' own
	Net                // Net
	List               // List of texts
)

// Value is one field's value of one event, without boxing. Its texts and
// lists alias the event's source or the Context that produced them and are
// valid until the Context is given its next event.
type Value struct {
	Kind Kind
	Base uint8 // in which a raw argument is printed; 0: as the field says
	Num  uint64
	Text string
	List []string
	Net  netip.Prefix
}

// Int64 reads a value of kind Int.
func (v *Value) Int64() int64 { return int64(v.Num) }

// SetText makes v a text.
func (v *Value) SetText(s string) { v.Kind, v.Text = Text, s }

// SetInt makes v a signed number.
func (v *Value) SetInt(n int64) { v.Kind, v.Num = Int, uint64(n) }

// SetUint makes v an unsigned number.
func (v *Value) SetUint(n uint64) { v.Kind, v.Num = Uint, n }

// SetDouble makes v a floating-point number.
func (v *Value) SetDouble(f float64) { v.Kind, v.Num = Double, math.Float64bits(f) }

// SetList makes v a list of texts. The slice is aliased.
func (v *Value) SetList(l []string) { v.Kind, v.List = List, l }

// SetBool makes v a truth value.
func (v *Value) SetBool(b bool) {
	v.Kind, v.Num = Bool, 0
	if b {
		v.Num = 1
	}
}

// SetIP makes v an address, unless the address is the zero Addr: then v keeps
// no value. IPv4 addresses mapped into IPv6 are unwrapped.
func (v *Value) SetIP(a netip.Addr) {
	if !a.IsValid() {
		return
	}
	a = a.Unmap()
	v.Kind, v.Net = IP, netip.PrefixFrom(a, a.BitLen())
}

// IsNumber reports whether v is a whole number.
func (v *Value) IsNumber() bool { return v.Kind == Int || v.Kind == Uint }

// AppendText appends the plain text form of v: decimal numbers, true and
// false, lists as (a,b), networks as <IPNET>, bytes with dots for what is not
// printable. No value appends nothing.
func (v *Value) AppendText(dst []byte) []byte {
	switch v.Kind {
	case None:
	case Bool:
		dst = strconv.AppendBool(dst, v.Num != 0)
	case Int:
		dst = strconv.AppendInt(dst, int64(v.Num), 10)
	case Uint:
		dst = strconv.AppendUint(dst, v.Num, 10)
	case Double:
		dst = appendDouble(dst, v.Num)
	case Text:
		dst = append(dst, v.Text...)
	case Bytes:
		dst = AppendPrintable(dst, v.Text)
	case IP:
		dst = v.Net.Addr().AppendTo(dst)
	case Net:
		dst = append(dst, "<IPNET>"...)
	case List:
		dst = appendList(dst, v.List)
	}
	return dst
}

// String is the plain text form, see AppendText.
func (v *Value) String() string { return string(v.AppendText(nil)) }

func appendList(dst []byte, items []string) []byte {
	dst = append(dst, '(')
	for i, it := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, it...)
	}
	return append(dst, ')')
}

// AppendPrintable appends data with a dot in place of every byte that is not
// printable ASCII.
func AppendPrintable(dst []byte, data string) []byte {
	for i := range len(data) {
		if c := data[i]; c >= ' ' && c < 0x7f {
			dst = append(dst, c)
		} else {
			dst = append(dst, '.')
		}
	}
	return dst
}
