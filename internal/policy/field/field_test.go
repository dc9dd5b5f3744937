package field

import (
	"math"
	"net/netip"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/events"
)

func TestTableRows(t *testing.T) {
	rows := Standard().Rows()
	require.Greater(t, len(rows), 200)
	for _, f := range rows {
		require.NotEmpty(t, f.Doc, f.Name)
		require.Contains(t, f.Name, ".", f.Name)
		if f.Unsupported == "" {
			require.NotNil(t, f.Get, f.Name)
		}
		if f.Type == 0 {
			require.Equal(t, ArgEvent, f.Arg, f.Name)
		}
		for _, side := range f.Sides {
			require.True(t, Standard().Known(side), side)
		}
		for _, a := range f.From {
			require.NotEmpty(t, a.Name(), f.Name)
		}
	}
}

// Whatever an event lacks, a field may have no value but must not fail.
func TestEveryFieldOnEveryEmptyEvent(t *testing.T) {
	args := map[ArgKind]string{
		ArgIndex: "1", ArgIndexMust: "1", ArgKey: "x", ArgKeyMust: "x", ArgKeyDotted: "x", ArgEvent: "flags",
	}
	for _, f := range Standard().Rows() {
		if f.Unsupported != "" {
			continue
		}
		ref, err := Standard().Resolve(f.Name, args[f.Arg], f.Arg != ArgNone)
		require.NoError(t, err, f.Name)
		var c Context
		var v Value
		for id := range events.Count() {
			c.Begin(&Values{Event: events.ByID(events.ID(id)).Name}, events.ByID(events.ID(id)))
			ref.Value(&c, &v)
			if v.Kind != None && !f.Has(Ancestors) {
				require.Equal(t, ref.Type.Kind(), v.Kind, f.Name)
			}
		}
		c.Begin(&Values{}, nil)
		ref.Value(&c, &v)
	}
}

func TestResolve(t *testing.T) {
	for _, tt := range []struct {
		name, arg string
		has       bool
		canonical string
		err       error
	}{
		{"proc.name", "", false, "proc.name", nil},
		{"proc.aname", "2", true, "proc.aname[2]", nil},
		{"proc.env", "A B", true, "proc.env[A B]", nil},
		{"evt.arg", "1", true, "evt.arg[1]", nil},
		{"evt.arg.flags", "", false, "evt.arg.flags", nil},
		{"evt.arg", "flags", true, "evt.arg.flags", nil},
		{"evt.type.is.open", "", false, "evt.type.is[open]", nil},
		{"container.label.app.io", "", false, "container.label[app.io]", nil},
		{"proc.nobody", "", false, "", ErrUnknown},
		{"proc.name.more", "", false, "", ErrUnknown},
		{"thread.cpu", "", false, "", ErrUnsupported},
		{"proc.name", "1", true, "", ErrArgument},
		{"proc.aname", "x", true, "", ErrArgument},
		{"proc.aname", "-1", true, "", ErrArgument},
		{"evt.arg.flags", "1", true, "", ErrArgument},
		{"evt.arg.nosuch", "", false, "", ErrArgument},
		{"evt.arg", "", false, "", ErrArgument},
		{"container.mount.dest", "", false, "", ErrArgument},
		{"container.label", "", true, "", ErrArgument},
	} {
		ref, err := Standard().Resolve(tt.name, tt.arg, tt.has)
		require.ErrorIs(t, err, tt.err, tt.name)
		require.Equal(t, tt.canonical, ref.Name, tt.name)
	}
	ref, err := Standard().ByValue(map[string]Type{"evt.rawarg.flags": Uint64}).Resolve("evt.rawarg.flags", "", false)
	require.NoError(t, err)
	require.Equal(t, Uint64, ref.Type)
	_, err = Standard().ByValue(nil).Resolve("thread.cpu", "", false)
	require.NoError(t, err, "values that are given need no data")
}

func TestAttributes(t *testing.T) {
	for a := range Attr(NumAttrs()) {
		found, ok := AttrByName(a.Name())
		require.True(t, ok, a.Name())
		require.Equal(t, a, found)
		require.NotZero(t, a.Form(), a.Name())
		require.Equal(t, a.Form() == FormAny, a.IsArg())
	}
	_, ok := AttrByName("no.such.attribute")
	require.False(t, ok)
	a, ok := ArgAttr("dirfd")
	require.True(t, ok)
	require.Equal(t, "dirfd", a.String())
}

func TestTypes(t *testing.T) {
	for typ := CharBuf; typ <= Float64; typ++ {
		found, ok := TypeByName(typ.String())
		require.True(t, ok)
		require.Equal(t, typ, found)
		require.NotZero(t, typ.Class())
	}
	require.Equal(t, uint64(math.MaxUint16), Port.Max())
	require.True(t, PID.Signed())
	_, ok := TypeByName("NOPE")
	require.False(t, ok)
}

func TestValueText(t *testing.T) {
	var v Value
	require.Empty(t, v.String())
	v.SetInt(-5)
	require.Equal(t, "-5", v.String())
	require.Equal(t, int64(-5), v.Int64())
	v.SetUint(math.MaxUint64)
	require.Equal(t, "18446744073709551615", v.String())
	v.SetBool(true)
	require.Equal(t, "true", v.String())
	v.SetDouble(1.5)
	require.Equal(t, "1.500000", v.String())
	v.SetList([]string{"a", "b"})
	require.Equal(t, "(a,b)", v.String())
	v = Value{Kind: Bytes, Text: "a\x00b"}
	require.Equal(t, "a.b", v.String())
	v = Value{}
	v.SetIP(netip.Addr{})
	require.Equal(t, None, v.Kind)
	v.SetIP(netip.MustParseAddr("::ffff:10.0.0.1"))
	require.Equal(t, "10.0.0.1", v.String())
	v.Kind = Net
	require.Equal(t, "<IPNET>", v.String())
}

