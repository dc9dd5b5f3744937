package httpapi

import (
	"bytes"

	"github.com/sightglass/sightglass/internal/querytext"
)

// elasticEndpoints are those of Elasticsearch and OpenSearch, with the names that
// their specifications give them. The first row that matches counts.
var elasticEndpoints = []endpoint{
	{method: "HEAD", template: "/", name: "ping", probe: true},
	{template: "/", name: "info"},
	{template: "/_search", name: "search", body: true},
	{template: "/{index}/_search", name: "search", body: true},
	{template: "/{index}/{type}/_search", name: "search", body: true},
	{method: "DELETE", template: "/_search/scroll", name: "clear_scroll"},
	{template: "/_search/scroll", name: "scroll"},
	{template: "/_msearch", name: "msearch", body: true},
	{template: "/{index}/_msearch", name: "msearch", body: true},
	{template: "/_async_search", name: "async_search.submit", body: true},
	{template: "/{index}/_async_search", name: "async_search.submit", body: true},
	{template: "/_count", name: "count", body: true},
	{template: "/{index}/_count", name: "count", body: true},
	{template: "/_sql", name: "sql.query", body: true},
	{template: "/_query", name: "esql.query", body: true},
	{template: "/{index}/_eql/search", name: "eql.search", body: true},
	{template: "/_bulk", name: "bulk"},
	{template: "/{index}/_bulk", name: "bulk"},
	{template: "/_mget", name: "mget"},
	{template: "/{index}/_mget", name: "mget"},
	{method: "GET", template: "/{index}/_doc/{id}", name: "get"},
	{method: "HEAD", template: "/{index}/_doc/{id}", name: "exists"},
	{method: "DELETE", template: "/{index}/_doc/{id}", name: "delete"},
	{method: "PUT", template: "/{index}/_doc/{id}", name: "index"},
	{method: "POST", template: "/{index}/_doc/{id}", name: "index"},
	{method: "POST", template: "/{index}/_doc", name: "index"},
	{template: "/{index}/_create/{id}", name: "create"},
	{template: "/{index}/_update/{id}", name: "update"},
	{method: "GET", template: "/{index}/_source/{id}", name: "get_source"},
	{template: "/{index}/_explain/{id}", name: "explain", body: true},
	{template: "/{index}/_update_by_query", name: "update_by_query", body: true},
	{template: "/{index}/_delete_by_query", name: "delete_by_query", body: true},
	{template: "/_reindex", name: "reindex"},
	{template: "/{index}/_pit", name: "open_point_in_time"},
	{method: "DELETE", template: "/_pit", name: "close_point_in_time"},
	{template: "/{index}/_field_caps", name: "field_caps"},
	{template: "/{index}/_refresh", name: "indices.refresh"},
	{template: "/_refresh", name: "indices.refresh"},
	{template: "/{index}/_flush", name: "indices.flush"},
	{template: "/{index}/_stats", name: "indices.stats"},
	{template: "/_stats", name: "indices.stats"},
	{method: "GET", template: "/{index}/_mapping", name: "indices.get_mapping"},
	{template: "/{index}/_mapping", name: "indices.put_mapping"},
	{method: "GET", template: "/{index}/_settings", name: "indices.get_settings"},
	{template: "/{index}/_settings", name: "indices.put_settings"},
	{template: "/_aliases", name: "indices.update_aliases"},
	{template: "/_cluster/health", name: "cluster.health", probe: true},
	{template: "/_cluster/{name}", name: "cluster"},
	{template: "/_cat/{name}", name: "cat"},
	{template: "/_cat/{name}/{id}", name: "cat"},
	{template: "/_nodes", name: "nodes.info"},
	{template: "/_nodes/{rest...}", name: "nodes.info"},
	{template: "/_tasks", name: "tasks.list"},
	{template: "/_tasks/{id}", name: "tasks.get"},
	{template: "/_ingest/pipeline/{id}", name: "ingest.pipeline"},
	{template: "/_index_template/{id}", name: "indices.index_template"},
	{method: "PUT", template: "/{index}", name: "indices.create"},
	{method: "DELETE", template: "/{index}", name: "indices.delete"},
	{method: "GET", template: "/{index}", name: "indices.get"},
	{method: "HEAD", template: "/{index}", name: "indices.exists"},
}

func elasticsearch(r *Request, op *Operation) {
	row, in := find(elasticEndpoints, r.Method, r.Path)
	if row == nil {
		return
	}
	op.Name, op.Path, op.Collection, op.Probe = row.name, row.template, unescape(in.collection), row.probe
	if op.Index = op.Collection; len(op.Index) > 0 { // other ids have other names
		op.ID = unescape(in.id)
	}
	if row.body {
		op.Text, op.TextCut, op.Language = r.Body, r.cut(), querytext.JSON
	}
}

