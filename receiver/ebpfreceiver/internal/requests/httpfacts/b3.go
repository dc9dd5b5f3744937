package httpfacts

import (
	"bytes"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// b3 is what the headers of Zipkin's propagation say, in one header or in
// several.
type b3 struct {
	single  []byte // b3: {trace}-{span}[-{state}[-{parent}]], or {state} alone
	trace   []byte // X-B3-TraceId
	span    []byte // X-B3-SpanId
	sampled bool   // X-B3-Sampled or X-B3-Flags ask for it
}

func (h *b3) reset() { *h = b3{single: h.single[:0], trace: h.trace[:0], span: h.span[:0]} }

// set takes over a header whose name begins with x-b3-.
func (h *b3) set(name, value []byte) {
	set(&h.trace, name, "x-b3-traceid", value)
	set(&h.span, name, "x-b3-spanid", value)
	if Fold(name, "x-b3-sampled") || Fold(name, "x-b3-flags") {
		h.sampled = h.sampled || isSampled(value)
	}
}

// isSampled reads a sampling state; debug implies it. Flags has 1 for debug.
func isSampled(state []byte) bool {
	return string(state) == "1" || string(state) == "d" || string(state) == "true"
}

// empty tells whether the headers name no span.
func (h *b3) empty() bool { return len(h.single) == 0 && len(h.span) == 0 }

// parent reads the headers; the single one wins, as its specification demands.
func (h *b3) parent() (spans.Parent, bool) {
	if len(h.single) == 0 {
		return b3Parent(h.trace, h.span, h.sampled)
	}
	trace, rest, ok := bytes.Cut(h.single, []byte("-"))
	if !ok { // a state alone names no parent
		return spans.Parent{}, false
	}
	span, rest, _ := bytes.Cut(rest, []byte("-"))
	state, _, _ := bytes.Cut(rest, []byte("-"))
	return b3Parent(trace, span, isSampled(state))
}

// b3Parent reads the two ids. A trace id of 64 bits is the lower half of one of
// 128.
func b3Parent(trace, span []byte, sampled bool) (p spans.Parent, ok bool) {
	half := p.Trace[8:]
	switch {
	case len(span) != 16 || !spans.Unhex(p.Span[:], span):
		return p, false
	case len(trace) == 16:
		ok = spans.Unhex(half, trace)
	case len(trace) == 32:
		ok = spans.Unhex(p.Trace[:], trace)
	}
	if sampled {
		p.Flags = 1
	}
	return p, ok && p.Trace != [16]byte{} && p.Span != [8]byte{}
}
