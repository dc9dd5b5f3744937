// Package dbfacts holds what is known about an operation of a database,
// whichever protocol carried it, and turns it into the attributes of a span.
package dbfacts

import (
	"strings"

	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Facts of one operation. The byte slices are its own; an empty one means that
// there was none, or that it lies beyond the bound.
type Facts struct {
	System    string // db.system.name
	Namespace []byte // database, or its number
	// Collection is what a command is about where there is no statement.
	Collection []byte
	// Statement is what was executed, shared with equal ones. Of a batch it is
	// the first.
	Statement *querytext.Statement
	// Operation is a command where there is no statement.
	Operation []byte
	Procedure []byte // that a command runs
	Text      []byte // of a command, without values
	// TraceParent is what a comment in the statement says (sqlcommenter).
	TraceParent []byte
	Status      []byte // of an error; empty on success
	SQLState    []byte // of an error whose Status is not one already
	Rows        int64  // that were returned, if HasRows
	Batch       int    // operations that were sent as one; 0: it is not a batch
	Class       exchange.Class
	// Consistency is the level that a request asks for, as the conventions name
	// it; empty where there is none.
	Consistency string

	Failed     bool // also when Status is not known
	HasRows    bool
	Mixed      bool // the batch has different statements
	Prepares   bool // the statement was prepared, not executed
	Unseen     bool // the statement was prepared before its connection was joined
	TextCut    bool // Text goes on
	Hidden     bool // the outcome lies beyond the bound
	RowsHidden bool // the number of rows does
	// BatchHidden says that a batch has more operations than were seen.
	BatchHidden bool
	// NamespaceHidden says that Namespace does.
	NamespaceHidden bool
	CallerGone      bool // the client ended its side before the response was complete
}

var (
	_ exchange.Facts  = (*Facts)(nil)
	_ spans.Describer = (*Facts)(nil)
)

// Of returns the facts of an exchange of a database.
func Of(ex *exchange.Exchange) *Facts { return ex.Facts.(*Facts) }

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	*f = Facts{
		Namespace: f.Namespace[:0], Collection: f.Collection[:0], Operation: f.Operation[:0], Procedure: f.Procedure[:0], Text: f.Text[:0],
		TraceParent: f.TraceParent[:0], Status: f.Status[:0], SQLState: f.SQLState[:0],
	}
}

// Known tells whether enough is known for a span.
func (f *Facts) Known() bool { return f.Statement != nil || f.Unseen || len(f.Operation) != 0 }

// Execute adds the execution of a statement; nil stands for one whose text is
// not known. The second makes a batch of them, but for the BEGIN that drivers put
// before the first statement of a transaction: that one is what was asked for.
func (f *Facts) Execute(st *querytext.Statement) {
	switch {
	case f.Prepares || !f.Known() || f.Batch == 0 && begins(f.Statement):
		f.Statement, f.Unseen, f.Prepares = st, st == nil, false
		return
	case !f.Mixed && (f.Statement != st || f.Unseen):
		f.Mixed = true
		for range max(f.Batch, 1) {
			f.append(f.Statement)
		}
	}
	f.Batch = max(f.Batch, 1) + 1
	if f.Mixed {
		f.Unseen = f.Unseen || st == nil
		f.append(st)
	}
}

// begins tells whether a statement does nothing but begin a transaction.
func begins(st *querytext.Statement) bool {
	return st != nil && (strings.EqualFold(st.Summary, "BEGIN") || strings.EqualFold(st.Summary, "START"))
}

// maxTexts bounds the texts of a batch of different statements together.
const maxTexts = 4096

// append adds a statement to the texts of a batch.
func (f *Facts) append(st *querytext.Statement) {
	switch {
	case f.TextCut || st == nil:
		return
	case len(f.Text)+len(st.Text) > maxTexts:
		f.TextCut = true
		return
	case len(f.Text) > 0:
		f.Text = append(f.Text, "; "...)
	}
	f.Text = append(f.Text, st.Text...)
}

// Prepare adds the preparation of a statement, which counts as long as nothing
// is executed; nil stands for one whose text is not known.
func (f *Facts) Prepare(st *querytext.Statement) {
	if !f.Known() {
		f.Statement, f.Unseen, f.Prepares = st, st == nil, true
	}
}

// Trace remembers the first trace context of the statements' comments.
func (f *Facts) Trace(parent string) {
	if len(f.TraceParent) == 0 {
		f.TraceParent = append(f.TraceParent, parent...)
	}
}

// Fail remembers the first error.
func (f *Facts) Fail(status []byte) {
	f.Failed = true
	if len(f.Status) == 0 {
		f.Status = append(f.Status, status...)
	}
}

// Return adds rows that were returned.
func (f *Facts) Return(rows int64) {
	f.Rows += rows
	f.HasRows = true
}
