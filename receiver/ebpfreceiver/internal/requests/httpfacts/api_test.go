package httpfacts_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// asked is a request as a client sees it, with headers ("< " before those of the
// response) and a body.
func asked(t *testing.T, role event.Role, request, body string, status uint16, headers ...string) (name string, attributes map[string]any, class exchange.Class) {
	t.Helper()
	ex, f := newExchange()
	ex.Role = role
	f.Reset()
	method, target, _ := strings.Cut(request, " ")
	f.Method, f.Target, f.Status = []byte(method), []byte(target), status
	for _, line := range append(headers, "Host: db:9200") {
		line, response := strings.CutPrefix(line, "< ")
		key, value, _ := strings.Cut(line, ": ")
		if response {
			f.API.Header([]byte(key), []byte(value), true)
		} else {
			f.SetHeader([]byte(key), []byte(value))
		}
	}
	f.API.Begin(f.Target)
	f.API.AddBody([]byte(body))
	class = f.Class()
	span := translate(t, ex)
	attributes = span.Attributes().AsRaw()
	for _, value := range attributes {
		if text, ok := value.(string); ok {
			require.NotContains(t, text, "secret")
		}
	}
	require.NotContains(t, span.Name(), "secret")
	return span.Name(), attributes, class
}

func TestElasticsearch(t *testing.T) {
	const elastic = "< X-elastic-product: Elasticsearch"
	body := `{"query":{"match":{"title":"secret"}},"size":17}`
	name, got, _ := asked(t, event.RoleClient, "POST /songs/_search?q=secret&pretty", body, 404, elastic)
	require.Equal(t, "search songs", name)
	for key, want := range map[string]any{
		"db.system.name": "elasticsearch", "db.operation.name": "search", "db.collection.name": "songs",
		"db.query.text": `{"query":{"match":{"title":?}},"size":?}`, "db.response.status_code": "404", "error.type": "404",
		"url.template": "/{index}/_search", "url.full": "http://db:9200/songs/_search?q=REDACTED&pretty", "http.request.method": "POST",
	} {
		require.Equal(t, want, got[key], key)
	}
	name, got, _ = asked(t, event.RoleServer, "GET /logs-2026.11.22/_doc/17", "", 200, elastic)
	require.Equal(t, "get", name, "the name of an index that has a date is none of few")
	require.Equal(t, "/{index}/_doc/{id}", got["http.route"])
	require.Equal(t, "logs-2026.11.22", got["db.collection.name"])
	require.Equal(t, "logs-2026.11.22", got["db.operation.parameter.index"])
	require.Equal(t, "17", got["db.operation.parameter.id"])
	require.Equal(t, "200", got["db.response.status_code"], "it is wanted of every answer")
	require.NotContains(t, got, "error.type")
	_, got, _ = asked(t, event.RoleServer, "GET /_tasks/17", "", 0, elastic)
	require.NotContains(t, got, "db.response.status_code")
	require.NotContains(t, got, "db.operation.parameter.id", "that is a task's")

	name, got, _ = asked(t, event.RoleClient, "GET /_unknown/thing", "", 200, elastic)
	require.Equal(t, "GET /_unknown/thing", name)
	require.Equal(t, "elasticsearch", got["db.system.name"])
	_, _, class := asked(t, event.RoleClient, "HEAD /", "", 200, elastic)
	require.Equal(t, exchange.Probe, class)

	_, got, _ = asked(t, event.RoleClient, "GET /songs/_doc/17", "", 400, elastic)
	require.Equal(t, "400", got["db.response.status_code"])

	_, got, _ = asked(t, event.RoleClient, "POST /songs/_search", body, 200)
	require.NotContains(t, got, "db.system.name", "nothing says that it is")
	_, got, _ = asked(t, event.RoleClient, "POST /songs/_search", body[:20], 200, elastic, "Content-Length: 48")
	require.Equal(t, []any{"db.query.text"}, got["sightglass.truncated"])
}