var couchEndpoints = []endpoint{
	{template: "/_up", name: "/_up", probe: true},
	{template: "/", name: "/"},
	{template: "/_all_dbs", name: "/_all_dbs"},
	{template: "/_session", name: "/_session"},
	{template: "/{db}", name: "/{db}"},
	{template: "/{db}/_all_docs", name: "/{db}/_all_docs"},
	{template: "/{db}/_bulk_docs", name: "/{db}/_bulk_docs"},
	{template: "/{db}/_bulk_get", name: "/{db}/_bulk_get"},
	{template: "/{db}/_find", name: "/{db}/_find"},
	{template: "/{db}/_index", name: "/{db}/_index"},
	{template: "/{db}/_changes", name: "/{db}/_changes"},
	{template: "/{db}/_design/{id}", name: "/{db}/_design/{ddoc}"},
	{template: "/{db}/_design/{id}/_view/{view}", name: "/{db}/_design/{ddoc}/_view/{view}"},
	{template: "/{db}/_local/{id}", name: "/{db}/_local/{docid}"},
	{template: "/{db}/{name}", name: "/{db}/{docid}"},
	{template: "/{db}/{name}/{rest...}", name: "/{db}/{docid}/{attname}"},
}

// couchdb names an operation after its method and route, as the conventions have
// it.
func couchdb(r *Request, op *Operation) {
	row, in := find(couchEndpoints, r.Method, r.Path)
	if row == nil {
		return
	}
	op.Name, op.Path, op.Namespace, op.Probe = r.Method+" "+row.name, row.name, unescape(in.collection), row.probe
}

var influxEndpoints = []endpoint{
	{template: "/ping", name: "ping", probe: true},
	{template: "/health", name: "health", probe: true},
	{template: "/write", name: "write"},
	{template: "/query", name: "query"},
	{template: "/api/v2/write", name: "write"},
	{template: "/api/v2/query", name: "query"},
	{template: "/api/v2/delete", name: "delete"},
	{template: "/api/v3/write_lp", name: "write"},
	{template: "/api/v3/query_sql", name: "query"},
	{template: "/api/v3/query_influxql", name: "query"},
}

func influxdb(r *Request, op *Operation) {
	row, _ := find(influxEndpoints, "", r.Path)
	if row == nil {
		return
	}
	op.Name, op.Path, op.Probe = row.name, row.template, row.probe
	for _, name := range []string{"db", "bucket"} {
		if value, ok := parameter(r.Query, name); ok {
			op.Namespace = unescape(value)
		}
	}
	if text, ok := parameter(r.Query, "q"); ok {
		op.Text = unescape(text)
	}
}

// clickhouse reads the statement, of which the first part may be in the URL and
// the rest in the body.
func clickhouse(r *Request, op *Operation) {
	if string(r.Path) == "/ping" {
		op.Name, op.Path, op.Probe = "ping", "/ping", true
		return
	}
	op.Path, op.Language = "/", querytext.MySQL
	if database, ok := parameter(r.Query, "database"); ok {
		op.Namespace = unescape(database)
	}
	if text, ok := parameter(r.Query, "query"); ok && len(text) > 0 {
		op.Text = unescape(text) // what follows is data
		return
	}
	op.Text, op.TextCut = r.Body, r.cut()
}

// dynamodb reads the operation from the header that names it, and the table from
// the body.
func dynamodb(r *Request, op *Operation) {
	if _, name, ok := bytes.Cut(r.Target, []byte(".")); ok {
		op.Name = dynamoOperation(name)
	}
	op.Service, op.Path = "DynamoDB", "/"
	if table, whole := member(r.Body, "TableName"); whole {
		op.Collection = table
	}
}

// dynamoOperations are those whose names are shown.
var dynamoOperations = []string{
	"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
	"TransactGetItems", "TransactWriteItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction",
	"CreateTable", "DeleteTable", "DescribeTable", "ListTables", "UpdateTable", "DescribeTimeToLive", "UpdateTimeToLive",
	"DescribeEndpoints", "ListTagsOfResource", "TagResource", "UntagResource", "GetRecords", "GetShardIterator", "DescribeStream", "ListStreams",
}

func dynamoOperation(name []byte) string {
	for _, s := range dynamoOperations {
		if string(name) == s {
			return s
		}
	}
	return ""
}
