package lang

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each condition with its canonical form; an empty form stands for itself.
var accepted = []struct{ in, out string }{
	{"a", ""},
	{"a and b", "(a and b)"},
	{"a and b or c", "((a and b) or c)"},
	{"a or b and c", "(a or (b and c))"},
	{"a or(b)and(c)", "(a or (b and c))"},
	{"not a and b", "(not a and b)"},
	{"not not a", "a"},
	{"not not not(a)", "not a"},
	{"not(a or b)", "not (a or b)"},
	{"not (not (a))", "not (not a)"},
	{"not_macro and or_macro", "(not_macro and or_macro)"},
	{"  a\n\tand\r\n(b)  ", "(a and b)"},
	{"((a))", "a"},
	{"f.a exists", ""},
	{"f.a existsand b", "(f.a exists and b)"},
	{"f.a = x", ""},
	{"f.a == x", ""},
	{"f.a <= 0x1aF", ""},
	{"f.a=x", "f.a = x"},
	{"f.a != x", ""},
	{"f.a = not", ""},
	{"f.a = b.c", ""},
	{"f.a <= 0x1F", ""},
	{"f.a >-1.5e+3", "f.a > -1.5e+3"},
	{"f.a < +1.", ""},
	{"f.a contains /bin", ""},
	{"f.a contains\t/bin", "f.a contains /bin"},
	{`f.a = 'one word'`, `f.a = "one word"`},
	{`f.a = "tab\tquote\"back\\ "`, `f.a = "tab\tquote\"back\\ "`},
	{`f.a = 'it\'s'`, `f.a = "it's"`},
	{`f.a = 'ends \\''`, `f.a = "ends \\'"`},
	{`f.a = "old \ "`, `f.a = "old \x5c"`},
	{`f.a = "\xff\x00\x1b\/"`, "f.a = \"\xff\\x00\\x1b/\""},
	{`f.a = ''`, `f.a = ""`},
	{"f.a = runc:[0:PARENT]", ""},
	{"f.a glob /home/*/.ssh/*", ""},
	{"f.a in ()", ""},
	{"f.a in(a,'b c' , d.e)", `f.a in (a, "b c", d.e)`},
	{"f.a in name", ""},
	{"f.a intersects (a)", ""},
	{"f.a pmatch(/a,/b)", "f.a pmatch (/a, /b)"},
	{"f.a[1] = x", ""},
	{"f.a[0a!@#456:/\\.;!$%^&*(){}|] = x", ""},
	{`f.a["with \"quotes\" "] = x`, ""},
	{`f.a[''] = x`, `f.a[""] = x`},
	{"f.a = oneof", ""},
	{"f.a = oneof (x, y)", ""},
	{"f.a != allof names", ""},
	{"f.a = anyof and b", "(f.a = anyof and b)"},
	{"f.a = oneof and f.a glob anyof (c*)", "(f.a = oneof and f.a glob anyof (c*))"},
	{"f.a = oneof oneof", ""},
	{"(f.a = allof) or b", "(f.a = allof or b)"},
	{"tolower(f.a) = x", ""},
	{"b64(toupper( f.a )) exists", "b64(toupper(f.a)) exists"},
	{`join("-", (f.a, tolower(f.b), 'x', 12)) = x`, `join("-", (f.a, tolower(f.b), "x", "12")) = x`},
	{`join(",", ()) = x`, ""},
	{`concat("a", f.b, 3) startswith x`, `concat("a", f.b, "3") startswith x`},
	{`getopt(("-t", "v"), "t:")[t] = v`, ""},
	{"len(f.a) > len(f.b)", ""},
	{"f.a = val(f.b)", ""},
	{"f.a > val( f.b[2] )", "f.a > val(f.b[2])"},
	{"f.a in val(f.b)", ""},
	{"f.a pmatch b64(f.b)", ""},
	{"f.a = val(f.b)[x]", ""},
	{"f.a = b64 or(b)", "(f.a = b64 or b)"},
	{"\bf.a\b=\bx\b", "f.a = x"},
}

