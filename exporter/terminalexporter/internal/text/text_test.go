package text

import (
	"os/exec"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]Safe{
		"":                        "",
		"plain text":              "plain text",
		"größe 日本語 ❤":             "größe 日本語 ❤",
		"\x1b[2J\x1b]0;owned\x07": `\x1b[2J\x1b]0;owned\x07`,
		"a\nb\tc\rd":              `a\nb\tc\rd`,
		"\x7f\x00":                `\x7f\x00`,
		"\u009b31m":               `\u009b31m`, // CSI as one rune
		"\x9b31m":                 `\x9b31m`,   // CSI as one byte
		"\xff\xfe":                `\xff\xfe`,
		"abc\u202edef":            `abc\u202edef`, // right-to-left override
		"a\u200bb\u2028c\u00a0d":  `a\u200bb\u2028c\u00a0d`,
		"\U000e0041\ue000":        `\U000e0041\ue000`,
		"\u3164":                  `\u3164`,
		`back\slash`:              `back\slash`,
		"\ufffd":                  "\ufffd",
	} {
		require.Equal(t, want, Escape(in), "%q", in)
	}
}

func TestEscapeOfSafeTextDoesNotAllocate(t *testing.T) {
	s := strings.Repeat("nginx -g 'daemon off;' größe ", 10)
	require.Zero(t, alloctest.PerRun(100, func() { _ = Escape(s) }))
}

func TestCommand(t *testing.T) {
	for want, args := range map[Safe][]string{
		"":                               nil,
		"nginx -g 'daemon off;'":         {"nginx", "-g", "daemon off;"},
		"printf ''":                      {"printf", ""},
		`sh -c 'it'\''s'`:                {"sh", "-c", "it's"},
		`printf $'\x1b[31m\\it\'s\n'`:    {"printf", "\x1b[31m\\it's\n"},
		"ls --color=auto ~/x {a,b}":      {"ls", "--color=auto", "~/x", "{a,b}"},
		"curl 'http://localhost/?a=b&c'": {"curl", "http://localhost/?a=b&c"},
	} {
		require.Equal(t, want, Command(args))
	}
}

// A shell must read back what Command wrote.
func TestCommandReadBack(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash, which is not installed")
	}
	for _, word := range []string{"a b", "it's", "\x1b[2J", "tab\there", `back\slash`, "$HOME `id` $(id)", "\x9b\xff", "*", "new\nline'\\"} {
		out, err := exec.CommandContext(t.Context(), bash, "-c", "printf %s "+string(Command([]string{word}))).Output()
		require.NoError(t, err)
		require.Equal(t, word, string(out))
	}
}

func TestWidthAndPad(t *testing.T) {
	require.Equal(t, 3, Safe("abc").Width())
	require.Equal(t, 6, Safe("日本語").Width())
	require.Equal(t, 1, Safe("e\u0301").Width())
	require.Equal(t, 2, Safe("😀").Width())
	require.Equal(t, 1, Safe("\U0001f0a1").Width())
	require.Equal(t, 1, Safe("\U0010fffd").Width())
	require.Equal(t, Safe("ab  "), Safe("ab").PadRight(4))
	require.Equal(t, Safe("  ab"), Safe("ab").PadLeft(4))
	require.Equal(t, Safe("abcde"), Safe("abcde").PadRight(4))
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in    Safe
		width int
		want  Safe
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcd…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, ""},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
	} {
		require.Equal(t, c.want, c.in.Cut(c.width, "…"), "%q to %d", c.in, c.width)
	}
	require.Equal(t, Safe("abc..."), Safe("abcdefgh").Cut(6, "..."))
	require.Equal(t, Safe(".."), Safe("abcdefgh").Cut(2, "..."))
}

func TestWrap(t *testing.T) {
	require.Equal(t, []Safe{"short"}, Safe("short").Wrap(10, 3, "…"))
	require.Equal(t, []Safe{"one two", "three four", "five"}, Safe("one two three four five").Wrap(10, 3, "…"))
	require.Equal(t, []Safe{"one two", "three fou…"}, Safe("one two three four five").Wrap(10, 2, "…"))
	require.Equal(t, []Safe{"abcde", "fghij", "kl"}, Safe("abcdefghijkl").Wrap(5, 4, "…"))
	require.Equal(t, []Safe{"日", "本", "…"}, Safe("日本語").Wrap(1, 3, "…"))
	require.Equal(t, []Safe{"abcde", "fgh"}, Safe("abcde fgh").Wrap(5, 3, "…"))
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "ls -l", "\x1b]52;c;AAAA\x07", "\x9b2J", "a\u202eb", "日本\n", `\'"$`} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = 1 + abs(width)%200
		safe := Escape(s)
		requireSafe(t, safe)
		requireSafe(t, Command([]string{s, s}))
		cut := safe.Cut(width, "…")
		requireSafe(t, cut)
		require.LessOrEqual(t, cut.Width(), width)
		rows := safe.Wrap(width, 3, "…")
		require.LessOrEqual(t, len(rows), 3)
		for _, row := range rows {
			requireSafe(t, row)
			require.LessOrEqual(t, row.Width(), max(width, 2))
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

func requireSafe(t *testing.T, s Safe) {
	t.Helper()
	require.True(t, utf8.ValidString(string(s)))
	for _, r := range string(s) { // not by isSafe, which is under test
		require.False(t, unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co), "%q", s)
	}
}
