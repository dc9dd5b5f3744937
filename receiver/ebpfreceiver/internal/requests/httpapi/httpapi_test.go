package httpapi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

// request is a request with headers: "name: value" in a request, "< name: value"
// in a response.
func request(method, target string, headers ...string) *Request {
	h := &Hints{}
	for _, line := range headers {
		line, response := strings.CutPrefix(line, "< ")
		name, value, _ := strings.Cut(line, ": ")
		h.Header([]byte(name), []byte(value), response)
	}
	h.Begin([]byte(target))
	path, query, _ := strings.Cut(target, "?")
	return &Request{Hints: h, Method: method, Path: []byte(path), Query: []byte(query), Host: []byte("db:9200")}
}

func (r *Request) with(body string) *Request {
	r.AddBody([]byte(body))
	return r
}

const (
	elastic = "< X-elastic-product: Elasticsearch"
	couch   = "< Server: CouchDB/3.3.2 (Erlang OTP/25)"
	influx  = "< X-Influxdb-Version: 2.7"
	click   = "< X-ClickHouse-Query-Id: 17"
	signed  = "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=secret"
)

func TestDatabases(t *testing.T) {
	for _, tc := range []struct {
		r                                         *Request
		system, name, path, collection, namespace string
	}{
		{request("POST", "/songs/_search?q=secret", elastic), "elasticsearch", "search", "/{index}/_search", "songs", ""},
		{request("GET", "/_search", elastic), "elasticsearch", "search", "/_search", "", ""},
		{request("POST", "/songs,albums/_search", elastic), "elasticsearch", "search", "/{index}/_search", "songs,albums", ""},
		{request("GET", "/songs/_doc/17", elastic), "elasticsearch", "get", "/{index}/_doc/{id}", "songs", ""},
		{request("HEAD", "/songs/_doc/17", elastic), "elasticsearch", "exists", "/{index}/_doc/{id}", "songs", ""},
		{request("PUT", "/songs/_doc/17?refresh=true", elastic), "elasticsearch", "index", "/{index}/_doc/{id}", "songs", ""},
		{request("POST", "/_bulk", elastic), "elasticsearch", "bulk", "/_bulk", "", ""},
		{request("PUT", "/songs", elastic), "elasticsearch", "indices.create", "/{index}", "songs", ""},
		{request("GET", "/_cat/indices", elastic), "elasticsearch", "cat", "/_cat/{name}", "", ""},
		{request("GET", "/_nodes/stats/jvm", elastic), "elasticsearch", "nodes.info", "/_nodes/{rest...}", "", ""},
		{request("GET", "/_something/new", elastic), "elasticsearch", "", "", "", ""},
		{request("POST", "/songs/_search", "x-elastic-client-meta: es=8"), "elasticsearch", "search", "/{index}/_search", "songs", ""},
		{request("POST", "/songs/_search", "User-Agent: opensearch-py/2.3"), "opensearch", "search", "/{index}/_search", "songs", ""},
		{request("POST", "/songs/_search", "< X-OpenSearch-Version: OpenSearch/3.0"), "opensearch", "search", "/{index}/_search", "songs", ""},
		{request("GET", "/shop/order-1", couch), "couchdb", "GET /{db}/{docid}", "/{db}/{docid}", "", "shop"},
		{request("POST", "/shop/_find", couch), "couchdb", "POST /{db}/_find", "/{db}/_find", "", "shop"},
		{request("GET", "/shop/_design/d/_view/v?key=1", couch), "couchdb", "GET /{db}/_design/{ddoc}/_view/{view}", "/{db}/_design/{id}/_view/{view}", "", "shop"},
		{request("POST", "/write?db=metrics&p=secret", influx), "influxdb", "write", "/write", "", "metrics"},
		{request("POST", "/api/v2/query?org=o", influx), "influxdb", "query", "/api/v2/query", "", ""},
		{request("GET", "/?database=shop&query=SELECT+1", click), "clickhouse", "", "/", "", "shop"},
		{request("GET", "/ping", click), "clickhouse", "ping", "/ping", "", ""},
		{request("POST", "/", "X-Amz-Target: DynamoDB_20120810.GetItem").with(`{"Key":{"id":{"S":"secret"}},"TableName":"orders"}`), "aws.dynamodb", "GetItem", "/", "orders", ""},
		{request("POST", "/", "X-Amz-Target: DynamoDB_20120810.Invented"), "aws.dynamodb", "", "/", "", ""},
	} {
		op, ok := Recognize(tc.r)
		what := tc.r.Method + " " + string(tc.r.Path)
		require.True(t, ok, what)
		require.Equal(t, tc.system, op.System, what)
		require.Equal(t, tc.name, op.Name, what)
		require.Equal(t, tc.collection, string(op.Collection), what)
		require.Equal(t, tc.namespace, string(op.Namespace), what)
		if tc.system != "couchdb" {
			require.Equal(t, tc.path, op.Path, what)
		}
	}
}

