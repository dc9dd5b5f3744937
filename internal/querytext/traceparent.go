package querytext

import "strings"

// traceKey is how sqlcommenter writes the trace context into a comment:
// /*key='value',traceparent='00-...-01'*/, keys and values URL-encoded.
const traceKey = "traceparent='"

// trace remembers the trace context that a comment holds. The first one counts.
func (s *scanner) trace(comment string) {
	if s.parent != "" {
		return
	}
	_, rest, found := strings.Cut(comment, traceKey)
	if !found {
		return
	}
	if value, _, ended := strings.Cut(rest, "'"); ended {
		s.parent = value
	}
}
