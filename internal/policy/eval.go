package policy

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// EvalInput is one question to EvalFilter: a condition and the values of an
// event's fields. A field that is not given has no value.
type EvalInput struct {
	Filter string               `json:"filter"`
	Event  string               `json:"evt_name"`
	Fields map[string]EvalField `json:"fields"`
}

// EvalField is the value of one field; null is none. Type is a type's name as
// Falco has it. RawHex, the bytes in hexadecimal, wins over Value for texts and
// bytes, and stands for it where there is none: numbers in the order of the
// machine. An empty number there means that there is no value. Lists have one
// element each.
type EvalField struct {
	Type   string   `json:"type"`
	Value  anyText  `json:"value"`
	List   bool     `json:"list"`
	RawHex anyTexts `json:"raw_hex"`
}

// EvalFilter evaluates a condition over given values.
func EvalFilter(in *EvalInput) (bool, error) {
	return EvalFilterWith(field.Standard(), in)
}

// EvalFilterWith is EvalFilter with another table of fields.
func EvalFilterWith(table *field.Table, in *EvalInput) (bool, error) {
	src := &field.Values{Event: in.Event, Map: make(map[string]field.Value, len(in.Fields))}
	types := make(map[string]field.Type, len(in.Fields))
	for name, given := range in.Fields {
		v, typ, err := given.value()
		if err != nil {
			return false, fmt.Errorf("field %s: %w", name, err)
		}
		src.Map[name] = v
		if typ != 0 {
			types[name] = typ
		}
	}
	expr, err := lang.Parse(in.Filter, lang.DepthRules)
	if err != nil {
		return false, positioned(err)
	}
	checked, err := check.Check(expr, table.ByValue(types))
	if err != nil {
		return false, positioned(err)
	}
	event, known := events.ByName(in.Event)
	if !known && in.Event != "" && asksForType(checked, in.Fields) {
		return false, errors.New("evt_name: " + events.Unknown(in.Event))
	}
	b := plan.NewBuilder(nil)
	cond := b.Add(checked.Expr)
	c := b.Build().NewContext()
	c.Begin(src, event)
	return cond.Node().Eval(c), nil
}

// asksForType reports whether a condition's verdict depends on what type the event
// is of. One that does not ask may be tried on events that only others know.
func asksForType(checked *check.Result, given map[string]EvalField) bool {
	return slices.ContainsFunc(checked.Refs, func(ref *field.Ref) bool {
		_, told := given[ref.Name]
		return !told && ref.Field.Has(field.EventType)
	})
}

// positioned adds the place to an error of a condition.
func positioned(err error) error {
	var pos lang.Pos
	var parse *lang.Error
	var typed *check.Error
	switch {
	case errors.As(err, &parse):
		pos = parse.Pos
	case errors.As(err, &typed):
		pos = typed.Pos
	default:
		return err
	}
	return fmt.Errorf("line %d, column %d: %w", pos.Line, pos.Column, err)
}

// otherTypes are names of types that values may have but fields do not.
var otherTypes = map[string]field.Type{
	"FLAGS8": field.Flags32, "FLAGS16": field.Flags32, "ENUMFLAGS8": field.Flags32, "ENUMFLAGS16": field.Flags32,
	"ENUMFLAGS32": field.Flags32, "MODE": field.Flags32, "UID": field.Uint32, "GID": field.Uint32,
	"SIGTYPE": field.Uint8, "FSRELPATH": field.FSPath, "IPV4ADDR": field.IPAddr, "IPV6ADDR": field.IPAddr,
	"IPV4NET": field.IPNet, "IPV6NET": field.IPNet, "SYSCALLID": field.Uint16,
}

func (f *EvalField) value() (v field.Value, typ field.Type, err error) {
	if f.Type == "" && !f.Value.set && len(f.RawHex) == 0 {
		return v, 0, nil
	}
	typ, ok := field.TypeByName(f.Type)
	if !ok {
		if typ, ok = otherTypes[f.Type]; !ok {
			return v, 0, fmt.Errorf("unknown type %q", f.Type)
		}
	}
	raw := make([]string, len(f.RawHex))
	for i, h := range f.RawHex {
		b, err := hex.DecodeString(h)
		if err != nil {
			return v, 0, err
		}
		raw[i] = string(b)
	}
	if f.List {
		v.SetList(f.list(raw))
		return v, typ, nil
	}
	if len(raw) == 0 && !f.Value.set || len(raw) > 0 && raw[0] == "" && typ.Class() != field.ClassText && typ.Class() != field.ClassBytes {
		return v, typ, nil
	}
	return f.single(raw, typ)
}