// What no header or body names is none of these.
func TestUncertain(t *testing.T) {
	for _, r := range []*Request{
		request("POST", "/songs/_search"),
		request("GET", "/bucket/key", "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu/sqs/aws4_request"),
		request("POST", "/", "X-Amz-Target: AmazonSQS.SendMessage"),
		request("POST", "/graphql"),
		request("POST", "/graphql").with("not json"),
		request("POST", "/graphql").with(`{"query":"what is this"}`),
		request("POST", "/api").with(`{"query":"query Q { a }"}`),
		request("GET", "/songs/what/is/this", "x-elastic-client-meta: es=8"),
		request("POST", "/", "< Server: nginx"),
	} {
		op, ok := Recognize(r)
		require.False(t, ok, "%s %s: %+v", r.Method, r.Path, op)
	}
}

func TestS3(t *testing.T) {
	for _, tc := range []struct{ method, host, target, header, want, bucket, path string }{
		{"GET", "s3.amazonaws.com", "/", "", "ListBuckets", "", "/"},
		{"GET", "minio:9000", "/photos?list-type=2&prefix=a", "", "ListObjectsV2", "photos", "/{bucket}"},
		{"GET", "minio:9000", "/photos/", "", "ListObjects", "photos", "/{bucket}"},
		{"GET", "photos.s3.eu-central-1.amazonaws.com", "/?location", "", "GetBucketLocation", "photos", "/{bucket}"},
		{"GET", "photos.s3.amazonaws.com", "/a/b.jpg", "", "GetObject", "photos", "/{bucket}/{key}"},
		{"HEAD", "photos.s3-eu-west-1.amazonaws.com", "/a", "", "HeadObject", "photos", "/{bucket}/{key}"},
		{"PUT", "minio:9000", "/photos", "", "CreateBucket", "photos", "/{bucket}"},
		{"PUT", "minio:9000", "/photos/a%20b", "", "PutObject", "photos", "/{bucket}/{key}"},
		{"PUT", "minio:9000", "/photos/a", "X-Amz-Copy-Source: /photos/b", "CopyObject", "photos", "/{bucket}/{key}"},
		{"PUT", "minio:9000", "/photos/a?partNumber=1&uploadId=x", "", "UploadPart", "photos", "/{bucket}/{key}"},
		{"PUT", "minio:9000", "/photos/a?partNumber=1&uploadId=x", "x-amz-copy-source: /photos/b", "UploadPartCopy", "photos", "/{bucket}/{key}"},
		{"POST", "minio:9000", "/photos/a?uploads", "", "CreateMultipartUpload", "photos", "/{bucket}/{key}"},
		{"POST", "minio:9000", "/photos/a?uploadId=x", "", "CompleteMultipartUpload", "photos", "/{bucket}/{key}"},
		{"POST", "minio:9000", "/photos?delete", "", "DeleteObjects", "photos", "/{bucket}"},
		{"DELETE", "minio:9000", "/photos/a?uploadId=x", "", "AbortMultipartUpload", "photos", "/{bucket}/{key}"},
		{"DELETE", "minio:9000", "/photos/a", "", "DeleteObject", "photos", "/{bucket}/{key}"},
		{"PATCH", "minio:9000", "/photos/a", "", "", "photos", "/{bucket}/{key}"},
	} {
		r := request(tc.method, tc.target, signed, tc.header)
		r.Host = []byte(tc.host)
		op, ok := Recognize(r)
		require.True(t, ok)
		require.Equal(t, Operation{Name: tc.want, Service: "S3", Path: tc.path, Bucket: op.Bucket}, op, tc.target)
		require.Equal(t, tc.bucket, string(op.Bucket), tc.target)
	}
	op, ok := Recognize(request("GET", "/photos/a?X-Amz-Credential=AKIA%2F20261122%2Feu%2Fs3%2Faws4_request&X-Amz-Signature=secret"))
	require.True(t, ok)
	require.Equal(t, "GetObject", op.Name)
}

