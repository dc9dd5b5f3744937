//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/schema"
)

// newTLSLive starts a receiver that probes the libraries of this machine as it
// does by default, and waits until it has.
func newTLSLive(t *testing.T, change func(*Config)) *live {
	t.Helper()
	l := newLive(t, func(cfg *Config) {
		cfg.Requests.TLS = createDefaultConfig().(*Config).Requests.TLS
		if change != nil {
			change(cfg)
		}
	})
	var finder *encryption.Finder
	t.Cleanup(func() { // Shutdown does not wait for the kernel to let go of the probes
		if finder != nil {
			finder.Wait()
			require.Empty(t, ownLinks(t), "programs are still attached")
		}
	})
	l.start(t)
	finder = l.running.tls
	l.requireFollowed(t, "/libssl.so.3")
	return l
}

// requireFollowed waits until what is encrypted by a library or program whose path
// ends so is read: who is the first to use it may have spoken before.
func (l *live) requireFollowed(t *testing.T, end string) {
	t.Helper()
	require.Eventually(t, func() bool {
		return slices.ContainsFunc(l.running.tls.Libraries(), func(library encryption.Library) bool {
			return strings.HasSuffix(library.Path, end) && library.Read
		})
	}, patience, pollInterval, "no %s is followed", end)
}

// asyncClient keeps three connections busy from one event loop.
const asyncClient = `
import asyncio, ssl, sys
url, mark = sys.argv[1:]
host, port = url[8:].split(":")
context = ssl._create_unverified_context()
async def talk(i):
    r, w = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=host)
    for k in range(4):
        w.write(b"GET /%s/%s/%d/%d HTTP/1.1\r\nHost: h\r\n\r\n" % (b"ok" if k else b"no", mark.encode(), i, k))
        await w.drain()
        head = await r.readuntil(b"\r\n\r\n")
        length = [l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")][0]
        await r.readexactly(int(length.split(b":")[1]))
    w.close()
async def main():
    await asyncio.gather(*[talk(i) for i in range(3)])
asyncio.run(main())
`

const urllibClient = `
import ssl, sys, urllib.error, urllib.request
url, mark = sys.argv[1:]
for path in ("ok", "no", "ok"):
    try:
        urllib.request.urlopen(f"{url}/{path}/{mark}", context=ssl._create_unverified_context()).read()
    except urllib.error.HTTPError:
        pass
`

// tlsProgram is a client, how often it asks, and what it is fed, if anything; then it ends
// when the server closes the connection.
type tlsProgram struct {
	requests int
	line     func(mark string) []string
	input    func(mark string) string // may be nil
}

// run runs a client to its end. What becomes of it is of no interest: wget fails for what
// is missing.
func (p *tlsProgram) run(t *testing.T, mark string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	line := p.line(mark)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	if p.input != nil {
		in, err := cmd.StdinPipe() // open until the client ends
		require.NoError(t, err)
		_, err = in.Write([]byte(p.input(mark))) // a pipe holds as much
		require.NoError(t, err)
	}
	_ = cmd.Run()
}

// tlsPrograms are clients with different libraries, which use them in different
// ways.
func tlsPrograms(url string) map[string]tlsProgram {
	curl := func(args ...string) tlsProgram {
		return tlsProgram{requests: 4, line: func(mark string) []string {
			line := append([]string{"curl", "-sk"}, args...)
			for _, path := range []string{"/ok/a/", "/no/", "/ok/b/", "/large/"} {
				line = append(line, "-o", os.DevNull, url+path+mark)
			}
			return line
		}}
	}
	python := func(requests int, text string) tlsProgram {
		return tlsProgram{requests: requests, line: func(mark string) []string { return []string{"python3", "-c", text, url, mark} }}
	}
	fed := func(line ...string) tlsProgram {
		return tlsProgram{1, func(string) []string { return line }, func(mark string) string {
			return "GET /ok/" + mark + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
		}}
	}
	at := strings.TrimPrefix(url, "https://")
	_, port, _ := net.SplitHostPort(at)
	return map[string]tlsProgram{
		"curl":           curl("--http1.1"),
		"curl, HTTP 2":   curl("--http2"),
		"curl, parallel": curl("--http2", "--parallel"),
		"curl, TLS 1.2":  curl("--tls-max", "1.2"),
		"curl, TLS 1.3":  curl("--tlsv1.3"),
		"wget": {requests: 2, line: func(mark string) []string {
			return []string{"wget", "-q", "--no-check-certificate", "-O", os.DevNull, url + "/ok/" + mark, url + "/no/" + mark}
		}},
		"Python, threads": python(3, urllibClient),
		"Python, asyncio": python(12, asyncClient),
		"openssl":         fed("openssl", "s_client", "-quiet", "-connect", at),
		"gnutls-cli":      fed("gnutls-cli", "--insecure", "-p", port, "localhost"),
	}
}

