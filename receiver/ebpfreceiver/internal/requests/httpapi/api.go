package httpapi

import (
	"bytes"

	"github.com/sightglass/sightglass/internal/querytext"
)

// Request is what is known of a request. Its slices are the caller's.
type Request struct {
	*Hints
	Method      string
	Host        []byte // with or without a port
	Path, Query []byte
}

// Operation is what a request asks for. Its slices belong to the request.
type Operation struct {
	System     string // db.system.name; empty for what is no database
	HasStatus  bool   // its conventions have the response's status as the database's, an error or not
	Name       string // of the operation, with few values; empty when it is not known
	Path       string // template of the path, with few values; empty when it is not known
	Collection []byte
	Index, ID  []byte // what stands for parts of Path that the conventions want to be told
	Namespace  []byte
	Text       []byte // of a statement, with its values
	Language   querytext.Language
	TextCut    bool // Text goes on
	Probe      bool

	Service string // of AWS
	Bucket  []byte

	GraphQL     string // type of the operation
	GraphQLName []byte
}

// apis are what is recognised, by the product that headers have named. system is
// the value of db.system.name.
var apis = [...]struct {
	system string
	name   func(*Request, *Operation)
	status bool // Operation.HasStatus
}{
	Elasticsearch: {"elasticsearch", elasticsearch, true},
	OpenSearch:    {"opensearch", elasticsearch, true},
	ClickHouse:    {"clickhouse", clickhouse, false},
	InfluxDB:      {"influxdb", influxdb, false},
	CouchDB:       {"couchdb", couchdb, true},
	DynamoDB:      {"aws.dynamodb", dynamodb, false},
	S3:            {"", s3, false},
}

// begin returns what is known of an operation by the product alone.
func (p Product) begin() Operation {
	return Operation{System: apis[p].system, HasStatus: apis[p].status}
}

// Suspects tells whether a request to a path with a query may be of one of the
// interfaces at all. Nearly all requests are not, and end here.
func (h *Hints) Suspects(path, query []byte) bool {
	return h.Product != Unknown || h.Guess != Unknown || isPresigned(query) || isGraphQL(path)
}

// Recognize tells what a request asks for; false if that is not certain.
func Recognize(r *Request) (op Operation, ok bool) {
	product := r.Product
	if product == Unknown && isPresigned(r.Query) {
		product = S3
	}
	if product != Unknown {
		op = product.begin()
		apis[product].name(r, &op)
		return op, true
	}
	if isGraphQL(r.Path) && graphql(r, &op) {
		return op, true
	}
	if r.Guess != Unknown {
		op = r.Guess.begin()
		apis[r.Guess].name(r, &op)
		return op, op.Name != ""
	}
	return op, false
}

// valueParameters are the parameters of a query whose values are texts of
// statements, or values in them.
var valueParameters = []string{"query", "q", "variables", "extensions", "key", "keys", "startkey", "endkey", "start_key", "end_key"}

// HoldsValues tells whether the value of a parameter of a recognised request may
// be, or have in it, what nobody else should see.
func HoldsValues(name []byte) bool {
	for _, s := range valueParameters {
		if fold(name, s) {
			return true
		}
	}
	return bytes.HasPrefix(name, []byte("param_")) // ClickHouse
}

// parameter returns the value of a parameter as it is written, and whether there
// is one.
func parameter(query []byte, name string) (value []byte, found bool) {
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		key, value, _ := bytes.Cut(pair, []byte("="))
		if string(key) == name {
			return value, true
		}
	}
	return nil, false
}

// unescape undoes the escapes of a URL.
func unescape(b []byte) []byte {
	if bytes.IndexByte(b, '%') < 0 && bytes.IndexByte(b, '+') < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(b):
			if high, low := hexDigit(b[i+1]), hexDigit(b[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// endpoint is a row of a table of endpoints. Template's segments in braces stand
// for any; the last one may be {rest...} for one or more.
type endpoint struct {
	method   string // "": any
	template string
	name     string
	body     bool // is a query
	probe    bool
}

// found is what stands for parts of a template in a path.
type found struct {
	collection []byte // {index}, {db} or {bucket}
	id         []byte
}

// match tells whether a path is of a template, and returns what stands for its parts.
func match(template string, path []byte) (in found, ok bool) {
	for template != "" {
		if template[0] != '/' || len(path) == 0 || path[0] != '/' {
			return found{}, false
		}
		var part string
		part, template = cutSegment(template[1:])
		if part == "{rest...}" {
			return in, len(path) > 1
		}
		segment := path[1:]
		if i := bytes.IndexByte(segment, '/'); i >= 0 {
			segment, path = segment[:i], segment[i:]
		} else {
			path = nil
		}
		switch {
		case part == "{index}" || part == "{db}":
			if len(segment) == 0 || segment[0] == '_' {
				return found{}, false
			}
			in.collection = segment
		case len(part) > 0 && part[0] == '{':
			if len(segment) == 0 || segment[0] == '_' && part == "{name}" {
				return found{}, false
			}
			if part == "{id}" {
				in.id = segment
			}
		case string(segment) != part:
			return found{}, false
		}
	}
	return in, len(path) == 0
}

func cutSegment(template string) (part, rest string) {
	for i := range len(template) {
		if template[i] == '/' {
			return template[:i], template[i:]
		}
	}
	return template, ""
}

// find returns the first row that a request is of, nil if it is of none.
func find(table []endpoint, method string, path []byte) (row *endpoint, in found) {
	if len(path) > 1 {
		path = bytes.TrimSuffix(path, []byte("/"))
	}
	for i := range table {
		if e := &table[i]; e.method == "" || e.method == method {
			if in, ok := match(e.template, path); ok {
				return e, in
			}
		}
	}
	return nil, found{}
}
