package output

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/plan"
)

// given is an event with values by name.
func given(values map[string]field.Value) *field.Values {
	return &field.Values{Event: "openat", When: 1795359630862481352, Map: values}
}

func format(t *testing.T, text string, values map[string]field.Value) (string, []AlertField) {
	t.Helper()
	f, _, err := Parse(text, field.Standard().ByValue(nil))
	require.NoError(t, err, text)
	b := plan.NewBuilder(nil)
	f.Plan(b)
	c := b.Build().NewContext()
	e, _ := events.ByName("openat")
	c.Begin(given(values), e)
	var fields []AlertField
	for _, one := range f.Fields() {
		fields = append(fields, AlertField{one.Key, one.AppendJSON(nil, one.Value(c))})
	}
	return string(f.Append(nil, c)), fields
}

func text(s string) (v field.Value) {
	v.SetText(s)
	return v
}

func TestFormat(t *testing.T) {
	values := map[string]field.Value{"proc.name": text("cat"), "fd.name": text("/x\n\x1b\xff\u0085")}
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"},
		{"*plain %proc.name", "plain cat"},
		{"%proc.name)", "cat)"},
		{"%proc.name.", "cat."},
		{"%proc.name%proc.name", "catcat"},
		{"[%5proc.name|%2proc.name]", "[cat  |ca]"},
		{"%toupper(proc.name)!", "CAT!"},
		{"%proc.names", "cats"},
		{"%proc.name_1.txt", "cat_1.txt"},
		{"%proc.name[2]", "cat[2]"},
		{"%proc.aname[x]", "<NA>[x]"},
		{"%proc.aname[2", "<NA>[2"},
		{"%evt.arg.namespace", "<NA>space"},
		{"%toupper(proc.name)[x]", "CAT[x]"},
		{"%6proc.names|", "cat   s|"},
		{"%proc.exe", "<NA>"},
		{"%6proc.exe|", "<NA>  |"},
		{"%evt.type", "openat"},
		{"%fd.name", `/x\n\u001b` + "\uFFFD" + `\u0085`},
		{"tab\there", `tab\there`},
	} {
		got, _ := format(t, tt.in, values)
		require.Equal(t, tt.want, got, tt.in)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		in      string
		offset  int
		unknown bool
	}{
		{"", 0, false},
		{"a %", 2, false},
		{"a %20", 2, false},
		{"a %99999proc.name", 2, false},
		{"a %name", 2, true},
		{"a %nosuch.field", 2, true},
		{"a %thread.cpu", 2, false},
		{"a %thread.cpux", 2, false},
		{"a %evt.arg.nosuch", 2, true},
		{"a %toupper(proc.pid)", 2, true},
		{"a %toupper(proc.namex)", 2, true},
		{"a %proc." + strings.Repeat("x", 300), 2, true},
	} {
		_, _, err := Parse(tt.in, field.Standard())
		var oerr *Error
		require.ErrorAs(t, err, &oerr, tt.in)
		require.Equal(t, tt.offset, oerr.Offset, tt.in)
		require.Equal(t, tt.unknown, oerr.Unknown, tt.in)
	}
	_, warnings, err := Parse("%evt.dir", field.Standard())
	require.NoError(t, err)
	require.Len(t, warnings, 1)
}

// What is taken for a field is shortened until it is one, which must not take
// long for the many fields of a long output.
func TestManyShortenedFields(t *testing.T) {
	const n = 500
	f, _, err := Parse(strings.Repeat("%proc.name_"+strings.Repeat("x", 100)+"[[ ", n), field.Standard())
	require.NoError(t, err)
	require.Len(t, f.Fields(), 1)
}

