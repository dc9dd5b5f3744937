package terminalexporter

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func requireGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s; -update rewrites it", path)
}

// recordOf makes a record; attributes come on top of those of a process.
func recordOf(event, body string, resource, attributes map[string]any) record {
	lr := plog.NewLogRecord()
	lr.SetEventName(event)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(noon))
	lr.Body().SetStr(body)
	all := map[string]any{
		schema.ProcessPID: 4321, schema.ProcessName: "cat", schema.ProcessUserID: 0, schema.ProcessUserName: "root", schema.ProcessParentName: "bash",
	}
	maps.Copy(all, attributes)
	if err := lr.Attributes().FromRaw(all); err != nil {
		panic(err)
	}
	res := pcommon.NewMap()
	if err := res.FromRaw(resource); err != nil {
		panic(err)
	}
	return record{lr, res}
}

// records is one of each sort that is worth a line.
func records() []record {
	host := map[string]any{schema.ServiceName: "ssh"}
	pod := map[string]any{schema.ServiceName: "checkout", schema.ServiceNamespace: "shop", schema.ContainerID: strings.Repeat("0123456789abcdef", 4), schema.K8sPodName: "checkout-6d4f-x2x"}
	container := map[string]any{schema.ContainerID: strings.Repeat("0123456789abcdef", 4)}
	args := func(words ...any) []any { return words }
	return []record{
		recordOf(schema.EventProcessExec, "", host, map[string]any{schema.ProcessCommandArgs: args("cat", "/etc/shadow", "a b")}),
		recordOf(schema.EventProcessExec, "", pod, map[string]any{schema.ProcessCommandArgs: args("sh", "-c", "echo \x1b[2J\x9b"), schema.ProcessUpperLayer: true}),
		recordOf(schema.EventProcessExec, "", container, map[string]any{schema.ProcessCommandLine: "only a line", schema.ProcessMemfd: true}),
		recordOf(schema.EventProcessExec, "", nil, map[string]any{schema.ProcessCommandArgs: args("x"), schema.ProcessArgsTruncated: true, schema.ErrorType: "ENOENT"}),
		recordOf(schema.EventProcessExec, "", nil, map[string]any{schema.ProcessPath: "/bin/cat", schema.ProcessCommandArgs: args()}),
		recordOf(schema.EventPolicyMatch, "A shell was run in a container (user=root)", pod, map[string]any{schema.RuleName: "Terminal shell in container", schema.RulePriority: "Notice"}),
		recordOf(schema.EventNetworkListen, "", host, map[string]any{schema.NetworkTransport: "tcp", schema.NetworkLocalAddress: "0.0.0.0", schema.NetworkLocalPort: 22}),
		recordOf(schema.EventNetworkListen, "", host, map[string]any{schema.NetworkTransport: "tcp", schema.NetworkLocalAddress: "::", schema.NetworkLocalPort: 22}),
		recordOf(schema.EventNetworkListen, "", host, map[string]any{schema.NetworkType: "unix", schema.NetworkLocalAddress: "/run/x.sock"}),
		recordOf(schema.EventNetworkConnect, "", host, map[string]any{schema.NetworkTransport: "tcp", schema.NetworkPeerAddress: "10.0.0.1", schema.NetworkPeerPort: 443, schema.ErrorType: "ECONNREFUSED"}),
		recordOf(schema.EventNetworkAccept, "", host, map[string]any{schema.NetworkPeerAddress: "10.0.0.1", schema.NetworkPeerPort: 50000}),
		recordOf(schema.EventLoginStart, "", host, map[string]any{schema.ProcessLoginUserName: "alice", schema.ClientAddress: "10.0.0.7", schema.ProcessCommandArgs: args("-bash")}),
		recordOf(schema.EventLoginEnd, "", host, map[string]any{schema.ProcessLoginUID: 1000, schema.ProcessCommandArgs: args("-bash")}),
		recordOf(schema.EventFileOpen, "", host, map[string]any{schema.FilePath: "/etc/passwd"}),
		recordOf(schema.EventFileChange, "", host, map[string]any{schema.FileOperation: "rename", schema.FilePath: "/b", schema.FilePreviousPath: "/a", schema.ErrorType: "EACCES"}),
		recordOf(schema.EventProcessExit, "", host, map[string]any{schema.ProcessExitCode: 1}),
		recordOf(schema.EventProcessExit, "", host, map[string]any{schema.ProcessExitCode: 137, schema.ProcessExitSignal: 9}),
		recordOf(schema.EventSyscall, "", host, map[string]any{schema.SyscallName: "setuid", schema.SyscallReturn: -1, schema.ErrorType: "EPERM"}),
	}
}