// What is not known of the request might say that it is another product's.
func TestHeadersThatAreNotKnown(t *testing.T) {
	for unknown, want := range map[bool]any{false: "elasticsearch", true: nil} {
		ex, f := newExchange()
		f.Target, f.HeadersUnknown = []byte("/songs/_search"), unknown
		f.API.Header([]byte("x-elastic-client-meta"), []byte("es=8"), false)
		f.API.Begin(f.Target)
		require.Equal(t, want, translate(t, ex).Attributes().AsRaw()["db.system.name"])
	}
}

func TestClickHouse(t *testing.T) {
	name, got, _ := asked(t, event.RoleClient, "POST /?database=shop&query=SELECT%20a%20FROM%20t%20WHERE%20b%3D%27secret%27", "", 500,
		"< X-ClickHouse-Query-Id: 1", "< X-ClickHouse-Exception-Code: 60", "X-ClickHouse-User: secret")
	require.Equal(t, "SELECT t", name)
	for key, want := range map[string]any{
		"db.system.name": "clickhouse", "db.namespace": "shop", "db.query.text": "SELECT a FROM t WHERE b=?",
		"db.query.summary": "SELECT t", "db.response.status_code": "60", "error.type": "500",
		"url.full": "http://db:9200/?database=shop&query=REDACTED",
	} {
		require.Equal(t, want, got[key], key)
	}
	for status, want := range map[uint16]any{399: nil, 400: "400"} { // of an error only
		_, got, _ = asked(t, event.RoleClient, "POST /", "SELECT 1", status, "< X-ClickHouse-Query-Id: 1")
		require.Equal(t, want, got["db.response.status_code"])
	}
	name, got, _ = asked(t, event.RoleClient, "POST /", "INSERT INTO t VALUES ('secret')", 200, "X-ClickHouse-User: x", "Content-Length: 31")
	require.Equal(t, "INSERT t", name)
	require.Equal(t, "INSERT INTO t VALUES (?)", got["db.query.text"])
}

func TestCouchDB(t *testing.T) {
	_, got, _ := asked(t, event.RoleClient, "GET /shop/order", "", 200, "< Server: CouchDB/3.3.2 (Erlang OTP/25)")
	require.Equal(t, "GET /{db}/{docid}", got["db.operation.name"])
	require.Equal(t, "shop", got["db.namespace"])
	require.Equal(t, "200", got["db.response.status_code"])
}

func TestS3(t *testing.T) {
	const signed = "Authorization: AWS4-HMAC-SHA256 Credential=secret/20261122/eu/s3/aws4_request, Signature=secret"
	name, got, _ := asked(t, event.RoleClient, "PUT /photos/a/b.jpg", "", 200, signed)
	require.Equal(t, "S3.PutObject", name)
	for key, want := range map[string]any{
		"rpc.method": "S3/PutObject", "aws.s3.bucket": "photos", "url.template": "/{bucket}/{key}", "http.response.status_code": int64(200),
	} {
		require.Equal(t, want, got[key], key)
	}
	require.NotContains(t, got, "db.system.name")
	require.NotContains(t, got, "rpc.system.name", "it is counted as what was seen: HTTP")
}

func TestDynamoDB(t *testing.T) {
	name, got, _ := asked(t, event.RoleClient, "POST /", `{"TableName":"orders","Key":{"id":{"S":"secret"}}}`, 200, "X-Amz-Target: DynamoDB_20120810.GetItem")
	require.Equal(t, "DynamoDB.GetItem", name)
	require.Equal(t, "aws.dynamodb", got["db.system.name"])
	require.Equal(t, "GetItem", got["db.operation.name"])
	require.Equal(t, "orders", got["db.collection.name"])
}

func TestGraphQL(t *testing.T) {
	name, got, _ := asked(t, event.RoleServer, "POST /graphql", `{"query":"query Songs { songs(by: \"secret\") { name } }","variables":{"x":"secret"}}`, 200)
	require.Equal(t, "POST /graphql", name)
	require.Equal(t, "query", got["graphql.operation.type"])
	require.Equal(t, "Songs", got["graphql.operation.name"])
	_, got, _ = asked(t, event.RoleServer, "GET /graphql?query=%7B%20a(b%3A%20%22secret%22)%20%7D&variables=secret", "", 200)
	require.Equal(t, "query", got["graphql.operation.type"])
	require.Equal(t, "query=REDACTED&variables=REDACTED", got["url.query"])
}
