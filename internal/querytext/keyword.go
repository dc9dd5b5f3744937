package querytext

// keyword is what a word means to a summary.
type keyword uint8

const (
	other       keyword = iota
	selectWord          // begins a query at any place
	withWord            // leads to common tables
	from                // tables follow
	join                // a table follows
	into                // a table follows
	using               // a table follows, in some statements
	insert              // a table follows
	change              // UPDATE: a table follows
	deletion            // DELETE: FROM follows
	merge               // a table follows, and a second one behind USING
	call                // a procedure follows
	definition          // CREATE and the like: kind and name of a thing follow
	maintenance         // COPY and the like: a table follows
	explain             // a whole statement follows
	kind                // of a thing that is defined
	routineWord         // such a kind, that has a body
	definer             // DEFINER: between definition and kind, with a value
	tableWord           // TABLE: a kind that may also stand before a table's name
	adjective           // between definition and kind
	noise               // between an operation and its table
	clause              // ends a list of tables
	distinct            // before a FROM that names no table
	modifier            // before INSERT, UPDATE and DELETE that are not operations
)

// keywords are the words that a summary knows, in upper case.
var keywords = map[string]keyword{
	"SELECT": selectWord, "WITH": withWord, "FROM": from, "JOIN": join, "STRAIGHT_JOIN": join, "INTO": into, "USING": using,
	"INSERT": insert, "REPLACE": insert, "UPDATE": change, "DELETE": deletion, "MERGE": merge,
	"CALL": call, "EXEC": call, "EXECUTE": call,
	"CREATE": definition, "ALTER": definition, "DROP": definition, "TRUNCATE": definition, "RENAME": definition, "REINDEX": definition, "REFRESH": definition,
	"COPY": maintenance, "VACUUM": maintenance, "ANALYZE": maintenance, "OPTIMIZE": maintenance, "CLUSTER": maintenance, "LOCK": maintenance,
	"EXPLAIN": explain,
	"TABLE":   tableWord, "TABLES": tableWord, "INDEX": kind, "VIEW": kind, "DATABASE": kind, "SCHEMA": kind, "SEQUENCE": kind, "FUNCTION": routineWord, "PROCEDURE": routineWord,
	"TRIGGER": routineWord, "TYPE": kind, "DOMAIN": kind, "EXTENSION": kind, "USER": kind, "ROLE": kind, "POLICY": kind, "RULE": kind, "SERVER": kind,
	"EVENT": routineWord, "PUBLICATION": kind, "SUBSCRIPTION": kind, "TABLESPACE": kind, "AGGREGATE": kind, "SYSTEM": kind,
	"TEMP": adjective, "TEMPORARY": adjective, "UNLOGGED": adjective, "GLOBAL": adjective, "LOCAL": adjective, "UNIQUE": adjective,
	"MATERIALIZED": adjective, "RECURSIVE": adjective, "OR": adjective, "FOREIGN": adjective, "FULLTEXT": adjective, "SPATIAL": adjective,
	"ONLINE": adjective, "OFFLINE": adjective, "CLUSTERED": adjective, "EXTERNAL": adjective, "DEFINER": definer,
	"ONLY": noise, "LATERAL": noise, "IF": noise, "NOT": noise, "EXISTS": noise, "CONCURRENTLY": noise, "IGNORE": noise,
	"LOW_PRIORITY": noise, "HIGH_PRIORITY": noise, "DELAYED": noise, "QUICK": noise, "FULL": noise, "VERBOSE": noise, "OVERWRITE": noise, "NO_WRITE_TO_BINLOG": noise,
	"WHERE": clause, "GROUP": clause, "ORDER": clause, "HAVING": clause, "LIMIT": clause, "OFFSET": clause, "FETCH": clause, "WINDOW": clause,
	"SET": clause, "ON": clause, "VALUES": clause, "RETURNING": clause, "UNION": clause, "EXCEPT": clause, "INTERSECT": clause,
	"DISTINCT": distinct,
	"FOR":      modifier, "KEY": modifier, "DO": modifier, "THEN": modifier, "BEFORE": modifier, "AFTER": modifier,
}

// maxKeyword is the length of the longest keyword.
const maxKeyword = len("NO_WRITE_TO_BINLOG")

// keywordOf returns what a word means, whatever its case.
func keywordOf(word string) keyword {
	if len(word) > maxKeyword {
		return other
	}
	var upper [maxKeyword]byte
	for i := range len(word) {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	return keywords[string(upper[:len(word)])]
}
