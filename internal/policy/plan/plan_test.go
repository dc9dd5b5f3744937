package plan

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

func checked(t *testing.T, cond string) check.Expr {
	t.Helper()
	e, err := lang.Parse(cond, lang.DepthDefault)
	require.NoError(t, err, cond)
	res, err := check.Check(e, field.Standard())
	require.NoError(t, err, cond)
	return res.Expr
}

// counting is a source that counts how often the process' name is asked for.
type counting struct {
	field.Values
	asked int
}

func (s *counting) String(a field.Attr) (string, bool) {
	if a == field.AttrProcName {
		s.asked++
		return "cat", true
	}
	return "", false
}

func TestSharedSubexpressionsAreEvaluatedOnce(t *testing.T) {
	b := NewBuilder(nil)
	one := b.Add(checked(t, "proc.name in (a, b) or proc.name = cat"))
	two := b.Add(checked(t, "not (proc.name in (a, b) or proc.name = cat)"))
	c := b.Build().NewContext()
	require.Same(t, one.Node(), two.Node().(*notNode).child)
	require.IsType(t, &memoNode{}, one.Node())

	src := &counting{}
	c.Begin(src, nil)
	require.True(t, one.Node().Eval(c))
	require.False(t, two.Node().Eval(c))
	require.Equal(t, 1, src.asked)
	c.Begin(src, nil)
	require.True(t, one.Node().Eval(c))
	require.Equal(t, 2, src.asked)
}

func TestGenerationsWrap(t *testing.T) {
	b := NewBuilder(nil)
	cond := b.Add(checked(t, "proc.name = cat"))
	other := b.Add(checked(t, "not proc.name = cat"))
	c := b.Build().NewContext()
	src := &counting{}
	c.Begin(src, nil)
	require.True(t, cond.Node().Eval(c))
	c.gen = math.MaxUint32
	c.Begin(&field.Values{}, nil)
	require.Equal(t, uint32(1), c.gen)
	require.False(t, cond.Node().Eval(c), "what the first event gave must not look current")
	require.True(t, other.Node().Eval(c))
}

func TestEventTypeIsDecidedBeforehand(t *testing.T) {
	b := NewBuilder(nil)
	cond := b.Add(checked(t, "evt.type in (open, openat)"))
	no := b.Add(checked(t, "evt.type != open"))
	c := b.Build().NewContext()
	for name, want := range map[string]bool{"open": true, "openat": true, "close": false} {
		e, _ := events.ByName(name)
		c.Begin(&field.Values{Event: name}, e)
		require.Equal(t, want, cond.Node().Eval(c), name)
		require.Equal(t, name != "open", no.Node().Eval(c), name)
	}
	c.Begin(&field.Values{Event: "new_call"}, nil)
	require.False(t, cond.Node().Eval(c))
	require.True(t, no.Node().Eval(c))
}

func TestGuards(t *testing.T) {
	for _, tt := range []struct {
		cond string
		want []string // the guards; keys are joined by |, prefixes end in ...
	}{
		{"proc.name = a", []string{"proc.name a"}},
		{"proc.name in (a, b) and fd.name = /x", []string{"fd.name /x", "proc.name a b"}},
		{"proc.name = a or proc.name = b", []string{"proc.name a b"}},
		{"proc.name = a or fd.name = b", []string{"fd.name b | proc.name a"}},
		{"proc.name = a or proc.pid = 1", nil},
		{"not proc.name = a", nil},
		{"proc.name != a", nil},
		{"proc.name exists", nil},
		{"proc.name contains a", nil},
		{"proc.name startswith a", nil},
		{"proc.name = oneof (a, b)", []string{"proc.name a b"}},
		{"proc.name = allof (a, b)", nil},
		{"proc.aname = a", nil},
		{"proc.aname[1] = a", []string{"proc.aname[1] a"}},
		{"evt.type = open", nil},
		{"evt.type = open and proc.name = a", []string{"proc.name a"}},
		{"evt.type = close or proc.name = a", []string{"proc.name a"}},
		{"evt.type = open or proc.name = a", nil},
		{"(evt.type = open and proc.name = a) or (evt.type = close and fd.name = b)", []string{"proc.name a"}},
		{"proc.pid = 1", nil},
		{"tolower(proc.name) = a", nil},
		{"(proc.name = a or proc.name = b) and proc.name = a", []string{"proc.name a"}},
		{"fd.name startswith /etc/", []string{"fd.name /etc/..."}},
		{"fd.name startswith /", nil},
		{"fd.name startswith //etc", nil},
		{"fd.name glob /home/*/.ssh/*", []string{"fd.name /home/..."}},
		{"fd.name glob /home/[a]", []string{"fd.name /home/..."}},
		{"fd.name glob /home", []string{"fd.name /home..."}},
		{"fd.name glob */.ssh", nil},
		{"fd.name pmatch (/etc//x/, /a/b?/c)", []string{"fd.name /a... /etc/x..."}},
		{"fd.name pmatch (/e*c)", nil},
		{"fd.name endswith /x", nil},
		{"fd.name startswith anyof (/a, /b)", []string{"fd.name /a... /b..."}},
		{"fd.name startswith /etc/ and (fd.name = /etc/x or fd.name = /etc/y)", []string{"fd.name /etc/x /etc/y"}},
		{"fd.name = /x or fd.name startswith /y", []string{"fd.name /x /y..."}},
	} {
		b := NewBuilder(nil)
		cond := b.Add(checked(t, tt.cond))
		b.Build()
		open, _ := events.ByName("open")
		require.ElementsMatch(t, tt.want, written(b, b.Guards(cond, open.ID)), tt.cond)
	}
}