func TestGraphQL(t *testing.T) {
	for body, want := range map[string]string{
		`{"query":"query Songs($a: Int) { songs(id: $a) { name } }","variables":{"a":"secret"}}`: "query Songs",
		`{"query":"{ songs { name } }"}`:                                                           "query ",
		`{ "operationName" : "B" , "query":"query A { a } mutation B { b }"}`:                      "mutation B",
		`{"variables":{"query":"mutation X {"},"query":"\n  # comment\n  subscription S {\n a }"}`: "subscription S",
		`{"query":"fragment F on T { a(b: \"}\") } query Q { ...F }"}`:                             "query Q",
		`{"operationName":"Late","query":"query Early { a } query La`:                              "query Late",
		`{"operationName":null,"query":"mutation { a }"}`:                                          "mutation ",
		`{"query":"mutation Cut($x: Str`:                                                           "mutation Cut",
		`{"operationName":"has 'secret' in it","query":"query Q { a }"}`:                           "query ",
	} {
		op, ok := Recognize(request("POST", "/api/graphql").with(body))
		require.True(t, ok, body)
		require.Equal(t, want, op.GraphQL+" "+string(op.GraphQLName), body)
	}
	op, ok := Recognize(request("GET", "/graphql?query=query%20Q%20%7B%20a%20%7D&operationName=Q"))
	require.True(t, ok)
	require.Equal(t, "query Q", op.GraphQL+" "+string(op.GraphQLName))
}

func TestBodies(t *testing.T) {
	r := request("POST", "/songs/_search", elastic, "Content-Length: 30").with(`{"query":{"match":`).with(`{"a":"secret"}}}`)
	require.JSONEq(t, `{"query":{"match":{"a":"secret"}}}`, string(r.Body))
	require.False(t, r.cut())
	r = request("POST", "/songs/_search", elastic, "Content-Length: 100").with(`{"query":{}}`)
	require.True(t, r.cut())
	r = request("POST", "/songs/_search", elastic).with(strings.Repeat("x", 3*maxBody))
	require.Len(t, r.Body, maxBody)
	require.True(t, r.cut())
	require.Empty(t, request("POST", "/upload").with("secret").Body)
	r.Reset()
	require.Empty(t, r.Body)
	require.Equal(t, Unknown, r.Product)
}

func TestHeadersDoNotAllocate(t *testing.T) {
	var h Hints
	headers := [][2][]byte{
		{[]byte("Host"), []byte("x")},
		{[]byte("X-elastic-product"), []byte("Elasticsearch")},
		{[]byte("Authorization"), []byte(signed)},
		{[]byte("Content-Length"), []byte("17")},
		{[]byte("X-Amz-Target"), []byte("DynamoDB_20120810.GetItem")},
	}
	require.Zero(t, alloctest.PerRun(100, func() {
		h.Reset()
		for i := range headers {
			h.Header(headers[i][0], headers[i][1], false)
			h.Header(headers[i][0], headers[i][1], true)
		}
	}))
}

func FuzzRecognize(f *testing.F) {
	f.Add("POST", "/graphql", `{"query":"query A { a }"}`, uint8(0))
	f.Add("GET", "/a/_doc/1?q=2", `{}`, uint8(1))
	f.Add("PUT", "/b/k?uploadId=1", ``, uint8(S3))
	f.Add("POST", "/?query=%zz", `SELECT '`, uint8(ClickHouse))
	f.Add("POST", "/", `{"TableName":"\`, uint8(DynamoDB))
	f.Fuzz(func(t *testing.T, method, target, body string, product uint8) {
		r := request(method, target)
		r.Product = Product(product % uint8(len(apis)))
		r.wanted = true
		op, _ := Recognize(r.with(body))
		require.LessOrEqual(t, len(op.GraphQLName), maxName)
		require.LessOrEqual(t, len(op.Collection), max(len(target), len(body)))
	})
}