func TestParse(t *testing.T) {
	for _, tt := range accepted {
		want := tt.out
		if want == "" {
			want = tt.in
		}
		e, err := Parse(tt.in, DepthDefault)
		require.NoError(t, err, tt.in)
		require.Equal(t, want, Print(e), tt.in)
		again, err := Parse(want, DepthDefault)
		require.NoError(t, err, want)
		require.Equal(t, want, Print(again))
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		in   string
		col  int
		part string
	}{
		{"", 1, "empty"},
		{"a\x00", 2, "NUL"},
		{"#a", 1, "expected '('"},
		{"or a", 4, "after 'or'"},
		{"a or", 5, "after 'or'"},
		{"a orb", 5, "after 'or'"},
		{"a and ", 7, "expected '('"},
		{"aor b", 5, "after 'aor'"},
		{"(a)ornot(b)", 6, "after 'or'"},
		{"(a", 3, "')'"},
		{"a)", 2, "after 'a'"},
		{"f.a frob x", 5, "expected an operator"},
		{"f.a bcontainsx", 5, "expected an operator"},
		{"f.a =", 6, "expected a text"},
		{"f.a === x", 7, "expected a text"},
		{"f.a = a,", 8, "after 'a'"},
		{`f.a = "x`, 7, "expected a text"},
		{`f.a = "\q"`, 8, "no known escape"},
		{`f.a = "\'"`, 8, "no escape inside"},
		{`f.a = "\x1"`, 8, "two hexadecimal"},
		{"f.a < true", 7, "expected a number"},
		{"f.a < 0xAAA.1", 12, "after '0xAAA'"},
		{"f.a < 0xnone", 8, "after '0'"},
		{"f.a < 0x1g", 10, "after '0x1'"},
		{"f.a in (a,,b)", 11, "expected a text"},
		{"f.a in (,b)", 9, "')'"},
		{"f.a in (b64(f.b))", 12, "')'"},
		{"f.a in oneof (x)", 14, "after 'oneof'"},
		{"f.a = ONEOF (x)", 13, "after 'ONEOF'"},
		{"f.a = oneof(x)", 12, "after 'oneof'"},
		{"f.a <= anyof (1)", 8, "expected a number"},
		{"f.a in 1", 8, "expected a list"},
		{"f.a[] = x", 5, "argument"},
		{"f.a[[] = x", 5, "argument"},
		{"f.a[''x] = x", 7, "']'"},
		{"f.a[x = x", 6, "']'"},
		{`f.a["\q"] = x`, 6, "no known escape"},
		{"b64(val(f.a)) exists", 5, "expected an argument"},
		{"b64(f.a [1]) exists", 9, "')'"},
		{"b64 (f.a) exists", 5, "after 'b64'"},
		{"b64(f.a exists", 9, "')'"},
		{"other(f.a) exists", 6, "after 'other'"},
		{`join("-", (,)) = x`, 12, "expected an argument"},
		{`join("-", (f.a,)) = x`, 16, "expected an argument"},
		{`join("-", (f.a f.b)) = x`, 16, "',' or ')'"},
		{`join("\q", (f.a)) = x`, 7, "no known escape"},
		{"f.a = val(x)", 11, "inside val()"},
		{"f.a = val(b64(f.b))", 11, "inside val()"},
		{"f.a = val(f.b", 14, "')'"},
		{"f.a = (f.b)", 7, "expected a text"},
	} {
		_, err := Parse(tt.in, DepthDefault)
		var perr *Error
		require.ErrorAs(t, err, &perr, tt.in)
		require.Contains(t, perr.Error(), tt.part, tt.in)
		require.Equal(t, tt.col, perr.Column, tt.in)
		require.Equal(t, tt.col-1, perr.Index, tt.in)
	}
}

