package querytext

// Language is how a database's statements are written.
type Language uint8

// The languages.
const (
	SQL     Language = iota // standard strings, "quoted" names
	MySQL                   // backslash escapes; "quoted" strings; # comments
	Bracket                 // SQL with [quoted] names
	CQL                     // Cassandra's: SQL with lists, UUIDs and // comments
	Cypher                  // of property graphs: strings in either quote, // comments
	Words                   // a command and its arguments
	JSON
)

// dialect is what languages that are scanned have different.
type dialect struct {
	escapes      bool // a backslash in a string escapes what follows
	doubleString bool // "..." is a string, not a name
	dash         bool // -- begins a comment
	hash         bool // # begins one
	slashes      bool // // begins one
	nested       bool // block comments nest
	brackets     bool // [...] is a name
	lists        bool // [...] is a list of values
	dollars      bool // $tag$ ... $tag$ is a string
	labels       bool // :name is a name, not a placeholder
	bare         bool // UUIDs and durations stand without quotes
}

var dialects = [...]dialect{
	SQL:     {dash: true, nested: true, dollars: true},
	MySQL:   {dash: true, hash: true, escapes: true, doubleString: true},
	Bracket: {dash: true, nested: true, brackets: true, dollars: true},
	CQL:     {dash: true, slashes: true, lists: true, dollars: true, bare: true},
	Cypher:  {slashes: true, escapes: true, doubleString: true, lists: true, labels: true},
}

// LanguageOf returns the language of a database by its db.system.name.
func LanguageOf(system string) Language {
	switch system {
	case "mysql", "mariadb", "tidb", "clickhouse", "hive", "spark":
		return MySQL
	case "microsoft.sql_server", "mssql", "sqlite", "access":
		return Bracket
	case "cassandra", "scylladb":
		return CQL
	case "neo4j", "memgraph", "falkordb":
		return Cypher
	case "redis", "valkey", "memcached", "keydb", "dragonfly":
		return Words
	case "mongodb", "couchdb", "couchbase", "elasticsearch", "opensearch", "aws.dynamodb", "azure.cosmosdb":
		return JSON
	default:
		return SQL
	}
}
