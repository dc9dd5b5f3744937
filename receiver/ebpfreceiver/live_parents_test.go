//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

// nested is a server of one thread per connection, which asks itself for /inner
// to answer /outer; and one with an event loop, whose requests nothing in the
// kernel ties to each other.
const nested = `
import asyncio, http.server, sys, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/outer":
            urllib.request.urlopen("http://127.0.0.1:%d/inner" % self.server.server_port).read()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

async def answer(reader, writer):
    line = await reader.readline()
    while (await reader.readline()).strip():
        pass
    if b"/outer" in line:
        r, w = await asyncio.open_connection("127.0.0.1", writer.get_extra_info("sockname")[1])
        w.write(b"GET /inner HTTP/1.1\r\nHost: h\r\n\r\n")
        await w.drain()
        await r.read()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()

async def loop():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

if sys.argv[1] == "threads":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
asyncio.run(loop())
`

// startNested runs one of the two and returns its URL.
func startNested(t *testing.T, kind string) string {
	t.Helper()
	needs(t, "python3")
	cmd := exec.Command("python3", "-c", nested, kind)
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME="+kind)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// askWith asks once, with headers, by a program that traces nothing itself.
func askWith(t *testing.T, url string, headers ...string) {
	t.Helper()
	args := []string{"-sf", url}
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	answer, err := exec.Command("curl", args...).CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "ok", string(answer))
}

// servedAt selects the server's span of a path.
func servedAt(path string) func(ptrace.Span) bool {
	return func(s ptrace.Span) bool {
		return s.Kind() == ptrace.SpanKindServer && valueOf(s.Attributes(), schema.URLPath) == path
	}
}

// Headers of Zipkin's propagation name the parent as traceparent does. What is none
// of them, or only says whether to sample, makes a trace of its own.
func TestLiveB3(t *testing.T) {
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	l := newLive(t, nil)
	l.start(t)
	url := startNested(t, "threads")
	for _, tt := range []struct {
		path, trace string
		headers     []string
	}{
		{"/single", trace, []string{"b3: " + trace + "-" + parent + "-1-05e3ac9a4f6e3b90"}},
		{"/short", "0000000000000000" + trace[16:], []string{"b3: " + trace[16:] + "-" + parent}},
		{"/multi", trace, []string{"X-B3-TraceId: " + trace, "X-B3-SpanId: " + parent, "X-B3-Sampled: 1"}},
		{"/lower", trace, []string{"x-b3-traceid: " + trace, "x-b3-spanid: " + parent}},
		{"/state", "", []string{"b3: 0"}},
		{"/broken", "", []string{"b3: " + trace + "-xyz-1"}},
		{"/half", "", []string{"X-B3-TraceId: " + trace}},
	} {
		askWith(t, url+tt.path, tt.headers...)
		s := l.span(t, "threads", servedAt(tt.path))
		if tt.trace == "" {
			assert.True(t, s.ParentSpanID().IsEmpty(), tt.path)
			assert.NotEqual(t, trace, s.TraceID().String(), tt.path)
			assert.False(t, s.TraceID().IsEmpty(), tt.path)
			continue
		}
		assert.Equal(t, tt.trace, s.TraceID().String(), tt.path)
		assert.Equal(t, parent, s.ParentSpanID().String(), tt.path)
	}
}

// The request that a thread makes while it serves another one is its child.
func TestLiveParents(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	const traceparent = "traceparent: 00-" + trace + "-b7ad6b7169203331-01"
	client := func(s ptrace.Span) bool { return s.Kind() == ptrace.SpanKindClient }

	askWith(t, startNested(t, "threads")+"/outer", traceparent)
	parent, child := l.span(t, "threads", servedAt("/outer")), l.span(t, "threads", client)
	assert.Equal(t, trace, parent.TraceID().String())
	assert.Equal(t, "b7ad6b7169203331", parent.ParentSpanID().String(), "the caller's")
	assert.Equal(t, trace, child.TraceID().String())
	assert.Equal(t, parent.SpanID(), child.ParentSpanID())

	askWith(t, startNested(t, "loop")+"/outer", traceparent)
	parent, child = l.span(t, "loop", servedAt("/outer")), l.span(t, "loop", client)
	assert.Equal(t, trace, parent.TraceID().String())
	assert.True(t, child.ParentSpanID().IsEmpty(), "it could belong to any request of the loop")
}

// many is how many requests are under way at once in TestLiveParentsOfGoroutines.
const many = 8

// serveNested answers /outer/N by asking itself for /inner/N from the goroutine
// that serves it, and /pooled/N by way of a client that has goroutines of its own,
// while many requests are under way.
func serveNested(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	all.Add(many)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, n := filepath.Split(r.URL.Path)
		switch path {
		case "/outer/":
			all.Done()
			all.Wait()
			conn, err := net.Dial("tcp", r.Host)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprintf(conn, "GET /inner/%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", n)
			_, _ = io.Copy(io.Discard, conn)
		case "/pooled/":
			resp, err := http.Get("http://" + r.Host + "/inner/" + n)
			if err == nil {
				_ = resp.Body.Close()
			}
		}
		_, _ = io.WriteString(w, "ok")
	}))
	fmt.Println(s.URL)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
}

// The request that a goroutine makes while it serves another one is its child,
// however many share its thread. One that a connection pool's goroutine sends has
// no parent.
func TestLiveParentsOfGoroutines(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	url := startServerAs(t, "nested", "goroutines")
	ask := func(path string) {
		resp, err := http.Get(url + path)
		if assert.NoError(t, err) {
			_ = resp.Body.Close()
		}
	}
	var done sync.WaitGroup
	for n := range many {
		done.Go(func() { ask(fmt.Sprint("/outer/", n)) })
	}
	done.Wait()
	ask("/pooled/100")

	with := func(kind ptrace.SpanKind, path string) func(ptrace.Span) bool {
		return func(s ptrace.Span) bool { return s.Kind() == kind && valueOf(s.Attributes(), schema.URLPath) == path }
	}
	client := func(path string) func(ptrace.Span) bool {
		return func(s ptrace.Span) bool {
			return s.Kind() == ptrace.SpanKindClient && strings.HasSuffix(valueOf(s.Attributes(), schema.URLFull), path)
		}
	}
	for n := range many {
		parent := l.span(t, "goroutines", with(ptrace.SpanKindServer, fmt.Sprint("/outer/", n)))
		child := l.span(t, "goroutines", client(fmt.Sprint("/inner/", n)))
		assert.Equal(t, parent.SpanID(), child.ParentSpanID(), n)
		assert.Equal(t, parent.TraceID(), child.TraceID(), n)
	}
	assert.True(t, l.span(t, "goroutines", client("/inner/100")).ParentSpanID().IsEmpty())
}
