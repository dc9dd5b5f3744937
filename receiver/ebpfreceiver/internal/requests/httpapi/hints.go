// Package httpapi recognises what HTTP carries: requests to databases and object
// stores that speak HTTP, and GraphQL. Nothing is recognised by the looks of a
// path alone: a header has to say which product it is, or the body what it asks.
//
// A new one is a row in apis, and a function that names its operations.
package httpapi

import "bytes"

// Product is who a header says that it is from, or for.
type Product uint8

// Products.
const (
	Unknown Product = iota
	Elasticsearch
	OpenSearch
	ClickHouse
	InfluxDB
	CouchDB
	DynamoDB
	S3
)

// Hints are what the headers and the body of an exchange say about what it is.
// Values of headers are looked at, and not kept but for the name of an operation.
type Hints struct {
	Product Product
	Guess   Product // that is meant if the path is one of its
	Target  []byte  // of X-Amz-Target: the name of an operation
	Body    []byte  // the first bytes of the request's body, if they are wanted
	Code    []byte  // of an error, where it is not the status
	Copies  bool    // the request names a source to copy from

	wanted bool   // Body is
	length uint64 // of the body; 0 when it is not known
}

// maxBody bounds Hints.Body.
const maxBody = 2048

// Reset empties h and keeps its memory.
func (h *Hints) Reset() { *h = Hints{Target: h.Target[:0], Body: h.Body[:0], Code: h.Code[:0]} }

// sign is a header that names a product: by its name, and if that is not enough
// by what its value contains.
type sign struct {
	name     string
	response bool // it stands in responses, else in requests
	contains string
	product  Product
	weak     bool // it names who asks, not who is asked
}

var signs = []sign{
	{name: "x-elastic-product", response: true, contains: "Elasticsearch", product: Elasticsearch},
	{name: "x-elastic-client-meta", product: Elasticsearch, weak: true},
	{name: "x-opensearch-version", response: true, product: OpenSearch},
	{name: "user-agent", contains: "opensearch-", product: OpenSearch, weak: true},
	{name: "x-clickhouse-user", product: ClickHouse},
	{name: "x-clickhouse-server-display-name", response: true, product: ClickHouse},
	{name: "x-clickhouse-query-id", response: true, product: ClickHouse},
	{name: "x-clickhouse-summary", response: true, product: ClickHouse},
	{name: "x-influxdb-version", response: true, product: InfluxDB},
	{name: "x-influxdb-build", response: true, product: InfluxDB},
	{name: "server", response: true, contains: "CouchDB/", product: CouchDB},
	{name: amzTarget, contains: "DynamoDB", product: DynamoDB},
	{name: "authorization", contains: "/s3/aws4_request", product: S3},
	{name: "server", response: true, contains: "AmazonS3", product: S3},
}

// signsOf are the signs whose names have a length: most headers have one that
// none of them has. An empty sign stands for a name that Header itself knows.
var signsOf = func() (of [maxHeader + 1][]sign) {
	for _, s := range signs {
		of[len(s.name)] = append(of[len(s.name)], s)
	}
	for _, name := range []string{copySource, exceptionCode, contentLength} {
		of[len(name)] = append(of[len(name)], sign{})
	}
	return of
}()

// maxHeader is the length of the longest name of a header of interest.
const maxHeader = 32

const (
	copySource    = "x-amz-copy-source"
	exceptionCode = "x-clickhouse-exception-code"
	amzTarget     = "x-amz-target"
	contentLength = "content-length"
)

// Header takes in a header of a request, or of a response.
func (h *Hints) Header(name, value []byte, response bool) {
	if len(name) > maxHeader || signsOf[len(name)] == nil {
		return
	}
	for i := range signsOf[len(name)] {
		s := &signsOf[len(name)][i]
		if s.response != response || !fold(name, s.name) {
			continue
		}
		if s.contains != "" && !bytes.Contains(value, []byte(s.contains)) {
			continue
		}
		if s.weak {
			h.Guess = s.product
		} else {
			h.Product = s.product
		}
		if s.name == amzTarget && len(value) <= maxName {
			h.Target = append(h.Target[:0], value...)
		}
	}
	switch {
	case !response && fold(name, copySource):
		h.Copies = true
	case !response && fold(name, contentLength):
		h.length = number(value)
	case response && fold(name, exceptionCode) && len(value) <= maxName:
		h.Code = append(h.Code[:0], value...)
	}
}

// maxName bounds what is kept of a value.
const maxName = 128

// Begin decides whether the first bytes of the request's body are of use, once
// its headers are known: a product may also be told by the response.
func (h *Hints) Begin(target []byte) {
	switch h.Product {
	case Elasticsearch, OpenSearch, ClickHouse, DynamoDB:
		h.wanted = true
	default:
		path, _, _ := bytes.Cut(target, []byte("?"))
		h.wanted = len(path) == 1 || isGraphQL(path) || hasOwnSegment(path)
	}
}

// hasOwnSegment tells whether a segment of a path begins with an underscore, as
// those that databases keep for themselves do.
func hasOwnSegment(path []byte) bool {
	return bytes.IndexByte(path, '_') > 0 && bytes.Contains(path, []byte("/_"))
}

// AddBody takes bytes of the body that follow those that were taken before.
func (h *Hints) AddBody(b []byte) {
	if h.wanted {
		h.Body = append(h.Body, b[:min(len(b), maxBody-len(h.Body))]...)
	}
}

// cut tells whether the body goes on behind Body. Without a length, only JSON
// tells.
func (h *Hints) cut() bool {
	if h.length != 0 {
		return uint64(len(h.Body)) < h.length
	}
	return !bytes.HasSuffix(bytes.TrimSpace(h.Body), []byte("}"))
}

// number reads decimal digits; 0 for anything else.
func number(b []byte) (n uint64) {
	if len(b) > 18 {
		return 0
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// fold tells whether b is s, which must be lower-case, without regard to the case
// of ASCII letters.
func fold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}
