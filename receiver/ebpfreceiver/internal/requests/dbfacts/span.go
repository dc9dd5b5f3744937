package dbfacts

import (
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Words that stand for what has no text.
const (
	prepare = "PREPARE"
	batch   = "BATCH"
	execute = "EXECUTE"
)

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if !f.Known() {
		return false
	}
	w.Text(schema.DBSystemName, f.System)
	w.Bytes(schema.DBNamespace, f.Namespace)
	f.name(w)
	f.query(w)
	w.Server(ex)
	f.outcome(ex, w)
	if p, ok := spans.ParseTraceParent(f.TraceParent); ok {
		w.Parent(p.Trace, p.Span, p.Flags, "")
	}
	return true
}

// name names the span after the summary of the statement, or after the command.
// The conventions advise against an operation name that is read out of a text
// which may have several.
func (f *Facts) name(w *spans.Writer) {
	summary := ""
	switch {
	case f.Mixed:
		summary = batch
	case f.Statement == nil:
	case f.Batch > 1:
		summary = joined(w, batch, f.Statement.Summary)
	case f.Prepares:
		summary = joined(w, prepare, f.Statement.Summary)
	default:
		summary = f.Statement.Summary
	}
	operation := w.Intern(f.Operation)
	if operation == "" && f.Unseen && summary == "" {
		switch operation = execute; {
		case f.Batch > 1:
			operation = batch
		case f.Prepares:
			operation = prepare
		}
	}
	if operation != "" {
		w.Text(schema.DBOperationName, operation)
	}
	if len(f.Collection) > 0 {
		w.Bytes(schema.DBCollectionName, f.Collection)
		summary = joined(w, operation, w.Intern(f.Collection))
	}
	if summary != "" {
		w.Text(schema.DBQuerySummary, summary)
		w.Name(summary)
		return
	}
	if operation == "" {
		operation = f.System
	}
	w.Name(operation)
}

// joined is a word and what follows it, if anything does.
func joined(w *spans.Writer, word, rest string) string {
	if rest == "" {
		return word
	}
	buf := append(w.Scratch(), word...)
	buf = append(buf, ' ')
	buf = append(buf, rest...)
	w.Keep(buf)
	return w.Intern(buf)
}

// query writes the text, as far as it is known.
func (f *Facts) query(w *spans.Writer) {
	if f.Batch > 1 && !f.BatchHidden {
		w.Int(schema.DBOperationBatchSize, int64(f.Batch))
	}
	if f.Consistency != "" {
		w.Text(schema.CassandraConsistencyLevel, f.Consistency)
	}
	w.Bytes(schema.DBStoredProcedureName, f.Procedure)
	cut := f.TextCut
	switch {
	case f.Statement != nil && !f.Mixed:
		if f.Statement.Procedure != "" {
			w.Text(schema.DBStoredProcedureName, f.Statement.Procedure)
		}
		if f.Statement.Text != "" {
			w.Text(schema.DBQueryText, f.Statement.Text)
		}
		cut = cut || f.Statement.Truncated
	default:
		w.Unique(schema.DBQueryText, f.Text)
	}
	if f.Unseen {
		w.Bool(schema.DBStatementUnseen, true)
	}
	if cut || f.Hidden || f.RowsHidden || f.NamespaceHidden || f.BatchHidden {
		f.truncated(w, cut)
	}
}

// truncated says what lies beyond the bound.
func (f *Facts) truncated(w *spans.Writer, text bool) {
	var list [5]string
	n := 0
	for _, part := range []struct {
		beyond bool
		name   string
	}{
		{f.NamespaceHidden, schema.DBNamespace},
		{f.BatchHidden, schema.DBOperationBatchSize},
		{text, schema.DBQueryText},
		{f.Hidden, schema.DBResponseStatusCode},
		{f.RowsHidden, schema.DBResponseReturnedRows},
	} {
		if part.beyond {
			list[n] = part.name
			n++
		}
	}
	w.List(schema.Truncated, list[:n]...)
}

// outcome writes how it ended.
func (f *Facts) outcome(ex *exchange.Exchange, w *spans.Writer) {
	if f.HasRows {
		w.Int(schema.DBResponseReturnedRows, f.Rows)
	}
	w.Bytes(schema.DBResponseError, f.SQLState)
	switch {
	case len(f.Status) != 0:
		w.Bytes(schema.DBResponseStatusCode, f.Status)
		w.Bytes(schema.ErrorType, f.Status)
		w.Failed()
	case f.Failed:
		w.Text(schema.ErrorType, "_OTHER")
		w.Failed()
	case ex.Incomplete == exchange.ConnectionClosed && (ex.Role == event.RoleClient || !f.CallerGone):
		w.Text(schema.ErrorType, exchange.ConnectionClosed.String())
		w.Failed()
	}
}
