//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/schema"
)

// steady keeps connections busy until its input ends, and then tells what it
// did on each, in order: path, and the times between which it asked.
const steady = `
import socket, sys, threading, time

host, port = sys.argv[1], int(sys.argv[2])
done, told = threading.Event(), []

def ask(n):
    conn = socket.create_connection((host, port))
    reader, i = conn.makefile("rb"), 0
    while not done.wait(0.01):
        path, begin = "/%d/%d" % (n, i), time.time_ns()
        conn.sendall(("GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path).encode())
        length = 0
        while (line := reader.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        reader.read(length)
        told.append("%s %d %d" % (path, begin, time.time_ns()))
        i += 1

threads = [threading.Thread(target=ask, args=(n,)) for n in range(int(sys.argv[3]))]
for t in threads: t.start()
print("begun", flush=True)
sys.stdin.read()
done.set()
for t in threads: t.join()
print("\n".join(told))
`

// steadyDone is what a steady client says that it did.
type steadyDone map[string][2]time.Time // by path

// startSteady runs a steady client. The result ends it.
func startSteady(t *testing.T, service, server string, connections int) (end func() steadyDone) {
	t.Helper()
	needs(t, "python3")
	at, err := url.Parse(server)
	require.NoError(t, err)
	cmd := exec.Command("python3", "-c", steady, at.Hostname(), at.Port(), fmt.Sprint(connections))
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME="+service)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	told := bufio.NewScanner(out)
	require.True(t, told.Scan())
	return func() steadyDone {
		require.NoError(t, in.Close())
		done := steadyDone{}
		for told.Scan() {
			var path string
			var begin, end int64
			_, err := fmt.Sscan(told.Text(), &path, &begin, &end)
			require.NoError(t, err)
			done[path] = [2]time.Time{time.Unix(0, begin), time.Unix(0, end)}
		}
		return done
	}
}

// clockError bounds how far the kernel's clock and the wall's may be apart. A client
// waits for longer between two requests.
const clockError = 5 * time.Millisecond

// steadySpans tells, for each connection, which of its requests l told by a span
// of a kind. Each span has to be what was done, and the only one of it.
func (l *live) steadySpans(t *testing.T, service string, kind ptrace.SpanKind, done steadyDone) map[string][]int {
	t.Helper()
	seen := map[string][]int{}
	for _, batch := range l.traces.AllTraces() {
		for _, rs := range batch.ResourceSpans().All() {
			if valueOf(rs.Resource().Attributes(), schema.ServiceName) != service {
				continue
			}
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				if valueOf(span.Attributes(), schema.RequestIncomplete) != "" {
					continue // was under way when the agent ended
				}
				path := valueOf(span.Attributes(), schema.URLPath)
				if kind == ptrace.SpanKindClient {
					at, err := url.Parse(valueOf(span.Attributes(), schema.URLFull))
					require.NoError(t, err)
					path = at.Path
				}
				require.Equal(t, kind, span.Kind(), path)
				require.Equal(t, "200", valueOf(span.Attributes(), schema.HTTPResponseStatusCode), path)
				times, ok := done[path]
				require.True(t, ok, "nobody asked for %q", path)
				require.GreaterOrEqual(t, span.StartTimestamp().AsTime().Sub(times[0]), -clockError, path)
				require.LessOrEqual(t, span.EndTimestamp().AsTime().Sub(times[1]), clockError, path)
				connection, number, _ := strings.Cut(path[1:], "/")
				n, err := strconv.Atoi(number)
				require.NoError(t, err)
				require.NotContains(t, seen[connection], n, "told twice: %s", path)
				seen[connection] = append(seen[connection], n)
			}
		}
	}
	return seen
}

// An agent that ends and is started again while connections are busy tells
// nothing wrong on either end, and nothing less between its first and its last
// request of each.
func TestLiveRestart(t *testing.T) {
	const connections = 20
	server := startServer(t, "shop")
	end := startSteady(t, "buyer", server, connections)
	agents := []*live{newLive(t, nil), newLive(t, nil)}
	for _, l := range agents {
		l.start(t)
		for n := range connections {
			l.span(t, "buyer", func(s ptrace.Span) bool {
				return strings.Contains(valueOf(s.Attributes(), schema.URLFull), fmt.Sprintf("/%d/", n))
			})
		}
		require.NoError(t, l.Shutdown(t.Context()))
	}
	done := end()
	for _, of := range []struct {
		service string
		kind    ptrace.SpanKind
	}{{"shop", ptrace.SpanKindServer}, {"buyer", ptrace.SpanKindClient}} {
		told := map[string]bool{}
		for _, l := range agents {
			for connection, all := range l.steadySpans(t, of.service, of.kind, done) {
				first, last := slices.Min(all), slices.Max(all)
				require.Len(t, all, last-first+1, "connection %s of %s: some of %d to %d are missing", connection, of.service, first, last)
				for _, n := range all {
					path := fmt.Sprintf("/%s/%d", connection, n)
					require.False(t, told[path], "told by both: %s", path)
					told[path] = true
				}
			}
		}
		require.NotEmpty(t, told)
	}
}
