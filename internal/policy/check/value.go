package check

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// constants reads the values that the left side is compared with.
func (c *checker) constants(t *Test, values []lang.Value) error {
	t.Values = make([]Constant, 0, len(values))
	for i := range values {
		v, err := c.constant(t, &values[i])
		if err != nil {
			return err
		}
		t.Values = append(t.Values, v)
	}
	return nil
}

func (c *checker) constant(t *Test, v *lang.Value) (Constant, error) {
	k := Constant{At: v.At, Text: v.Text}
	if ref := t.Left.Ref; ref != nil && ref.Field.Has(field.EventType) && ref.Field.Name == "evt.type" {
		if _, ok := events.ByName(v.Text); !ok {
			return k, &Error{Pos: v.At, Msg: events.Unknown(v.Text), Unknown: true}
		}
	}
	if msg := k.read(t); msg != "" {
		return k, fail(v.At, msg)
	}
	if class := t.Left.Type.Class(); class == field.ClassText || class == field.ClassBytes {
		c.warnText(t, v)
	}
	if t.Op == operator.Regex {
		if _, err := CompileRegex(v.Text); err != nil {
			return k, fail(v.At, "the regular expression is wrong: "+err.Error())
		}
	}
	return k, nil
}

// read reads the text of a constant by the type of the left side and says why
// it cannot.
func (k *Constant) read(t *Test) string {
	typ := t.Left.Type
	switch typ.Class() {
	case field.ClassText:
		if strings.IndexByte(k.Text, 0) >= 0 {
			return "a text cannot contain a NUL byte"
		}
		k.Value.SetText(k.Text)
		return ""
	case field.ClassBytes:
		return k.readBytes(t.Op)
	case field.ClassBool:
		if k.Text != "true" && k.Text != "false" {
			return strconv.Quote(k.Text) + " is neither true nor false"
		}
		k.Value.SetBool(k.Text == "true")
		return ""
	case field.ClassNet:
		return k.readNet(typ)
	default:
		return k.readNumber(typ)
	}
}

func (k *Constant) readBytes(op operator.ID) string {
	if op == operator.BContains || op == operator.BStartsWith {
		raw, err := hex.DecodeString(k.Text)
		if err != nil {
			return "operator " + op.String() + " takes pairs of hexadecimal digits"
		}
		k.Text = string(raw)
	}
	k.Value.Kind, k.Value.Text = field.Bytes, k.Text
	return ""
}

func (k *Constant) readNumber(typ field.Type) string {
	bad := strconv.Quote(k.Text) + " is not a number of type " + typ.String()
	switch {
	case typ == field.Port:
		n, ok := ParsePort(k.Text)
		if !ok {
			return strconv.Quote(k.Text) + " is neither a port nor a service"
		}
		k.Value.SetUint(uint64(n))
	case typ == field.Float64:
		n, ok := parseSigned(k.Text)
		if !ok {
			return bad
		}
		k.Value.SetDouble(float64(n))
	case typ.Signed():
		n, ok := parseSigned(k.Text)
		if !ok {
			return bad
		}
		k.Value.SetInt(n)
	default:
		n, ok := parseUnsigned(k.Text, typ)
		if !ok {
			return bad
		}
		k.Value.SetUint(n)
	}
	return ""
}

// whole splits a whole number into its sign and its digits. As in C, blanks may
// stand before it, though not behind.
func whole(s string) (negative bool, digits string, ok bool) {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	if digits, negative = strings.CutPrefix(s, "-"); !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	return negative, digits, digits != "" && strings.Trim(digits, "0123456789") == ""
}

// parseSigned reads a number of a signed type. One that is out of the range of
// 64 bits counts as that range's end.
func parseSigned(s string) (int64, bool) {
	negative, digits, ok := whole(s)
	if negative {
		digits = "-" + digits
	}
	n, _ := strconv.ParseInt(digits, 10, 64) // out of range it is the range's end
	return n, ok
}

