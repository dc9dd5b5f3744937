package httpfacts

import (
	"unsafe"

	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpapi"
)

// recognize finds out what the request asks for, if it is to a database, to an
// object store, or in GraphQL.
func (d *description) recognize() {
	if d.TargetCut || d.HeadersUnknown {
		return
	}
	d.op, d.recognized = d.recognizeAPI(d.method, &d.target)
}

func (f *Facts) recognizeAPI(method string, t *target) (httpapi.Operation, bool) {
	if !f.API.Suspects(t.path, t.query) {
		return httpapi.Operation{}, false
	}
	return httpapi.Recognize(&httpapi.Request{Hints: &f.API, Method: method, Host: f.Host, Path: t.path, Query: t.query})
}

// probesAPI tells whether the request asks a database whether it is there.
func (f *Facts) probesAPI() bool {
	if f.API.Product == httpapi.Unknown && f.API.Guess == httpapi.Unknown {
		return false
	}
	t := splitTarget(f.Target, false)
	op, ok := f.recognizeAPI(methodName(f.Method), &t)
	return ok && op.Probe
}

func (d *description) appendQuery(dst, query []byte) []byte {
	return appendQuery(dst, query, d.recognized)
}

// nameAPI names the span after the operation. It returns false when that is not
// known, or is no better than method and path.
func (d *description) nameAPI() bool {
	op := &d.op
	if !d.recognized || op.Path == "" || op.Name == "" && op.Text == nil {
		return false
	}
	d.w.Text(d.routeKey(), op.Path)
	buf := d.w.Scratch()
	switch {
	case op.Service != "":
		buf = append(buf, op.Service...)
		buf = append(buf, '.')
		buf = append(buf, op.Name...)
	case op.Name != "":
		buf = append(buf, op.Name...)
		if n := len(op.Collection); n > 0 && n <= maxWord && !isID(op.Collection) {
			buf = append(buf, ' ')
			buf = append(buf, op.Collection...)
		}
	default:
		buf = append(buf, op.System...)
	}
	d.w.Name(d.w.Intern(buf))
	d.w.Keep(buf)
	return true
}

// api writes what the request asks for. It tells whether a part of the statement
// lies beyond the bound.
func (d *description) api() (cut bool) {
	if !d.recognized {
		return false
	}
	op, w := &d.op, d.w
	if op.GraphQL != "" {
		w.Text(schema.GraphQLOperationType, op.GraphQL)
		w.Bytes(schema.GraphQLOperationName, op.GraphQLName)
	}
	if op.Service != "" && op.Name != "" && op.System == "" {
		buf := append(append(append(w.Scratch(), op.Service...), '/'), op.Name...)
		w.Bytes(schema.RPCMethod, buf)
		w.Keep(buf)
	}
	w.Bytes(schema.AWSS3Bucket, op.Bucket)
	if op.System == "" {
		return false
	}
	w.Text(schema.DBSystemName, op.System)
	if op.Name != "" {
		w.Text(schema.DBOperationName, op.Name)
	}
	w.Bytes(schema.DBNamespace, op.Namespace)
	w.Bytes(schema.DBCollectionName, op.Collection)
	w.Bytes(schema.DBOperationIndex, op.Index)
	w.Unique(schema.DBOperationID, op.ID)
	if d.Status >= 400 || op.HasStatus && d.Status != 0 {
		if len(d.API.Code) > 0 {
			w.Bytes(schema.DBResponseStatusCode, d.API.Code)
		} else {
			w.Text(schema.DBResponseStatusCode, statusText(d.Status))
		}
	}
	return d.statement()
}

// maxStatement bounds the text of a statement, in bytes.
const maxStatement = 4096

// statement writes the text of a statement without its values, and its summary.
func (d *description) statement() (cut bool) {
	op := &d.op
	if len(op.Text) == 0 {
		return false
	}
	text := unsafe.String(&op.Text[0], len(op.Text))
	buf, more := querytext.AppendSanitized(d.w.Scratch(), text, op.Language, maxStatement)
	d.w.Unique(schema.DBQueryText, buf)
	if op.Language != querytext.JSON {
		if summary, _ := querytext.Summarize(string(buf)); summary != "" {
			d.w.Text(schema.DBQuerySummary, summary)
			if op.Name == "" {
				d.w.Name(summary)
			}
		}
	}
	d.w.Keep(buf)
	return more || op.TextCut
}
