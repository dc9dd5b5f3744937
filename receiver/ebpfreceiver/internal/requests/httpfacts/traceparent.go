package httpfacts

import (
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Parent gives the span the parent that the request names, if it names one.
func (f *Facts) Parent(w *spans.Writer) {
	if p, ok := f.Context(); ok {
		w.Parent(p.Trace, p.Span, p.Flags, p.State)
	}
}

// Context implements exchange.Contexter. Of several formats the W3C's counts
// first.
func (f *Facts) Context() (exchange.Context, bool) {
	if len(f.TraceParent) == 0 && f.b3.empty() {
		return exchange.Context{}, false
	}
	if p, ok := spans.ParseTraceParent(f.TraceParent); ok {
		return exchange.Context{Trace: p.Trace, Span: p.Span, Flags: p.Flags, State: string(f.TraceState)}, true
	}
	p, ok := f.b3.parent()
	return exchange.Context{Trace: p.Trace, Span: p.Span, Flags: p.Flags}, ok
}