// TestLiveTLSPrograms compares the spans of both sides with what the server was
// asked, and by which version of TLS.
func TestLiveTLSPrograms(t *testing.T) {
	l := newTLSLive(t, nil)
	server := startNginx(t)
	for name, program := range tlsPrograms(server.url) {
		t.Run(name, func(t *testing.T) {
			mark := marker(t)
			needs(t, program.line(mark)[0])
			program.run(t, mark)
			l.requireTold(t, server.wait(t, mark, program.requests), mark)
			version := "1.3"
			if name == "curl, TLS 1.2" {
				version = "1.2"
			}
			for _, kind := range []ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient} {
				for span := range l.marked(kind, mark) {
					require.Equal(t, version, valueOf(span.Attributes(), schema.TLSProtocolVersion), "%s", kind)
				}
			}
		})
	}
}

// A library that is replaced while programs use it is another file: who starts
// then has the new one, which is found by what its programs do. Programs in a root
// of their own, as containers have it, are no different.
func TestLiveTLSLibraryIsFound(t *testing.T) {
	l := newTLSLive(t, nil)
	server := startNginx(t)
	needs(t, "ldd", "chroot")
	root := t.TempDir()
	library := copyProgram(t, "curl", root)
	url := "https://" + strings.Replace(strings.TrimPrefix(server.url, "https://"), "localhost", "127.0.0.1", 1)
	for _, name := range []string{"first", "replaced", "again"} {
		t.Run(name, func(t *testing.T) {
			if name == "replaced" {
				require.NoError(t, os.Rename(library, library+".old"))
				copyTo(t, library+".old", library)
			}
			mark := marker(t)
			// The library is found while the first of these requests waits.
			line := []string{root, "/bin/curl", "-sk", "--http1.1", "--rate", "5/s"}
			line = append(line, url+"/ok/"+mark+"/[1-8]")
			require.NoError(t, exec.Command("chroot", line...).Run())
			require.NotEmpty(t, server.wait(t, mark, 8))
			require.True(t, soon(func() bool { return l.told(ptrace.SpanKindClient, mark)["/ok/"+mark+"/8 200"] == 1 }), l.describe())
			for line, n := range l.told(ptrace.SpanKindClient, mark) {
				require.Equal(t, 1, n, "%s is invented", line)
			}
		})
	}
}

// copyProgram copies a program with its libraries into a root, and returns where
// its libssl is.
func copyProgram(t *testing.T, program, root string) (library string) {
	t.Helper()
	exe, err := exec.LookPath(program)
	require.NoError(t, err)
	copyTo(t, exe, filepath.Join(root, "bin", program))
	out, err := exec.Command("ldd", exe).Output()
	require.NoError(t, err)
	for word := range strings.FieldsSeq(string(out)) {
		if !strings.HasPrefix(word, "/") {
			continue
		}
		at := filepath.Join(root, word)
		copyTo(t, word, at)
		if strings.HasPrefix(filepath.Base(at), "libssl.so") {
			library = at
		}
	}
	require.NotEmpty(t, library, "%s does not use OpenSSL", program)
	return library
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755)) //nolint:gosec // a root file system
	require.NoError(t, os.WriteFile(to, content, 0o755))     //nolint:gosec // a program
}