func lineOf(r record) screen.Line {
	return kinds[newSelection(showNames()).byEvent[r.EventName()]].line(r)
}

func TestLines(t *testing.T) {
	var buf []byte
	for _, r := range records() {
		buf = screen.Style{}.AppendLine(buf, lineOf(r))
	}
	requireGolden(t, "lines.txt", string(buf))
}

func TestWhatListens(t *testing.T) {
	for name, c := range map[string]struct {
		attributes map[string]any
		shown      bool
	}{
		"listen":        {map[string]any{schema.SyscallName: "listen", schema.NetworkTransport: "tcp", schema.NetworkLocalAddress: "::", schema.NetworkLocalPort: 80}, true},
		"udp server":    {map[string]any{schema.SyscallName: "bind", schema.NetworkTransport: "udp", schema.NetworkLocalAddress: "0.0.0.0", schema.NetworkLocalPort: 53}, true},
		"udp client":    {map[string]any{schema.SyscallName: "bind", schema.NetworkTransport: "udp", schema.NetworkLocalAddress: "0.0.0.0", schema.NetworkLocalPort: 0}, false},
		"before listen": {map[string]any{schema.SyscallName: "bind", schema.NetworkTransport: "tcp", schema.NetworkLocalAddress: "::", schema.NetworkLocalPort: 80}, false},
		"no address":    {map[string]any{schema.SyscallName: "listen"}, false},
	} {
		ld := plog.NewLogs()
		recordOf(schema.EventNetworkListen, "", nil, c.attributes).MoveTo(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
		s := newSelection([]string{"listens"})
		require.Equal(t, c.shown, len(s.from(ld)) == 1, name)
	}
}

func TestTheNameOfARuleIsNotRepeated(t *testing.T) {
	l := detectionLine(recordOf(schema.EventPolicyMatch, "Shell in container: user=root", nil, map[string]any{schema.RuleName: "Shell in container"}))
	require.Equal(t, "Shell in container", string(l.Title))
	require.Equal(t, "user=root", string(l.Text))
}

func TestRequestLines(t *testing.T) {
	resource := pcommon.NewMap()
	resource.PutStr(schema.ServiceName, "checkout")
	resource.PutStr(schema.ContainerName, "web-1")
	var buf []byte
	for _, one := range []struct {
		kind       ptrace.SpanKind
		attributes map[string]any
		failed     bool
	}{
		{ptrace.SpanKindServer, map[string]any{schema.HTTPRequestMethod: "GET", schema.URLPath: "/cart", schema.HTTPResponseStatusCode: 200, schema.ClientAddress: "10.0.0.7", schema.ProcessPID: 77}, false},
		{ptrace.SpanKindClient, map[string]any{schema.HTTPRequestMethod: "POST", schema.URLFull: "http://db/x\x1b[1m", schema.HTTPResponseStatusCode: 500, schema.ErrorType: "500", schema.ServicePeerName: "db"}, false},
		{ptrace.SpanKindClient, map[string]any{schema.DBSystemName: "redis", schema.ServicePeerName: "cache"}, false},
		{ptrace.SpanKindClient, nil, true},
	} {
		span := ptrace.NewSpan()
		span.SetName("SELECT orders")
		span.SetKind(one.kind)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(noon))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(noon.Add(12345 * time.Microsecond)))
		require.NoError(t, span.Attributes().FromRaw(one.attributes))
		if one.failed {
			span.Status().SetCode(ptrace.StatusCodeError)
			span.SetEndTimestamp(0)
		}
		buf = screen.Style{}.AppendLine(buf, requestLine(resource, span))
	}
	requireGolden(t, "requests.txt", string(buf))
}

func TestSelectionKnowsEveryEventOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, one := range kinds {
		for _, event := range one.events {
			require.False(t, seen[event], event)
			seen[event] = true
		}
	}
	s := newSelection([]string{"commands", "requests"})
	require.Len(t, s.byEvent, 1)
	require.True(t, s.requests)
	require.Equal(t, "requests", kinds[kindRequest].show)
	require.Equal(t, "detections", kinds[kindDetection].show)
}

func TestTextsAreBounded(t *testing.T) {
	huge := strings.Repeat("ä", 1<<20)
	require.Less(t, len(safe(huge)), screen.MaxText+16)
	require.Less(t, len(safe(huge[1:])), 4*screen.MaxText, "invalid at the cut")
	r := recordOf(schema.EventProcessExec, huge, map[string]any{schema.ServiceName: huge}, map[string]any{schema.ProcessCommandArgs: []any{"a", "b", huge}, schema.ProcessName: huge})
	l := commandLine(r)
	require.Equal(t, "a b [...]", string(l.Text))
	require.Less(t, len(screen.Style{}.AppendLine(nil, l)), 3*screen.MaxText)
}

// Whatever a process calls itself, the terminal gets printable text and our
// own colours, one line per record in a pipe.
func FuzzLines(f *testing.F) {
	f.Add("\x1b]0;title\x07", "\x9b2J", "\u202e\n", 80)
	f.Add("a\r\nb", strings.Repeat("日", 300), "\x00", 0)
	f.Add("'; rm -rf /", "\x1b[?1049h", "$(id)", 60)
	f.Fuzz(func(t *testing.T, a, b, c string, width int) {
		resource := map[string]any{schema.ServiceName: a, schema.ServiceNamespace: b, schema.K8sPodName: c}
		attributes := map[string]any{
			schema.ProcessCommandArgs: []any{a, b, c}, schema.ProcessUserName: b, schema.ProcessParentName: c, schema.ProcessName: a,
			schema.RuleName: a, schema.RulePriority: b, schema.ErrorType: c, schema.FilePath: a, schema.FileOperation: b, schema.FilePreviousPath: c,
			schema.NetworkTransport: a, schema.NetworkLocalAddress: b, schema.NetworkPeerAddress: c, schema.SyscallName: a, schema.ClientAddress: b,
		}
		for _, one := range kinds {
			for _, event := range one.events {
				l := lineOf(recordOf(event, c, resource, attributes))
				pipe := screen.Style{}.AppendLine(nil, l)
				require.Equal(t, 1, strings.Count(string(pipe), "\n"))
				requireHarmless(t, string(pipe))
				requireHarmless(t, string(screen.Style{Width: width % 300}.AppendLine(nil, l)))
				requireHarmless(t, withoutColours(string(screen.Style{Colour: true}.AppendLine(nil, l))))
			}
		}
	})
}

func requireHarmless(t *testing.T, s string) {
	t.Helper()
	require.True(t, utf8.ValidString(s))
	for _, r := range strings.ReplaceAll(s, "\n", "") {
		require.False(t, unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp), "%q in %q", r, s)
	}
}

// withoutColours takes out SGR sequences as we write them, and only those.
func withoutColours(s string) string {
	for _, code := range []string{"0", "1", "2", "31", "32", "33", "34", "36", "1;31"} {
		s = strings.ReplaceAll(s, "\x1b["+code+"m", "")
	}
	return s
}