func TestTypedFields(t *testing.T) {
	number, list, truth := field.Value{}, field.Value{}, field.Value{}
	number.SetInt(-5)
	list.SetList([]string{"a", `b"`})
	truth.SetBool(true)
	dev := field.Value{}
	dev.SetInt(0xfe00)
	names := field.Value{}
	names.SetList([]string{"sh", "init"})
	got, fields := format(t, "%evt.rawres %fd.types %evt.failed %fd.dev %proc.aname %toupper(proc.exe) %proc.exe %container.id", map[string]field.Value{
		"evt.rawres": number, "fd.types": list, "evt.failed": truth, "fd.dev": dev, "proc.aname": names, "proc.exe": text("x\n"),
	})
	require.Equal(t, `-5 (a,b") true FE00 sh init X\n x\n <NA>`, got)
	byKey := map[string]string{}
	for _, f := range fields {
		byKey[f.Key] = string(f.JSON)
	}
	require.Equal(t, map[string]string{
		"evt.rawres": "-5", "fd.types": `["a","b\""]`, "evt.failed": "true", "fd.dev": `"FE00"`,
		"proc.aname": `"sh init"`, "proc.exe": `"x\n"`, "container.id": "null",
	}, byKey)
}

// Numbers have the base that Falco gives them, and parts of a second all digits.
func TestBases(t *testing.T) {
	number := func(n uint64) (v field.Value) {
		v.SetUint(n)
		return v
	}
	got, fields := format(t, "%evt.rawtime.ns %evt.reltime %evt.rawarg.flags %evt.rawarg.mode %evt.rawarg.uid %evt.time.s", map[string]field.Value{
		"evt.rawtime.ns": number(42), "evt.reltime": number(1234567890), "evt.rawarg.flags": number(4097),
		"evt.rawarg.mode": {Kind: field.Uint, Num: 0o644, Base: 8}, "evt.rawarg.uid": number(33), "evt.time.s": {Kind: field.Text, Text: "15:00:30", Num: 7},
	})
	require.Equal(t, "000000042 1234567890 1001 644 33 15:00:30", got)
	want := []string{"42", "1234567890", `"1001"`, `"644"`, "33", "7"}
	for i, f := range fields {
		require.Equal(t, want[i], string(f.JSON), f.Key)
	}
}

func TestAlert(t *testing.T) {
	a := &Alert{
		Hostname: "h", Rule: `R "1"`, Priority: "Warning", Source: "syscall", Tags: []string{"b", "a"},
		Time: time.Unix(0, 1795359630862481352), Message: "text",
		Fields: []AlertField{{"proc.name", []byte(`"x"`)}, {"evt.time", []byte("7")}, {"a", []byte("1")}},
	}
	got := string(a.AppendJSON(nil))
	require.JSONEq(t, `{"hostname":"h","output":`+quote(a.Line())+`,"output_fields":{"a":1,"evt.time":7,"proc.name":"x"},
		"priority":"Warning","rule":"R \"1\"","source":"syscall","tags":["a","b"],"time":"2026-11-22T15:00:30.862481352Z"}`, got)
	require.True(t, strings.HasSuffix(a.Line(), ".862481352: Warning text"))
	a.ISO8601 = true
	require.Equal(t, "2026-11-22T15:00:30.862481352+0000: Warning text", a.Line())
	require.Contains(t, string(a.AppendJSON(nil)), `"evt.time.iso8601":1795359630862481352`)
}

func quote(s string) string { return string(AppendQuoted(nil, s)) }

func TestNewField(t *testing.T) {
	f, err := NewField("proc.env[X]", field.Standard())
	require.NoError(t, err)
	require.Equal(t, "proc.env[X]", f.Key)
	for _, bad := range []string{"", "x", "nosuch.field", "proc.name more", "tolower(proc.name)"} {
		_, err := NewField(bad, field.Standard())
		require.Error(t, err, bad)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("x %proc.name %20fd.name %toupper(proc.exe)", "value\n")
	f.Fuzz(func(t *testing.T, format, value string) {
		parsed, _, err := Parse(format, field.Standard().ByValue(nil))
		if err != nil {
			return
		}
		b := plan.NewBuilder(nil)
		parsed.Plan(b)
		c := b.Build().NewContext()
		c.Begin(given(map[string]field.Value{"proc.name": text(value)}), nil)
		out := string(parsed.Append(nil, c))
		require.True(t, utf8.ValidString(out))
		require.NotContains(t, out, "\n")
	})
}

func FuzzQuoted(f *testing.F) {
	f.Add("a\"b\\c\x00\u2028\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		require.NoError(t, json.Unmarshal(AppendQuoted(nil, s), &back))
		if utf8.ValidString(s) {
			require.Equal(t, s, back)
		}
	})
}
