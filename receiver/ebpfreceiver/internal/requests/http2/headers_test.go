package http2

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is known of a request does not depend on the version that carries it.
func TestFieldsOfARequest(t *testing.T) {
	s := newScript(false, false).greet()
	s.c.headers(1, true, ":method", "GET", ":scheme", "https", ":path", "/a?b=c", ":authority", "h:81", "user-agent", "curl/8",
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "a=b",
		"x-forwarded-for", "1.2.3.4, 5.6.7.8", "prefer", "wait=3")
	s.c.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/", "b3", "0af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-1")
	s.req()
	streams := s.p.(*Parser).streams
	f := facts(streams[1].ex)
	require.Equal(t, "GET /a?b=c h:81 curl/8 1.2.3.4", fmt.Sprintf("%s %s %s %s %s", f.Method, f.Target, f.Host, f.UserAgent, f.ForwardedFor))
	require.True(t, f.HTTPS)
	require.True(t, f.Held)
	parent, ok := f.Context()
	require.True(t, ok)
	require.Equal(t, "b7ad6b7169203331 a=b", fmt.Sprintf("%x %s", parent.Span, parent.State))
	f = facts(streams[3].ex)
	require.False(t, f.HTTPS)
	parent, ok = f.Context()
	require.True(t, ok)
	require.Equal(t, "c7ad6b7169203331", fmt.Sprintf("%x", parent.Span))
}
