package querytext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestSummarize(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT ?": "SELECT",
		"SELECT * FROM wuser_table WHERE username = ?":                                                                    "SELECT wuser_table",
		"select * from songs, artists where a = b":                                                                        "select songs artists",
		"SELECT * FROM songs s, artists AS a, (SELECT x FROM y) z, w":                                                     "SELECT songs artists SELECT y w",
		"SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON ? )":                                          "SELECT SELECT orders customers",
		"INSERT INTO shipping_details (id, x) SELECT id, y FROM orders":                                                   "INSERT shipping_details SELECT orders",
		"INSERT IGNORE INTO t VALUES (?)":                                                                                 "INSERT t",
		"insert into t (a) values (?) on conflict (a) do update set a = ?":                                                "insert t",
		"INSERT INTO t (a) VALUES (?) ON DUPLICATE KEY UPDATE a = ?":                                                      "INSERT t",
		"REPLACE INTO t VALUES (?)":                                                                                       "REPLACE t",
		"SELECT replace(a, ?, ?) FROM t":                                                                                  "SELECT t",
		"UPDATE ONLY public.t SET a = ? FROM u WHERE ?":                                                                   "UPDATE public.t",
		"DELETE FROM t USING u WHERE ?":                                                                                   "DELETE t u",
		"DELETE FROM t WHERE id IN (SELECT id FROM u)":                                                                    "DELETE t SELECT u",
		"MERGE INTO t USING s ON ? WHEN MATCHED THEN UPDATE SET a = ?":                                                    "MERGE t s",
		"WITH x AS (SELECT a FROM b) SELECT * FROM x":                                                                     "SELECT b SELECT x",
		"WITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d":                                             "DELETE t INSERT u SELECT d",
		"SELECT extract(year FROM d), a IS DISTINCT FROM b FROM t":                                                        "SELECT t",
		"SELECT * FROM generate_series(?, ?) g, t":                                                                        "SELECT t",
		"SELECT a FROM t LEFT JOIN u USING (id) FOR UPDATE":                                                               "SELECT t u",
		"SELECT a FROM t WHERE EXISTS (SELECT ? FROM u) ORDER BY a, b":                                                    "SELECT t SELECT u",
		"SELECT a FROM \"My Table\".\"b c\" JOIN `d``e` ON ?":                                                             "SELECT \"My Table\".\"b c\" `d``e`",
		"SELECT a FROM [dbo].[x y] UNION ALL SELECT b FROM v":                                                             "SELECT [dbo].[x y] SELECT v",
		"CREATE TEMP TABLE IF NOT EXISTS t (a int)":                                                                       "CREATE TABLE t",
		"CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)":                                                                     "CREATE INDEX i",
		"CREATE PROCEDURE p(n int) BEGIN SELECT a FROM t; UPDATE t SET a = n; END":                                        "CREATE PROCEDURE p",
		"CREATE PROCEDURE p() SELECT a FROM t; DROP TABLE t":                                                              "CREATE PROCEDURE p DROP TABLE t",
		"CREATE DEFINER=`root`@`%` FUNCTION shop.f() RETURNS int RETURN (SELECT a FROM t)":                                "CREATE FUNCTION shop.f",
		"CREATE DEFINER = ?@? TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = ?":                                   "CREATE TRIGGER tr",
		"CREATE DEFINER=CURRENT_USER() EVENT IF NOT EXISTS e ON SCHEDULE EVERY ? DAY DO DELETE FROM t":                    "CREATE EVENT e",
		"CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a FROM t; END; SELECT b FROM u": "CREATE FUNCTION f",
		"CREATE FUNCTION f() RETURNS trigger AS ? LANGUAGE plpgsql; SELECT b FROM u":                                      "CREATE FUNCTION f SELECT u",
		"DROP PROCEDURE IF EXISTS p; SELECT b FROM u":                                                                     "DROP PROCEDURE p SELECT u",
		"CREATE OR REPLACE VIEW v AS SELECT a FROM t":                                                                     "CREATE VIEW v SELECT t",
		"DROP TABLE IF EXISTS a.b":                                                                                        "DROP TABLE a.b",
		"TRUNCATE t":                                                                                                      "TRUNCATE t",
		"TRUNCATE TABLE t":                                                                                                "TRUNCATE TABLE t",
		"ALTER TABLE t ADD COLUMN c int":                                                                                  "ALTER TABLE t",
		"COPY t (a, b) FROM STDIN":                                                                                        "COPY t",
		"COPY (SELECT a FROM t) TO STDOUT":                                                                                "COPY SELECT t",
		"LOCK TABLES t READ":                                                                                              "LOCK t", "SELECT a FROM user": "SELECT user",
		"VACUUM ANALYZE t":                          "VACUUM t",
		"BEGIN":                                     "BEGIN",
		"BEGIN; UPDATE t SET a = ?; COMMIT":         "BEGIN UPDATE t COMMIT",
		"SET search_path TO x":                      "SET",
		"SHOW TABLES FROM x":                        "SHOW",
		"EXPLAIN ANALYZE SELECT a FROM t":           "EXPLAIN SELECT t",
		"VALUES (?), (?)":                           "VALUES",
		"SELECT a INTO b FROM c":                    "SELECT b c",
		"SELECT @a := ? FROM t":                     "SELECT t",
		"(SELECT a FROM b) UNION (SELECT c FROM d)": "SELECT b SELECT d",
		"":        "",
		"? ? ?":   "",
		")) FROM": "FROM",
	} {
		got, procedure := Summarize(text)
		require.Equal(t, want, got, text)
		require.Empty(t, procedure, text)
	}
}

