package check

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

func checkText(t *testing.T, cond string) (*Result, error) {
	t.Helper()
	e, err := lang.Parse(cond, lang.DepthDefault)
	require.NoError(t, err, cond)
	return Check(e, field.Standard())
}

func TestPositionsOfErrors(t *testing.T) {
	for _, tt := range []struct {
		cond    string
		col     int
		unknown bool
	}{
		{"proc.name = a and nosuch.field = b", 19, true},
		{"evt.type in (open, nosuch)", 20, true},
		{"proc.pid contains 1", 1, false},
		{"proc.pid in (1, x)", 17, false},
		{"proc.name = val(proc.pid)", 13, false},
		{"tolower(nosuch.field) = x", 9, true},
		{"m", 1, false},
		{"not (a.b exists or m)", 6, true},
	} {
		_, err := checkText(t, tt.cond)
		var cerr *Error
		require.ErrorAs(t, err, &cerr, tt.cond)
		require.Equal(t, tt.col, cerr.Column, "%s: %s", tt.cond, cerr.Msg)
		require.Equal(t, tt.unknown, cerr.Unknown, tt.cond)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		cond  string
		col   int // 0: none
		dated bool
	}{
		{"proc.name = proc.exe", 13, false},
		{"proc.name in (x, proc.exe)", 18, false},
		{"proc.name = nosuch.field", 0, false},
		{"proc.name = 'proc.exe '", 13, false},
		{"proc.name = ' proc. exe'", 13, false},
		{"proc.name = proc.aname[2]", 13, false},
		{"proc.name = proc.aname[x]", 0, false},
		{"proc.name = proc.exe.", 0, false},
		{"evt.buffer = proc.exe", 14, false},
		{"proc.name = ' toupper(proc.exe) '", 13, false},
		{"proc.name = 'tolower(proc.exe)'", 13, false},
		{"proc.name = 'tolower'", 0, false},
		{"proc.name regex abc", 17, false},
		{"proc.name regex ^abc$", 17, false},
		{"proc.name regex .*abc", 17, false},
		{"proc.name regex abc.?", 17, false},
		{"proc.name regex ab[c]", 0, false},
		{`proc.name regex abc\.*`, 0, false},
		{"proc.name regex ''", 17, false},
		{"proc.name regex .*", 17, false},
		{"proc.name regex .*.+", 17, false},
		{"proc.name regex .", 0, false},
		{"proc.name regex ^.*abc", 0, false},
		{"proc.name regex abc.*$", 0, false},
		{"evt.dir = < or evt.dir = >", 1, true},
		{"evt.latency = 0", 1, true},
		{"proc.pid = 1", 0, false},
	} {
		res, err := checkText(t, tt.cond)
		require.NoError(t, err, tt.cond)
		if tt.col == 0 {
			require.Empty(t, res.Warnings, tt.cond)
			continue
		}
		require.Len(t, res.Warnings, 1, tt.cond)
		require.Equal(t, tt.col, res.Warnings[0].Column, tt.cond)
		require.Equal(t, tt.dated, res.Warnings[0].Deprecated, tt.cond)
	}
}

func TestRefs(t *testing.T) {
	res, err := checkText(t, "proc.name = a and not tolower(fd.name) = val(proc.cwd)")
	require.NoError(t, err)
	var names []string
	for _, r := range res.Refs {
		names = append(names, r.Name)
	}
	require.Equal(t, []string{"proc.name", "fd.name", "proc.cwd"}, names)
}

func TestParsePort(t *testing.T) {
	for in, want := range map[string]uint16{"": 0, "443": 443, "https": 443, "ssh": 22} {
		n, ok := ParsePort(in)
		require.True(t, ok, in)
		require.Equal(t, want, n)
	}
	_, ok := ParsePort("65536")
	require.False(t, ok)
}

// Anchors hold for the whole text, not for its lines; bytes that are not UTF-8
// count as characters.
func TestCompileRegex(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"foo", "foo", true},
		{"foo", "evil\nfoo", false},
		{"a|ab", "ab", true},
		{"[^a]+", "b\nc", true},
		{"/p./q.", "/p\xff/q\xff", true},
		{".", "\n", false},
		{"", "", true},
		{"", "x", false},
		{"(a|b)*c", "ababc", true},
		{"[[:digit:]]+", "12", true},
		{"^a$", "a", true},
	} {
		re, err := CompileRegex(tt.pattern)
		require.NoError(t, err, tt.pattern)
		require.Equal(t, tt.want, re.MatchString(tt.s), "%q %q", tt.pattern, tt.s)
	}
	for _, bad := range []string{"(", "[", `\d`, "a**b(", "(?i)a"} {
		_, err := CompileRegex(bad)
		require.Error(t, err, bad)
	}
}
