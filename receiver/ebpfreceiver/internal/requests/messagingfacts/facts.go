// Package messagingfacts holds what is known about an operation of a message
// broker, whichever protocol carried it, and turns it into the attributes of a
// span. Protocols embed Facts in their own, which add what only they know.
package messagingfacts

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Type is what kind of thing an operation does to messages, by the conventions.
type Type uint8

// Types. Other is for what does none of the rest: its spans have no type.
const (
	Other Type = iota
	Send
	Receive
	Process
	Settle
)

var typeNames = [...]string{Send: "send", Receive: "receive", Process: "process", Settle: "settle"}

// Facts of one operation. The byte slices are its own; an empty one means that
// there was none, or that it is not known.
type Facts struct {
	System      string // messaging.system
	Operation   string // messaging.operation.name
	Type        Type
	Destination []byte // messaging.destination.name
	// Temporary: the destination exists for one conversation, and has a name of
	// its own each time.
	Temporary bool
	// TraceParent is what the message's headers say.
	TraceParent []byte
	Error       []byte // error.type; empty on success
	CallerGone  bool   // the client ended its side before the response was complete
	// Held: the request waits for messages, so that a client may leave without
	// anything being wrong.
	Held bool
}

// Reset empties f and keeps its memory.
func (f *Facts) Reset() {
	*f = Facts{Destination: f.Destination[:0], TraceParent: f.TraceParent[:0], Error: f.Error[:0]}
}

// Fail remembers the first error.
func (f *Facts) Fail(why string) {
	if len(f.Error) == 0 {
		f.Error = append(f.Error, why...)
	}
}

// Context implements exchange.Contexter.
func (f *Facts) Context() (exchange.Context, bool) {
	p, ok := spans.ParseTraceParent(f.TraceParent)
	return exchange.Context{Trace: p.Trace, Span: p.Span, Flags: p.Flags}, ok
}

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if f.Operation == "" {
		return false
	}
	w.Text(schema.MessagingSystem, f.System)
	w.Text(schema.MessagingOperationName, f.Operation)
	if f.Type != Other {
		w.Text(schema.MessagingOperationType, typeNames[f.Type])
	}
	w.Bytes(schema.MessagingDestinationName, f.Destination)
	if f.Temporary {
		w.Bool(schema.MessagingDestinationTemporary, true)
	}
	f.name(w)
	f.kind(ex, w)
	w.Server(ex)
	f.outcome(ex, w)
	if p, ok := spans.ParseTraceParent(f.TraceParent); ok {
		w.Parent(p.Trace, p.Span, p.Flags, "")
	}
	return true
}

// name names the span after the operation and, if it has few values, the
// destination.
func (f *Facts) name(w *spans.Writer) {
	if f.Temporary || len(f.Destination) == 0 {
		w.Name(f.Operation)
		return
	}
	buf := append(w.Scratch(), f.Operation...)
	buf = append(buf, ' ')
	buf = append(buf, f.Destination...)
	w.Keep(buf)
	w.Name(w.Intern(buf))
}

// kind tells producers and consumers from clients that do something else.
func (f *Facts) kind(ex *exchange.Exchange, w *spans.Writer) {
	switch {
	case ex.Role != event.RoleClient:
	case f.Type == Send:
		w.Kind(ptrace.SpanKindProducer)
	case f.Type == Process:
		w.Kind(ptrace.SpanKindConsumer)
	}
}

// outcome writes how it ended.
func (f *Facts) outcome(ex *exchange.Exchange, w *spans.Writer) {
	switch {
	case len(f.Error) != 0:
		w.Bytes(schema.ErrorType, f.Error)
		w.Failed()
	case ex.Incomplete != exchange.ConnectionClosed:
	case f.CallerGone && (f.Held || ex.Role != event.RoleClient):
	default:
		w.Text(schema.ErrorType, exchange.ConnectionClosed.String())
		w.Failed()
	}
}