func TestPositions(t *testing.T) {
	e, err := Parse("a and\n  f.b = x", DepthDefault)
	require.NoError(t, err)
	and := e.(*And)
	require.Equal(t, Pos{Index: 0, Line: 1, Column: 1}, and.Pos())
	check := and.Children[1].(*Check)
	require.Equal(t, Pos{Index: 8, Line: 2, Column: 3}, check.Pos())
	require.Equal(t, Pos{Index: 14, Line: 2, Column: 9}, check.Value.Pos())
	_, err = Parse("a and\n  !", DepthDefault)
	var perr *Error
	require.ErrorAs(t, err, &perr)
	require.Equal(t, Pos{Index: 8, Line: 2, Column: 3}, perr.Pos)
	_, err = Parse("a\r\nand !", DepthDefault) // either character ends a line
	require.ErrorAs(t, err, &perr)
	require.Equal(t, Pos{Index: 7, Line: 3, Column: 5}, perr.Pos)
}

// A bracket takes five levels, a transformer two.
func TestDepth(t *testing.T) {
	nest := func(open, inner string, n int) string {
		return strings.Repeat(open+"(", n) + inner + strings.Repeat(")", n)
	}
	for _, tt := range []struct {
		in    string
		limit int
		ok    bool
	}{
		{nest("", "a", 19), DepthDefault, true},
		{nest("", "a", 20), DepthDefault, false},
		{nest("not", "a", 19), DepthDefault, true},
		{nest("not", "a", 20), DepthDefault, false},
		{nest("", "f.a = x", 18), DepthDefault, true},
		{nest("", "f.a = x", 19), DepthDefault, false},
		{nest("", "f.a exists", 18), DepthDefault, true},
		{nest("", "a", 199), DepthRules, true},
		{nest("", "a", 200), DepthRules, false},
		{strings.Repeat("not ", 5000) + "a", DepthDefault, true},
		{strings.Repeat("(a) and ", 5000) + "(a)", DepthDefault, true},
		{nest("tolower", "f.a", 47) + " exists", DepthDefault, true},
		{nest("tolower", "f.a", 48) + " exists", DepthDefault, false},
		{"f.a = " + nest("tolower", "f.a", 45), DepthDefault, true},
		{"f.a = " + nest("tolower", "f.a", 46), DepthDefault, false},
	} {
		_, err := Parse(tt.in, tt.limit)
		if tt.ok {
			require.NoError(t, err, tt.in)
		} else {
			require.ErrorContains(t, err, "nested too deeply", tt.in)
		}
	}
}

func TestParseOperand(t *testing.T) {
	for _, tt := range []struct {
		in, out string
		n       int
	}{
		{"proc.name)", "proc.name", 9},
		{"proc.name. End", "proc.name", 9},
		{"proc.aname[2] x", "proc.aname[2]", 13},
		{"tolower(proc.name)=", "tolower(proc.name)", 18},
	} {
		o, n, err := ParseOperand(tt.in)
		require.NoError(t, err, tt.in)
		require.Equal(t, tt.n, n)
		require.Equal(t, tt.out, PrintOperand(o))
	}
	for _, in := range []string{"", "name", "20", "tolower(x)", "a.b["} {
		_, _, err := ParseOperand(in)
		require.Error(t, err, in)
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range accepted {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src, DepthDefault)
		if err != nil {
			var perr *Error
			require.ErrorAs(t, err, &perr)
			require.LessOrEqual(t, perr.Index, len(src))
			return
		}
		text := Print(e)
		again, err := Parse(text, DepthRules)
		require.NoError(t, err, text)
		require.Equal(t, text, Print(again))
	})
}

func FuzzParseOperand(f *testing.F) {
	f.Add("proc.aname[2] x")
	f.Add(`join("-", (proc.name, "x"))`)
	f.Fuzz(func(t *testing.T, src string) {
		o, n, err := ParseOperand(src)
		if err != nil {
			return
		}
		require.LessOrEqual(t, n, len(src))
		text := PrintOperand(o)
		again, _, err := ParseOperand(text)
		require.NoError(t, err, text)
		require.Equal(t, text, PrintOperand(again))
	})
}