func (f *EvalField) list(raw []string) []string {
	if len(raw) > 0 || !f.Value.set {
		return raw
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(f.Value.text, "("), ")")
	if inner == "" {
		return nil
	}
	return strings.Split(inner, ",")
}

func (f *EvalField) single(raw []string, typ field.Type) (v field.Value, _ field.Type, err error) {
	text := f.Value.text
	switch class := typ.Class(); {
	case len(raw) == 0:
	case class == field.ClassText || class == field.ClassBytes:
		text = raw[0]
	case !f.Value.set && class != field.ClassNet:
		text = numberOf(raw[0], typ)
	}
	switch typ.Kind() {
	case field.Text:
		text, _, _ = strings.Cut(text, "\x00")
		v.SetText(text)
	case field.Bytes:
		v.Kind, v.Text = field.Bytes, text
	case field.Bool:
		v.SetBool(text == "true" || text == "1")
	case field.Int:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
	case field.Double:
		var n float64
		n, err = strconv.ParseFloat(text, 64)
		v.SetDouble(n)
	case field.IP, field.Net:
		err = setAddress(&v, text, raw)
	default:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 64)
		v.SetUint(n)
	}
	return v, typ, err
}

// numberOf is a number that is given by its bytes, least significant first, as
// text.
func numberOf(raw string, typ field.Type) string {
	var b [8]byte
	n := copy(b[:], raw)
	u := binary.LittleEndian.Uint64(b[:])
	if unused := 64 - 8*n; typ.Signed() {
		return strconv.FormatInt(int64(u<<unused)>>unused, 10)
	}
	if typ == field.Boolean {
		return strconv.FormatBool(u != 0)
	}
	return strconv.FormatUint(u, 10)
}

// setAddress reads an address from its text or else its bytes.
func setAddress(v *field.Value, text string, raw []string) error {
	host, _, _ := strings.Cut(text, "/")
	a, err := field.ParseIP(host)
	if err != nil && len(raw) > 0 {
		var ok bool
		if a, ok = netip.AddrFromSlice([]byte(raw[0])); ok {
			err = nil
		}
	}
	if err == nil {
		v.SetIP(a)
	}
	return err
}

// anyText is a JSON text, number, truth value or null, as text.
type anyText struct {
	text string
	set  bool
}

// UnmarshalJSON reads any scalar.
func (t *anyText) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	t.set = true
	if data[0] == '"' {
		return json.Unmarshal(data, &t.text)
	}
	if data[0] == '[' {
		var items []string
		if err := json.Unmarshal(data, &items); err != nil {
			return err
		}
		t.text = "(" + strings.Join(items, ",") + ")"
		return nil
	}
	t.text = string(data)
	return nil
}

// anyTexts is a JSON list of texts, or one text.
type anyTexts []string

// UnmarshalJSON reads a list or a single text.
func (t *anyTexts) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		var s string
		err := json.Unmarshal(data, &s)
		*t = anyTexts{s}
		return err
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// ParseResult is what became of parsing a condition.
type ParseResult struct {
	OK     bool   `json:"ok"`
	AST    string `json:"ast,omitempty"`    // the condition in its canonical form
	Error  string `json:"error,omitempty"`  // why it does not parse
	Line   int    `json:"line,omitempty"`   // from 1
	Column int    `json:"column,omitempty"` // from 1, in bytes
}

// ParseFilter parses a condition on its own, without macros and types.
func ParseFilter(filter string) ParseResult {
	expr, err := lang.Parse(filter, lang.DepthDefault)
	if err == nil {
		return ParseResult{OK: true, AST: lang.Print(expr)}
	}
	res := ParseResult{Error: err.Error()}
	if perr, ok := errors.AsType[*lang.Error](err); ok {
		res.Line, res.Column = perr.Line, perr.Column
	}
	return res
}