func TestSummarizeProcedures(t *testing.T) {
	for text, want := range map[string][2]string{
		"CALL schema.p(?, ?)": {"CALL schema.p", "schema.p"},
		"call p":              {"call p", "p"},
		"EXEC p ?":            {"EXEC p", "p"},
		"EXECUTE stmt (?)":    {"EXECUTE stmt", "stmt"},
	} {
		summary, procedure := Summarize(text)
		require.Equal(t, want, [2]string{summary, procedure}, text)
	}
}

func TestSummaryIsCutBetweenWords(t *testing.T) {
	name := strings.Repeat("n", 100)
	got, _ := Summarize("SELECT a FROM " + name + ", " + name + ", " + name + ", b")
	require.Equal(t, "SELECT "+name+" "+name, got)
}

func TestCacheSharesStatements(t *testing.T) {
	var c Cache
	first, _ := c.Statement([]byte("SELECT a FROM t WHERE id = 1"), SQL, false)
	second, _ := c.Statement([]byte("SELECT a  FROM t WHERE id = 22 -- x"), SQL, false)
	require.Same(t, first, second)
	require.Equal(t, Statement{Text: "SELECT a FROM t WHERE id = ?", Summary: "SELECT t"}, *first)
	cut, _ := c.Statement([]byte("SELECT a FROM t WHERE id = 22"), SQL, true)
	require.Equal(t, Statement{Text: "SELECT a FROM t WHERE id =", Summary: "SELECT t", Truncated: true}, *cut)
	long, _ := c.Statement([]byte("SELECT "+strings.Repeat("abc, ", 2000)), SQL, false)
	require.True(t, long.Truncated)
	require.True(t, strings.HasSuffix(long.Text, " abc,"), long.Text[len(long.Text)-20:])
	for i := range 3 * maxStatements {
		c.Statement([]byte("SELECT a"+strings.Repeat("b", i%97)+strings.Repeat("c", i/97)), SQL, false)
		require.LessOrEqual(t, len(c.known), maxStatements)
	}
}

func TestTraceParent(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var c Cache
	for text, want := range map[string]string{
		"SELECT 1 /*action='a',traceparent='" + parent + "'*/": parent,
		"/*traceparent='" + parent + "'*/ SELECT 1":            parent,
		"SELECT 1 -- traceparent='" + parent + "'":             parent,
		"SELECT 'traceparent=''" + parent + "''' FROM t":       "",
		"SELECT 1 /*traceparent='" + parent:                    "",
		"SELECT 1 /*traceparent='a'*/ /*traceparent='b'*/":     "a",
		"SELECT 1": "",
	} {
		st, got := c.Statement([]byte(text), SQL, false)
		require.Equal(t, want, got, text)
		require.NotContains(t, st.Text, "traceparent")
	}
}

func TestStatementDoesNotAllocate(t *testing.T) {
	var c Cache
	text := []byte("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y') /*traceparent='x'*/")
	require.Zero(t, alloctest.PerRun(100, func() { c.Statement(text, SQL, false) }))
}

func FuzzStatement(f *testing.F) {
	for _, text := range []string{"SELECT a FROM b", "WITH x AS (", "DELETE FROM \"", "[", "a.b.`", "CREATE", "((((", "/*traceparent='"} {
		f.Add([]byte(text), byte(0), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, language byte, cut bool) {
		var c Cache
		st, _ := c.Statement(text, Language(language%3), cut)
		require.LessOrEqual(t, len(st.Summary), maxSummary)
		again, _ := c.Statement(text, Language(language%3), cut)
		require.Same(t, st, again)
	})
}

func BenchmarkStatement(b *testing.B) {
	var c Cache
	text := []byte("SELECT o.id, o.state, c.name FROM orders o JOIN customers c ON c.id = o.customer WHERE o.id = 17 AND o.state IN (1, 2, 3) ORDER BY o.id LIMIT 10")
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c.Statement(text, SQL, false)
	}
}
