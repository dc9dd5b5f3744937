package exchange

// Context is what a request says of the span that caused it.
type Context struct {
	Trace [16]byte
	Span  [8]byte
	Flags byte   // as in a traceparent
	State string // of a tracestate
}

// Valid tells whether there is a span.
func (c *Context) Valid() bool { return c.Span != [8]byte{} && c.Trace != [16]byte{} }

// Contexter is implemented by facts that know the context that a request
// carried.
type Contexter interface {
	// Context returns it, false when the request carried none.
	Context() (Context, bool)
}
