package httpfacts

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"

// Parent gives the span the parent that the request names, if it names one. Of
// several formats the W3C's counts first.
func (f *Facts) Parent(w *spans.Writer) {
	if p, ok := spans.ParseTraceParent(f.TraceParent); ok {
		w.Parent(p.Trace, p.Span, p.Flags, string(f.TraceState))
	} else if p, ok := f.b3.parent(); ok {
		w.Parent(p.Trace, p.Span, p.Flags, "")
	}
}
