package querytext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func sanitize(text string, language Language) string {
	got, _ := AppendSanitized([]byte("x:"), text, language, 4096)
	return string(got[2:])
}

func TestSanitizeSQL(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1": "SELECT ?",
		"select * from users where id = 17 and name='O''Brien';":     "select * from users where id = ? and name=?",
		"SELECT  a,\n\tb\r\nFROM t -- a secret\nWHERE c = 1.5e-3":    "SELECT a, b FROM t WHERE c = ?",
		"SELECT /* traceparent='00-aa' */ x FROM t1":                 "SELECT x FROM t1",
		"SELECT x FROM t /* cut off":                                 "SELECT x FROM t",
		"SELECT x FROM t -- cut off":                                 "SELECT x FROM t",
		"SELECT x FROM t WHERE a IN (1, 2,3 , 4)":                    "SELECT x FROM t WHERE a IN (?)",
		"SELECT x FROM t WHERE a in ($1,$2)":                         "SELECT x FROM t WHERE a in (?)",
		"SELECT x FROM t WHERE a IN (SELECT b FROM u WHERE c = 'z')": "SELECT x FROM t WHERE a IN (SELECT b FROM u WHERE c = ?)",
		"SELECT x FROM t WHERE (a, b) IN ((1, 2), (3, 4))":           "SELECT x FROM t WHERE (a, b) IN (?)",
		"INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (3, 'z')":   "INSERT INTO t (a, b) VALUES (?, ?)",
		"INSERT INTO t VALUES (1, now()), (2, now()) RETURNING id":   "INSERT INTO t VALUES (?, now()), (?, now()) RETURNING id",
		"INSERT INTO t VALUES (1),(2) ON CONFLICT DO NOTHING":        "INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING",
		"SELECT f(1, 2)":                                "SELECT f(?, ?)",
		"SELECT $1::int, :name, @p1, %s":                "SELECT $1::int, :name, @p1, %s",
		"SELECT \"Quoted Name\", `back tick`":           "SELECT \"Quoted Name\", `back tick`",
		"SELECT 'a\\' , 'secret'":                       "SELECT ?, ?",
		"SELECT E'a\\'secret', x'1F', N'y', B'01'":      "SELECT ?, ?, ?, ?",
		"SELECT $$it's secret$$, $tag$ $$ $tag$":        "SELECT ?, ?",
		"SELECT $$cut off":                              "SELECT ?",
		"SELECT 'cut off":                               "SELECT ?",
		"SELECT \"cut off":                              "SELECT ?",
		"SELECT TRUE, false, NULL, truest":              "SELECT ?, ?, NULL, truest",
		"SELECT 0xFF, .5, 1., -3, t1.c2":                "SELECT ?, ?, ?, -?, t1.c2",
		"SELECT ARRAY[1,2]":                             "SELECT ARRAY[?, ?]",
		"SELECT ?":                                      "SELECT ?",
		"CALL p('x')":                                   "CALL p(?)",
		"SELECT größe FROM \"größe\" WHERE n = 'größe'": "SELECT größe FROM \"größe\" WHERE n = ?",
		"SELECT /* a /* nested */ secret */ x":          "SELECT x",
		"SELECT /*/ still open":                         "SELECT",
		"":                                              "",
		";":                                             "",
		")(":                                            ")(",
	} {
		require.Equal(t, want, sanitize(text, SQL), text)
	}
}

func TestSanitizeDialects(t *testing.T) {
	for _, tc := range []struct {
		system, text, want string
	}{
		{"mysql", `SELECT "a\"secret", 'b\'secret' # comment` + "\n, `c`", "SELECT ?, ?, `c`"},
		{"mysql", "SELECT /* a /* flat */ x", "SELECT x"},
		{"mariadb", "SELECT _utf8'x'", "SELECT ?"},
		{"microsoft.sql_server", "SELECT [a b], #temp.c FROM [t] WHERE x = N'y'", "SELECT [a b], #temp.c FROM [t] WHERE x = ?"},
		{"microsoft.sql_server", "SELECT [cut off", "SELECT ?"},
		{"postgresql", "SELECT a#>>'{b}' FROM t", "SELECT a#>>? FROM t"},
		{"redis", "SET user:17 secret EX 10", "SET ?"},
		{"redis", "PING", "PING"},
		{"redis", "  GET\tx", "?"},
		{"redis", "*3$3SET", "?"},
		{"mongodb", `{"find": "users", "filter": {"age": {"$gt": 17}, "name": "a\"b:"}, "x": [1, true, null, -1.5e3]}`, `{"find":?,"filter":{"age":{"$gt":?},"name":?},"x":[?,?,?,?]}`},
		{"mongodb", "find secret", "find ?"},
		{"mongodb", `{'single': 1}`, `{???:?}`},
		{"elasticsearch", ` {"a": "cut`, `{"a":?`},
	} {
		require.Equal(t, tc.want, sanitize(tc.text, LanguageOf(tc.system)), tc.text)
	}
}

func TestSanitizeIsBounded(t *testing.T) {
	got, truncated := AppendSanitized(nil, "SELECT 'abcdef', x FROM t", SQL, 12)
	require.True(t, truncated)
	require.Equal(t, "SELECT ?", string(got))
}

func TestSanitizeDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 512)
	for _, text := range []string{
		"SELECT a, b FROM orders WHERE id = 17 AND state IN (1, 2, 3) ORDER BY c LIMIT 10",
		"INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
	} {
		allocs := alloctest.PerRun(100, func() { buf, _ = AppendSanitized(buf[:0], text, SQL, 4096) })
		require.LessOrEqual(t, allocs, 1.0, "at most the stack of parentheses")
	}
}

// Whatever the text, a marked value never comes through.
func FuzzSanitize(f *testing.F) {
	for _, text := range []string{"SELECT 1", "a IN (1,2) VALUES (", "'x''", "$a$ $b$", "/* --", `{"a":1}`, "\"", "e'\\'"} {
		f.Add(text, byte(0))
		f.Add(text, byte(1))
		f.Add(text, byte(4))
	}
	f.Fuzz(func(t *testing.T, text string, language byte) {
		l := Language(language % 7)
		once := sanitize(text, l)
		if l <= Cypher {
			require.LessOrEqual(t, len(once), 2*len(text)+1)
		}
		if utf8.ValidString(text) && !strings.ContainsAny(text, "'\"`$[]-/#\\") && !strings.Contains(text, "?") && l <= Cypher {
			// Without quotes and comments before it, a literal at the end is a literal.
			got := sanitize(text+" 'SECRET'", l)
			require.NotContains(t, got, "SECRET")
		}
	})
}