// javaClient asks a server once.
const javaClient = `
import java.net.*; import java.net.http.*; import javax.net.ssl.*; import java.security.cert.X509Certificate;
public class Client { public static void main(String[] a) throws Exception {
	System.setProperty("jdk.internal.httpclient.disableHostnameVerification", "true");
	var c = SSLContext.getInstance("TLS");
	c.init(null, new TrustManager[]{new X509TrustManager(){
		public void checkClientTrusted(X509Certificate[] x, String s) {} public void checkServerTrusted(X509Certificate[] x, String s) {}
		public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }}}, null);
	var h = HttpClient.newBuilder().sslContext(c).build();
	System.out.println(h.send(HttpRequest.newBuilder(URI.create(a[0])).build(), HttpResponse.BodyHandlers.ofString()).statusCode());
	System.in.read(); // until the parent ends: it has to be there to be looked at
} }`

// TestLiveTLSOfJava is told with its reason, and what its server sees is seen.
func TestLiveTLSOfJava(t *testing.T) {
	needs(t, "java")
	l := newTLSLive(t, nil)
	server := startNginx(t)
	mark := marker(t)
	source := filepath.Join(t.TempDir(), "Client.java")
	require.NoError(t, os.WriteFile(source, []byte(javaClient), 0o600))
	cmd := exec.Command("java", "-XX:TieredStopAtLevel=1", source, server.url+"/ok/"+mark)
	cmd.Env = append(os.Environ(), "OTEL_SERVICE_NAME=javaclient")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	want := server.wait(t, mark, 1)
	require.True(t, soon(func() bool { return len(l.told(ptrace.SpanKindServer, mark)) == 1 }))
	require.Equal(t, want, l.told(ptrace.SpanKindServer, mark))
	require.True(t, soon(func() bool { return l.opaque("javaclient") == "Java's own TLS" }), l.opaque("javaclient"))
	require.Empty(t, l.told(ptrace.SpanKindClient, mark))
	require.Empty(t, l.opaque("nginx"))
}

// opaque is why the connections of a service are not decoded.
func (l *live) opaque(service string) string { return l.opaqueAs(service, schema.DetailAttr) }

// opaqueAs is what an attribute says of these connections.
func (l *live) opaqueAs(service, attribute string) string {
	for _, m := range l.metrics.AllMetrics() {
		for _, rm := range m.ResourceMetrics().All() {
			if valueOf(rm.Resource().Attributes(), schema.ServiceName) != service {
				continue
			}
			for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
				if metric.Name() == schema.MetricOpaqueConnections {
					return valueOf(metric.Sum().DataPoints().At(0).Attributes(), attribute)
				}
			}
		}
	}
	return ""
}

// planted is what nobody may tell on.
const planted = "Pl4ntedSecret"

// TestLiveTLSKeepsSecrets looks for a secret in all that is told of requests that
// carry it where no convention wants it.
func TestLiveTLSKeepsSecrets(t *testing.T) {
	l := newTLSLive(t, nil)
	server := startNginx(t)
	mark := marker(t)
	dir := t.TempDir()
	body := filepath.Join(dir, "body")
	config := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(body, []byte(strings.Repeat(planted, 100)), 0o600))
	require.NoError(t, os.WriteFile(config, []byte("header = \"Authorization: Bearer "+planted+"\"\nheader = \"Cookie: s="+planted+"\"\nheader = \"X-Key: "+planted+"\"\n"), 0o600))
	for _, version := range []string{"--http1.1", "--http2"} {
		out, err := exec.Command("curl", "-sk", version, "-K", config, "-o", os.DevNull, "--data-binary", "@"+body,
			server.url+"/ok/"+mark).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	l.requireTold(t, server.wait(t, mark, 2), mark)
	var all []byte
	for _, batch := range l.traces.AllTraces() {
		b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(batch)
		require.NoError(t, err)
		all = append(all, b...)
	}
	for _, batch := range l.metrics.AllMetrics() {
		b, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(batch)
		require.NoError(t, err)
		all = append(all, b...)
	}
	for _, batch := range l.logs.AllLogs() {
		b, err := (&plog.JSONMarshaler{}).MarshalLogs(batch)
		require.NoError(t, err)
		all = append(all, b...)
	}
	require.Contains(t, string(all), mark)
	require.NotContains(t, string(all), planted)
}