// written are guards as texts.
func written(b *Builder, guards []Guard) []string {
	names := make([]string, len(b.slots))
	for name, slot := range b.slots {
		names[slot] = name
	}
	var out []string
	for _, g := range guards {
		var keys []string
		for _, k := range g {
			text := names[k.Slot]
			for _, v := range k.Values {
				text += " " + v
			}
			for _, p := range k.Prefixes {
				text += " " + p + "..."
			}
			keys = append(keys, text)
		}
		out = append(out, strings.Join(keys, " | "))
	}
	return out
}

// Without a type, what it would decide is no guard.
func TestGuardsOfAnyType(t *testing.T) {
	b := NewBuilder(nil)
	cond := b.Add(checked(t, "(evt.type = open and proc.name = a) or (evt.type = close and proc.name = b)"))
	never := b.Add(checked(t, "evt.type = close and proc.name = a"))
	b.Build()
	open, _ := events.ByName("open")
	require.Equal(t, []string{"proc.name a b"}, written(b, b.Guards(cond, AnyType)))
	require.Empty(t, b.Guards(never, open.ID))
}

func TestPathTree(t *testing.T) {
	for _, tt := range []struct {
		search []string
		path   string
		want   bool
	}{
		{[]string{"/opt/dir"}, "/opt/dir/sub", true},
		{[]string{"/opt/dir"}, "/opt/dir", true},
		{[]string{"/opt/dir"}, "/opt/dirx", false},
		{[]string{"/opt/dir/"}, "//opt///dir/x", true},
		{[]string{"/opt/dir"}, "/opt", false},
		{[]string{"/a/b/c", "/a"}, "/a/x", true},
		{[]string{"/a", "/a/b/c"}, "/a/x", true},
		{[]string{"/*/b"}, "/a/b", true},
		{[]string{"/*/b", "/a/c"}, "/a/c", true},
		{[]string{"/a*/c", "/a/b"}, "/a/c", true},
		{[]string{"/a/[bc]/?"}, "/a/c/x/y", true},
		{[]string{"/"}, "/anything", true},
		{nil, "/a", false},
		{[]string{"a/b"}, "/a/b", true},
	} {
		var values []check.Constant
		for _, s := range tt.search {
			values = append(values, check.Constant{Text: s})
		}
		require.Equal(t, tt.want, newPathTree(values).test(&field.Value{Kind: field.Text, Text: tt.path}), "%v %s", tt.search, tt.path)
	}
}

func TestGetopt(t *testing.T) {
	for _, tt := range []struct {
		args []string
		spec string
		want []string
	}{
		{[]string{"-n", ""}, "n", []string{"n"}},
		{[]string{"-t", "v", "-n"}, "nt:", []string{"t", "v", "n"}},
		{[]string{"-nat", "x"}, "na:t", []string{"n", "a", "t"}},
		{[]string{"-abcvalue"}, "abc:", []string{"a", "b", "c", "value"}},
		{[]string{"-x", "-n"}, "n", []string{"?", "n"}},
		{[]string{"-t"}, "t:", []string{""}},
		{[]string{"a", "-n"}, "n", nil},
		{[]string{"-", "-n"}, "n", nil},
		{[]string{"-n", "--", "-t"}, "nt", []string{"n"}},
		{[]string{"--exec"}, "e:", nil},
		{[]string{"--exec", "-n", "--all", "-t", "--", "-n"}, "nt:", []string{"n", "t", "--", "n"}},
		{[]string{"-a", "v"}, "aa:", []string{"a", "v"}},
		{[]string{"-:"}, ":a", []string{"?"}},
		{nil, "a", nil},
	} {
		g := getopt{args: tt.args, spec: tt.spec}
		var got []string
		for g.next() {
			switch {
			case g.missing:
				got = append(got, "")
			case g.hasValue:
				got = append(got, g.letter, g.value)
			default:
				got = append(got, g.letter)
			}
		}
		require.Equal(t, tt.want, got, "%q %s", tt.args, tt.spec)
	}
}

// TestGetoptOfALetter: the last value of the letter asked for, or else itself.
func TestGetoptOfALetter(t *testing.T) {
	for _, tt := range []struct {
		args      []string
		spec, key string
		found     bool
		last      string
	}{
		{[]string{"-t", "a", "-n", "-t", "b"}, "nt:", "t", true, "b"},
		{[]string{"-t", "a", "-n"}, "nt:", "n", true, "n"},
		{[]string{"-t", "a"}, "nt:", "n", false, ""},
		{[]string{"-t"}, "t:", "t", true, ""},
		{[]string{"-x"}, "n", "x", false, ""},
		{[]string{"-n"}, "n", "", false, ""},
	} {
		g := getopt{args: tt.args, spec: tt.spec, key: tt.key}
		for g.next() {
			continue
		}
		require.Equal(t, tt.found, g.found, "%q %s", tt.args, tt.key)
		require.Equal(t, tt.last, g.last, "%q %s", tt.args, tt.key)
	}
}

