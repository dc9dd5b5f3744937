//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
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

// startNested runs one of the two and asks it once, with a trace.
func startNested(t *testing.T, kind string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	cmd := exec.Command(python, "-c", nested, kind)
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME="+kind)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	ask := exec.Command("curl", "-sf", "-H", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"http://127.0.0.1:"+strings.TrimSpace(port)+"/outer")
	answer, err := ask.CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "ok", string(answer))
}

// The request that a thread makes while it serves another one is its child.
func TestLiveParents(t *testing.T) {
	l := newLive(t, nil)
	l.start(t)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	outer := func(s ptrace.Span) bool {
		return s.Kind() == ptrace.SpanKindServer && valueOf(s.Attributes(), schema.URLPath) == "/outer"
	}
	client := func(s ptrace.Span) bool { return s.Kind() == ptrace.SpanKindClient }

	startNested(t, "threads")
	parent, child := l.span(t, "threads", outer), l.span(t, "threads", client)
	assert.Equal(t, trace, parent.TraceID().String())
	assert.Equal(t, "b7ad6b7169203331", parent.ParentSpanID().String(), "the caller's")
	assert.Equal(t, trace, child.TraceID().String())
	assert.Equal(t, parent.SpanID(), child.ParentSpanID())

	startNested(t, "loop")
	parent, child = l.span(t, "loop", outer), l.span(t, "loop", client)
	assert.Equal(t, trace, parent.TraceID().String())
	assert.True(t, child.ParentSpanID().IsEmpty(), "it could belong to any request of the loop")
}
