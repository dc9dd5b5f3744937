package querytext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSanitizeCypher(t *testing.T) {
	for text, want := range map[string]string{
		`MATCH (n:Person {name: 'Ada', age: 36}) RETURN n.name;`:            `MATCH (n:Person {name: ?, age: ?}) RETURN n.name`,
		`MATCH (n:Person) WHERE n.name = "A\"da" AND n.age > $age RETURN n`: `MATCH (n:Person) WHERE n.name = ? AND n.age > $age RETURN n`,
		`MATCH (a)-[:KNOWS*1..3]->(b) // a secret` + "\nRETURN b":           `MATCH (a)-[:KNOWS*?]->(b) RETURN b`,
		`MATCH (a)--(b) RETURN b /* 'secret' */ LIMIT 10`:                   `MATCH (a)--(b) RETURN b LIMIT ?`,
		`MATCH (a)-[]-(b) RETURN b`:                                         `MATCH (a)-[]-(b) RETURN b`,
		`MATCH (a)-[:KNOWS]->(b) WHERE a.x IN [$x, 1, :param] RETURN b`:     `MATCH (a)-[:KNOWS]->(b) WHERE a.x IN [$x, ?, :param] RETURN b`,
		`UNWIND [1, 2, 3] AS x RETURN x`:                                    `UNWIND [?] AS x RETURN x`,
		`UNWIND [[1, 2], ['a']] AS x RETURN x[0]`:                           `UNWIND [?] AS x RETURN x[?]`,
		`RETURN [x IN $list WHERE x > 3 | x]`:                               `RETURN [x IN $list WHERE x > ? | x]`,
		"MATCH (n:`My Label` {`a b`: true}) RETURN n":                       "MATCH (n:`My Label` {`a b`: ?}) RETURN n",
		`CALL db.index.fulltext.queryNodes('people', $q) YIELD node`:        `CALL db.index.fulltext.queryNodes(?, $q) YIELD node`,
		`RETURN 'cut off`:         `RETURN ?`,
		`RETURN $a$, 'secret$a$'`: `RETURN $a$, ?`,
	} {
		require.Equal(t, want, sanitize(text, LanguageOf("neo4j")), text)
	}
}

func TestSummarizeCypher(t *testing.T) {
	for text, want := range map[string]string{
		`MATCH (n:Person {name: ?})-[r:KNOWS]->(m) SET r.since = $x RETURN n`: `MATCH Person KNOWS SET`,
		`optional match (n:A|B&!C:D) detach delete n`:                         `optional match A B C D detach delete`,
		`CREATE (n:Person {match: ?})`:                                        `CREATE Person`,
		`CREATE (user:Person)`:                                                `CREATE Person`,
		`MERGE (n:Person {id: $id}) ON CREATE SET n.a = ?`:                    `MERGE Person CREATE SET`,
		`UNWIND $rows AS row MATCH (a:A {id: row.id}) RETURN a`:               `UNWIND MATCH A`,
		`RETURN ?`:                           `RETURN`,
		`CALL db.labels() YIELD label`:       `CALL db.labels`,
		`CALL { MATCH (n:A) RETURN n }`:      `CALL MATCH A`,
		`CREATE INDEX i FOR (n:A) ON (n.x)`:  `CREATE INDEX A`,
		`SHOW DATABASES YIELD name RETURN x`: `SHOW`,
		`LOAD CSV FROM ? AS line`:            `LOAD CSV`,
		`EXPLAIN MATCH (n) RETURN n`:         `EXPLAIN MATCH`,
		`nothing known`:                      ``,
		``:                                   ``,
		`}}})|:`:                             ``,
	} {
		got, _ := SummarizeCypher(text)
		require.Equal(t, want, got, text)
	}
	_, procedure := SummarizeCypher("CALL gds.pageRank.stream(?)")
	require.Equal(t, "gds.pageRank.stream", procedure)
}

func TestSanitizeCQL(t *testing.T) {
	for _, tc := range [][2]string{
		{"SELECT * FROM ks.users WHERE id = f47ac10b-58cc-4372-a567-0e02b2c3d479 ALLOW FILTERING", "SELECT * FROM ks.users WHERE id = ? ALLOW FILTERING"},
		{"SELECT * FROM t WHERE id IN (123e4567-e89b-12d3-a456-426614174000, ?)", "SELECT * FROM t WHERE id IN (?)"},
		{"INSERT INTO t (a, b, c) VALUES ({1, 2}, {'k': 'v', 'l': 'w'}, [1,2]) USING TTL 86400", "INSERT INTO t (a, b, c) VALUES ({?}, {?}, [?]) USING TTL ?"},
		{"UPDATE t SET d = P1Y2M, e = 12h30m, f = PT5S, g = 0xCAFE WHERE k = 'it''s' // secret", "UPDATE t SET d = ?, e = ?, f = ?, g = ? WHERE k = ?"},
		{"SELECT p, pt, price, p3 FROM pt", "SELECT p, pt, price, p3 FROM pt"},
		{"SELECT v FROM t WHERE k = $$it's secret$$", "SELECT v FROM t WHERE k = ?"},
		{"UPDATE t SET m['secret'] = ?, n = n + {'a'} WHERE", "UPDATE t SET m[?] = ?, n = n + {?} WHERE"},
		{"SELECT deadbeef-cafe FROM t", "SELECT deadbeef-cafe FROM t"},
	} {
		require.Equal(t, tc[1], sanitize(tc[0], LanguageOf("cassandra")), tc[0])
	}
}