func FuzzGetopt(f *testing.F) {
	f.Add("-a", "-bc", "value", "ab:c")
	f.Fuzz(func(t *testing.T, a, b, c, spec string) {
		g := getopt{args: []string{a, b, c}, spec: spec, key: "a"}
		steps := 0
		for g.next() {
			steps++
			require.LessOrEqual(t, steps, len(a)+len(b)+len(c), "it must come to an end")
		}
	})
}

// names has two names for one address.
type names struct{ watched []string }

func (n *names) Watch(name string) { n.watched = append(n.watched, name) }
func (n *names) Has(name string, addr netip.Addr) bool {
	return addr == netip.MustParseAddr("10.0.0.2") && (name == "a.example" || name == "b.example")
}

func (n *names) NameOf(addr netip.Addr) (string, bool) {
	return "a.example", n.Has("a.example", addr)
}

// socket is a connection to 10.0.0.2.
type socket struct{ field.Values }

func (*socket) String(a field.Attr) (string, bool) {
	s, ok := map[field.Attr]string{
		field.AttrNetType: "ipv4", field.AttrNetLocalAddress: "10.0.0.1", field.AttrNetPeerAddress: "10.0.0.2",
	}[a]
	return s, ok
}

func (*socket) Int(a field.Attr) (int64, bool) { return 0, a == field.AttrSyscallReturn }

func TestDomainNames(t *testing.T) {
	table := &names{}
	for cond, want := range map[string]bool{
		"fd.sip.name = a.example": true, "fd.sip.name = b.example": true, "fd.sip.name = c.example": false,
		"fd.sip.name in (c.example, b.example)": true, "fd.sip.name != c.example": true,
		"fd.sip.name != b.example": false, "fd.sip.name exists": true, "fd.cip.name exists": false,
	} {
		b := NewBuilder(table)
		n := b.Add(checked(t, cond))
		c := b.Build().NewContext()
		e, _ := events.ByName("connect")
		c.Begin(&socket{field.Values{Event: "connect"}}, e)
		require.Equal(t, want, n.Node().Eval(c), cond)
	}
	require.Contains(t, table.watched, "b.example")
}

func TestConditionsByType(t *testing.T) {
	b := NewBuilder(nil)
	cond := b.Add(checked(t, "(evt.type = open and proc.name = cat) or evt.type = close or (evt.type = openat and evt.type = open)"))
	prog := b.Build()
	node := func(name string) Node {
		e, _ := events.ByName(name)
		return b.For(cond, e.ID)
	}
	require.IsType(t, &testNode{}, node("open"), "only the name is left to compare")
	require.IsType(t, &always{}, node("close"))
	require.Nil(t, node("openat"))
	require.Nil(t, node("mount"))
	c := prog.NewContext()
	c.Begin(&counting{}, nil)
	require.True(t, node("open").Eval(c))
	require.True(t, node("close").Eval(c))
}

// TestExceptionsByType: what a not keeps out of some types only.
func TestExceptionsByType(t *testing.T) {
	b := NewBuilder(nil)
	cond := b.Add(checked(t, "not (evt.type = open and proc.name = cat) and not (evt.type = mount and proc.name = dog) and not evt.type = close"))
	prog := b.Build()
	c := prog.NewContext()
	for event, want := range map[string]bool{"open": false, "mount": true, "chmod": true} { // all by cat
		e, _ := events.ByName(event)
		c.Begin(&counting{}, e)
		require.Equal(t, want, b.For(cond, e.ID).Eval(c), event)
	}
	e, _ := events.ByName("close")
	require.Nil(t, b.For(cond, e.ID))
	e, _ = events.ByName("chmod")
	require.IsType(t, &always{}, b.For(cond, e.ID), "nothing is left to compare")
}

func TestGlobsAreRefusedByTheirEnds(t *testing.T) {
	for pattern, want := range map[string]*globPred{
		"/home/*/.ssh/*": {head: "/home/"},
		"*.so":           {tail: ".so"},
		"a?c":            {head: "a", tail: "c"},
		"plain":          {},
		`x*\*y`:          {head: "x"},
		"[ab]c":          {tail: "c"},
	} {
		want.pattern = pattern
		require.Equal(t, want, newGlob(pattern))
	}
	require.True(t, newGlob("a*ab").test(&field.Value{Kind: field.Text, Text: "aab"}))
	require.False(t, newGlob("ab*ab").test(&field.Value{Kind: field.Text, Text: "ab"}), "the ends may not overlap")
	require.True(t, newGlob("[a*]b").test(&field.Value{Kind: field.Text, Text: "*b"}))
	require.True(t, newGlob("a[x").test(&field.Value{Kind: field.Text, Text: "a[x"}), "a bracket without end is itself")
}
