package httpfacts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

func TestInferredRoute(t *testing.T) {
	for path, want := range map[string]string{
		"/":                    "/",
		"/users":               "/users",
		"/users/":              "/users/",
		"/users/42":            "/users/{id}",
		"/users/42/pay":        "/users/{id}/pay",
		"/v1/api2/oauth2/utf8": "/v1/api2/oauth2/utf8",
		"/o/550e8400-e29b-41d4-a716-446655440000":     "/o/{id}",
		"/commit/9fceb02d0ae598e95dc970b74767f19372d": "/commit/{id}",
		"/order-12345":                  "/{id}",
		"/2026-11-22/report":            "/{id}/report",
		"/img/app.3f2a1b9c.js":          "/img/{id}.js",
		"/deadbeef":                     "/deadbeef",
		"/u/me@example.org":             "/u/{id}",
		"/q/caf%C3%A9":                  "/q/{id}",
		"/t/" + strings.Repeat("x", 33): "/t/{id}",
		"/a/b/c/d/e/f/g/h/i/j":          "/a/b/c/d/e/f/g/h/*",
		"/index.html":                   "/index.html",
	} {
		got, ok := appendRoute(nil, []byte(path))
		require.True(t, ok, path)
		require.Equal(t, want, string(got), path)
	}
	for _, path := range []string{"", "*", "users", "/" + strings.Repeat(strings.Repeat("a", 31)+"/", 8)} {
		_, ok := appendRoute(nil, []byte(path))
		require.False(t, ok, path)
	}
}

func TestClass(t *testing.T) {
	for _, tt := range []struct {
		facts Facts
		want  exchange.Class
	}{
		{Facts{Target: []byte("/x?watch=trueish")}, exchange.Unary},
		{Facts{Target: []byte("/api/v1/pods?watch=true")}, exchange.Wait},
		{Facts{Target: []byte("/api/v1/pods?a=b&watch=1")}, exchange.Wait},
		{Facts{Target: []byte("/v1/kv/x?index=7&wait=5m")}, exchange.Wait},
		{Facts{Target: []byte("/v1/kv/x?index=7")}, exchange.Unary},
		{Facts{Held: true}, exchange.Wait},
		{Facts{EventStream: true}, exchange.Stream},
		{Facts{Upgraded: true}, exchange.Stream},
		{Facts{UserAgent: []byte("kube-probe/1.31")}, exchange.Probe},
		{Facts{UserAgent: []byte("GoogleHC/1.0")}, exchange.Probe},
		{Facts{UserAgent: []byte("ELB-HealthChecker/2.0")}, exchange.Probe},
		{Facts{UserAgent: []byte("Consul Health Check")}, exchange.Probe},
		{Facts{UserAgent: []byte("Envoy/HC")}, exchange.Probe},
		{Facts{UserAgent: []byte("HAProxy/HealthCheck")}, exchange.Probe},
		{Facts{UserAgent: []byte("Go-Health-Check")}, exchange.Probe},
		{Facts{UserAgent: []byte("kube-probe/1.31"), EventStream: true}, exchange.Probe},
		{Facts{Held: true, EventStream: true}, exchange.Stream},
		{Facts{UserAgent: []byte("kube-prob")}, exchange.Unary},
	} {
		require.Equal(t, tt.want, tt.facts.Class(), "%+v", tt.facts)
	}
}

func TestSetHeader(t *testing.T) {
	var f Facts
	for _, h := range []string{
		"HOST: a", "host: b", "User-Agent: curl", "TraceParent: tp", "tracestate: ts", "Prefer: respond-async, WAIT=10",
		"X-Forwarded-For:  1.1.1.1 , 2.2.2.2", "X-Forwarded-Proto: https", "Hosts: c", "Prefix: wait=1",
	} {
		name, value, _ := strings.Cut(h, ": ")
		f.SetHeader([]byte(name), []byte(value))
	}
	require.Equal(t, Facts{
		Host: []byte("a"), UserAgent: []byte("curl"), TraceParent: []byte("tp"), TraceState: []byte("ts"),
		ForwardedFor: []byte("1.1.1.1"), ForwardedProto: []byte("https"), Held: true,
	}, f)
	f.Reset()
	require.Empty(t, f.Host)
	require.False(t, f.Held)
	require.NotZero(t, cap(f.Host), "memory is kept")
}

func TestSplitAuthority(t *testing.T) {
	for in, want := range map[string]struct {
		host string
		port uint16
	}{
		"":            {"", 0},
		"h":           {"h", 0},
		"h:80":        {"h", 80},
		"h:":          {"h", 0},
		"h:99999":     {"h", 0},
		"h:8x":        {"h", 0},
		"::1":         {"::1", 0},
		"[::1]":       {"::1", 0},
		"[::1]:8080":  {"::1", 8080},
		"[::1":        {"[::1", 0},
		"1.2.3.4:123": {"1.2.3.4", 123},
	} {
		host, port := splitAuthority([]byte(in))
		require.Equal(t, want.host, string(host), in)
		require.Equal(t, want.port, port, in)
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"/", "*", "h:443", "http://u:p@h/p?q#f", "/a?token=x&&=&b", "//h/p", "/a b/%zz", "x://"} {
		f.Add([]byte(s), false)
	}
	f.Add([]byte("h:443"), true)
	f.Fuzz(func(t *testing.T, raw []byte, connect bool) {
		parts := splitTarget(raw, connect)
		require.LessOrEqual(t, len(parts.path)+len(parts.query)+len(parts.authority), len(raw))
		appendQuery(nil, parts.query, true)
		if route, ok := appendRoute(nil, parts.path); ok {
			require.LessOrEqual(t, len(route), maxRouteBytes)
		}
		splitAuthority(parts.authority)
	})
}