// parseUnsigned reads a number of an unsigned type. Negative numbers count from
// its end, as in C: -1 is the user that is none. One that is out of the range
// of 64 bits counts as that range's end.
func parseUnsigned(s string, typ field.Type) (uint64, bool) {
	negative, digits, ok := whole(s)
	n, err := strconv.ParseUint(digits, 10, 64)
	if negative && err == nil {
		n = -n
	}
	if negative {
		n &= typ.Max()
	}
	return n, ok
}

func (k *Constant) readNet(typ field.Type) string {
	if typ == field.IPAddr {
		a, err := field.ParseIP(k.Text)
		if err != nil {
			return strconv.Quote(k.Text) + " is not an IP address"
		}
		k.Value.SetIP(a)
		return ""
	}
	p, ok := parseNet(k.Text)
	if !ok {
		return strconv.Quote(k.Text) + " is not a network such as 10.0.0.0/8"
	}
	k.Value.Kind, k.Value.Net = field.Net, p
	return ""
}

// parseNet reads a network. Its length may have zeros before it.
func parseNet(s string) (netip.Prefix, bool) {
	host, length, _ := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	negative, digits, ok := whole(length)
	bits, outOfRange := strconv.ParseUint(digits, 10, 8)
	if err != nil || a.Zone() != "" || !ok || negative || outOfRange != nil {
		return netip.Prefix{}, false
	}
	p, err := a.Prefix(int(bits))
	return p, err == nil
}

// ParsePort reads a port by number or by the name of a service; empty is 0.
func ParsePort(s string) (uint16, bool) {
	if s == "" {
		return 0, true
	}
	if n, err := strconv.ParseUint(s, 10, 16); err == nil {
		return uint16(n), true
	}
	n, ok := services[s]
	return n, ok
}

// CompileRegex compiles a pattern in POSIX syntax that must match a whole text.
// Bytes that are not UTF-8 count as one character each.
func CompileRegex(pattern string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(pattern, syntax.ClassNL)
	if err != nil {
		return nil, err
	}
	// POSIX syntax has no anchors for the ends of the text, only of lines.
	return regexp.Compile(`\A(?:` + tree.String() + `)\z`)
}

// warnText points at texts that look like something else. Blanks in them do not
// matter.
func (c *checker) warnText(t *Test, v *lang.Value) {
	bare := strings.Join(strings.Fields(v.Text), "")
	if t.Op == operator.Regex && simpleRegex(v.Text) {
		c.warn(v.At, "the expression '"+v.Text+"' needs no regex: =, contains, startswith or endswith are faster", false)
	}
	if c.namesField(bare) {
		c.warn(v.At, "the text '"+v.Text+"' is also the name of a field: use val() to compare with that", false)
	}
	if looksLikeCall(bare) {
		c.warn(v.At, "the text '"+v.Text+"' looks like a transformer, which must not be quoted", false)
	}
}

// namesField reports whether a text is the name of a field, perhaps with an
// argument.
func (c *checker) namesField(s string) bool {
	o, n, err := lang.ParseOperand(s)
	f, ok := o.(*lang.Field)
	if err != nil || n != len(s) || !ok {
		return false
	}
	_, err = c.table.Resolve(f.Name, f.Arg, f.HasArg)
	return err == nil || errors.Is(err, field.ErrUnsupported)
}

func looksLikeCall(s string) bool {
	for _, name := range append([]string{lang.Val}, lang.Transformers[:]...) {
		if rest, ok := strings.CutPrefix(s, name); ok && strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
			return true
		}
	}
	return false
}

// simpleRegex reports whether nothing but the ends of a pattern is special: an
// anchor, which the operator implies, or a repeated dot, which says that the
// text only contains, begins or ends.
func simpleRegex(s string) bool {
	last := len(s) - 1
	for i := 0; i <= last; i++ {
		switch {
		case i == 0 && s[i] == '^', i == last && s[i] == '$':
		case (i == 0 || i == last-1) && i < last && s[i] == '.' && strings.IndexByte("*+?", s[i+1]) >= 0:
			i++
		case strings.IndexByte(`.+*?^$()[]{}|\`, s[i]) >= 0:
			return false
		}
	}
	return true
}