func TestAppendPath(t *testing.T) {
	for _, tt := range []struct{ base, path, want string }{
		{"/srv", "x", "/srv/x"},
		{"/srv/", "./x/", "/srv/x"},
		{"/srv/a", "../../..//b/./c/..", "/b"},
		{"/srv", "/etc//passwd", "/etc/passwd"},
		{"/srv", "", "/srv"},
		{"", "", "/"},
		{"/", "..", "/"},
		{"/a", "b...", "/a/b..."},
	} {
		require.Equal(t, "x"+tt.want, string(AppendPath([]byte("x"), tt.base, tt.path)), "%q %q", tt.base, tt.path)
	}
}

func FuzzAppendPath(f *testing.F) {
	f.Add("/srv", "../x//y/.")
	f.Fuzz(func(t *testing.T, base, p string) {
		got := string(AppendPath(nil, "/"+base, p))
		want := path.Clean(p)
		if !strings.HasPrefix(p, "/") {
			want = path.Clean("/" + base + "/" + p)
		}
		require.Equal(t, want, got)
	})
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		fold, want bool
	}{
		{"", "", false, true},
		{"*", "", false, true},
		{"*", "a/.b", false, true},
		{"?", "/", false, true},
		{"a*c", "abbc", false, true},
		{"a*c", "abb", false, false},
		{"*.s?", "x.so", false, true},
		{"[abc]x", "bx", false, true},
		{"[!abc]x", "bx", false, false},
		{"[^a-c]x", "dx", false, true},
		{"[a-c]", "B", true, true},
		{"ABC", "abc", true, true},
		{"ABC", "abc", false, false},
		{`\*`, "*", false, true},
		{`\*`, "a", false, false},
		{`a\`, `a\`, false, false},
		{`*\`, "a", false, false},
		{"[", "[", false, true},
		{"[a", "[a", false, true},
		{"[]]", "]", false, true},
		{"[!]]", "]", false, false},
		{"[a-]", "-", false, true},
		{"[[:digit:]]", "5", false, true},
		{"[[:alpha:]_]*", "_x", false, true},
		{"[[:upper:]]", "a", true, false},
		{"[[:upper:]]", "A", true, true},
		{"[[:lower:]]", "A", true, false},
		{"[A-C]", "b", true, true},
		{"[+-[]", "b", true, false},
		{"[+-[]", "B", false, true},
		{"[X-b]", "Y", true, false},
		{"[X-b]", "Y", false, true},
		{"/tmp/a?", "/tmp/a\xff", false, true},
		{"**a**", "bab", false, true},
		{"a?", "a", false, false},
		{`[\]]`, "]", false, true},
	} {
		require.Equal(t, tt.want, Glob(tt.pattern, tt.s, tt.fold), "%q %q", tt.pattern, tt.s)
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("[a-c]*?x", "bbyx")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		got := Glob(pattern, s, false)
		// Where both know the syntax, the library must agree.
		if strings.ContainsAny(pattern, "[]!^\\") || strings.Contains(s, "/") || !isASCII(pattern+s) {
			return
		}
		want, err := path.Match(pattern, s)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// loop is a source whose ancestors repeat.
type loop struct{ Values }

func (*loop) Ancestor(n int, p *Process) bool {
	p.PID, p.Name = int64(n%3+1), "x"
	return true
}

func TestAncestorsStopAtLoops(t *testing.T) {
	var c Context
	c.Begin(&loop{}, nil)
	require.NotNil(t, c.Process(2))
	require.Nil(t, c.Process(3))
	require.Nil(t, c.Process(maxAncestors+1))
	require.Nil(t, c.Process(-1))
}

func TestTimesAreCounted(t *testing.T) {
	var c Context
	var v Value
	ref, err := Standard().Resolve("evt.reltime", "", false)
	require.NoError(t, err)
	delta, err := Standard().Resolve("evt.deltatime", "", false)
	require.NoError(t, err)
	var src Values // reused, as the view of a record is
	for _, when := range []int64{100, 110, 130} {
		src.When = when
		c.Begin(&src, nil)
	}
	delta.Value(&c, &v)
	require.Equal(t, uint64(20), v.Num)
	src.When = 120
	c.Begin(&src, nil)
	require.Equal(t, uint64(4), c.Num)
	ref.Value(&c, &v)
	require.Equal(t, uint64(20), v.Num)
	delta.Value(&c, &v)
	require.Zero(t, v.Num, "records may come slightly out of order")
}

func TestImageReferences(t *testing.T) {
	for in, want := range map[string]imageRef{
		"nginx":                         {"nginx", "", ""},
		"nginx:1":                       {"nginx", "1", ""},
		"reg:5000/a/b":                  {"reg:5000/a/b", "", ""},
		"reg:5000/a/b:v1@sha256:00":     {"reg:5000/a/b", "v1", "sha256:00"},
		"docker.io/library/x@sha256:11": {"docker.io/library/x", "", "sha256:11"},
	} {
		require.Equal(t, want, parseImage(in), in)
	}
}
