package endtoend

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
)

// python has the modules that Debian's packages bring.
const python = "/usr/bin/python3"

// sampled exports the traces a second time, a quarter of them, and marks these.
const sampled = `
receivers: {ebpf: {metrics_interval: 200ms}}
processors:
  probabilistic_sampler: {mode: equalizing, sampling_percentage: 25}
  resource/sampled: {attributes: [{key: pipeline, value: sampled, action: insert}]}
connectors: {forward: {}}
service:
  pipelines:
    traces: {receivers: [ebpf], exporters: [service_latency, otlp_grpc, forward]}
    traces/sampled: {receivers: [forward], processors: [probabilistic_sampler, resource/sampled], exporters: [otlp_grpc]}
`

// kinds is a machine on which programs wait for each other in all ways.
type kinds struct{ *host }

// TestKindsOfRequests: what waits for something to happen is told apart, and spoils
// no latency; what is under way is counted, until it has ended in whichever way.
func TestKindsOfRequests(t *testing.T) {
	k := kinds{newHost(t, sampled)}
	t.Run("HTTP", k.testHTTP)
	t.Run("WebSocket", k.testWebSocket)
	t.Run("Redis", k.testRedis)
	t.Run("PostgreSQL", k.testPostgreSQL)
	t.Run("active requests", k.testActive)
	t.Run("own SDK", k.testSDK)
	t.Run("sampling", k.testSampling)
}

// program is one that runs until the test ends.
type program struct {
	*exec.Cmd
	out *bufio.Reader
}

func (k kinds) program(t *testing.T, service string, line ...string) program {
	t.Helper()
	needs(t, line[0])
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "OTEL_SERVICE_NAME="+service), os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return program{cmd, bufio.NewReader(out)}
}

func (p program) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// ofService and atPort tell whose spans are meant. Servers that write over their
// environment, to change their title, have no name of their own choice for certain.
func ofService(name string) func(*item) bool {
	return func(it *item) bool { return it.resource[schema.ServiceName] == name }
}

func atPort(port string) func(*item) bool {
	return func(it *item) bool { return fmt.Sprint(it.attrs[schema.ServerPort]) == port }
}

// requireSpans waits for n spans of one side, of a name and a class, and checks that
// there are no more of that name.
func (k kinds) requireSpans(t *testing.T, whose func(*item) bool, kind, name, class string, n int) {
	t.Helper()
	of := func(it *item) bool {
		return it.kind == kind && it.name == name && whose(it) && it.resource["pipeline"] == nil
	}
	soon(func() bool { return len(k.all(spans, of)) >= n })
	all := k.all(spans, of)
	require.Len(t, all, n, "%s %s, of %v", kind, name, k.all(spans, func(it *item) bool { return it.name == name }))
	for _, it := range all {
		require.Equal(t, class, fmt.Sprint(orUnary(it.attrs[schema.RequestClass])), it.String())
		require.NotContains(t, it.attrs, schema.RequestIncomplete, it.String())
	}
}

// soon waits until something is so, for as long as is patient.
func soon(is func() bool) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollInterval) {
		if is() {
			return true
		}
	}
	return false
}

// orUnary is a class, which is not written when it is the usual one.
func orUnary(class any) any {
	if class == nil {
		return schema.ClassUnary
	}
	return class
}

// requireMeasured waits until a service's latency counts n requests of a class.
func (k kinds) requireMeasured(t *testing.T, service, metric, class string, n int) {
	t.Helper()
	most := uint64(0)
	require.Eventually(t, func() bool {
		series := map[string]uint64{}
		for _, it := range k.all(points, func(it *item) bool {
			return it.name == metric && it.resource[schema.ServiceName] == service && orUnary(it.attrs[schema.RequestClass]) == class
		}) {
			series[fmt.Sprint(it.attrs)] = max(series[fmt.Sprint(it.attrs)], it.count)
		}
		most = 0
		for _, count := range series {
			most += count
		}
		return most >= uint64(n)
	}, patience, pollInterval, "%s %s of %s", metric, class, service)
	require.EqualValues(t, n, most, "%s %s of %s", metric, class, service)
}

func (k kinds) testHTTP(t *testing.T) {
	needs(t, "curl")
	server := k.program(t, "held-shop", python, "testdata/kinds.py")
	url := "http://" + server.line(t)
	run(t, "curl", "-sN", url+"/events/a", "-o", os.DevNull)
	held := exec.CommandContext(t.Context(), "curl", "-s", "-H", "Prefer: wait=60", url+"/held/a")
	require.NoError(t, held.Start())
	for range 5 {
		run(t, "curl", "-s", "-A", "kube-probe/1.33", url+"/ready")
	}
	for range 7 {
		run(t, "curl", "-s", url+"/plain")
	}
	run(t, "curl", "-s", url+"/release")
	require.NoError(t, held.Wait())
	for class, n := range map[string]int{schema.ClassStream: 1, schema.ClassWait: 1, schema.ClassProbe: 5, schema.ClassUnary: 8} {
		of := func(it *item) bool {
			return it.kind == "Server" && it.resource[schema.ServiceName] == "held-shop" && it.resource["pipeline"] == nil &&
				orUnary(it.attrs[schema.RequestClass]) == class
		}
		if !soon(func() bool { return len(k.all(spans, of)) == n }) {
			t.Fatalf("not %d %s requests, of %v", n, class, k.all(spans, func(it *item) bool {
				return it.attrs[schema.URLPath] != nil && it.resource["pipeline"] == nil
			}))
		}
		k.requireMeasured(t, "held-shop", schema.MetricHTTPServerDuration, class, n)
	}
}

func (k kinds) testWebSocket(t *testing.T) {
	if exec.CommandContext(t.Context(), python, "-c", "import websockets").Run() != nil {
		t.Skip("python3-websockets is not installed")
	}
	server := k.program(t, "chat", python, "testdata/websocket.py", "server")
	client := k.program(t, "chatter", python, "testdata/websocket.py", server.line(t), "/room")
	require.NoError(t, client.Wait())
	k.requireSpans(t, ofService("chat"), "Server", "GET /room", schema.ClassStream, 1)
	k.requireSpans(t, ofService("chatter"), "Client", "GET /room", schema.ClassStream, 1)
	k.requireMeasured(t, "chat", schema.MetricHTTPServerDuration, schema.ClassStream, 1)
	k.requireMeasured(t, "chat", schema.MetricHTTPServerDuration, schema.ClassUnary, 0)
}

// testRedis looks at its server's side, and at a peer's name on the other.
func (k kinds) testRedis(t *testing.T) {
	needs(t, "redis-server", "redis-cli")
	host := ownAddress(t) // those of the loopback have no names of other machines
	_, port, _ := strings.Cut(freeport.Address(t), ":")
	k.program(t, "cache", "redis-server", "--save", "", "--protected-mode", "no", "--bind", host, "--port", port, "--dir", t.TempDir(), "--logfile", "log")
	waitForListener(t, host+":"+port)
	cli := func(words ...string) program {
		return k.program(t, "cli", append([]string{"redis-cli", "-h", host, "-p", port}, words...)...)
	}
	waiting := func(what string) { // until the server has somebody who waits so
		require.Eventually(t, func() bool {
			return strings.Contains(run(t, "redis-cli", "-h", host, "-p", port, "client", "list"), what)
		}, patience, pollInterval)
	}
	popped, read, subscribed := cli("BLPOP", "list", "0"), cli("XREAD", "BLOCK", "0", "STREAMS", schema.ClassStream, "$"), cli("SUBSCRIBE", "news")
	for _, command := range []string{"cmd=blpop", "cmd=xread", "cmd=subscribe"} {
		waiting(command)
	}
	for _, line := range []string{"PUBLISH news a", "PUBLISH news b", "RPUSH list x", "XADD stream * a b"} {
		require.NoError(t, cli(strings.Fields(line)...).Wait())
	}
	require.NoError(t, popped.Wait())
	require.NoError(t, read.Wait())
	for _, command := range []struct {
		name, class string
		n           int
	}{{"BLPOP", schema.ClassWait, 1}, {"XREAD", schema.ClassWait, 1}, {"SUBSCRIBE", schema.ClassStream, 1}, {"PUBLISH", schema.ClassUnary, 2}, {"RPUSH", schema.ClassUnary, 1}} {
		k.requireSpans(t, atPort(port), "Server", command.name, command.class, command.n)
		if command.class != schema.ClassStream { // which the client has not left yet
			k.requireSpans(t, atPort(port), "Client", command.name, command.class, command.n)
		}
	}
	require.NoError(t, subscribed.Process.Kill())

	needs(t, "dnsmasq", python)
	const resolver, name = "127.9.9.9", "cache.test"
	k.program(t, "names", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
		"--bind-interfaces", "--except-interface=lo", "--listen-address="+resolver, "--local=/test/", "--host-record="+name+","+host)
	waitForListener(t, resolver+":53")
	run(t, python, "testdata/peer.py", resolver, name, port)
	k.wait(t, spans, "the client's span with its peer's name", func(it *item) bool {
		return it.kind == "Client" && it.name == "SET" && it.attrs[schema.ServerAddress] == name && it.attrs[schema.NetworkPeerAddress] == host
	})
}

// ownAddress is one of this machine in a network.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, address := range all {
		if n, ok := address.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	t.Skip("this machine is in no network")
	return ""
}

func (k kinds) testPostgreSQL(t *testing.T) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(bins) == 0 || exec.CommandContext(t.Context(), python, "-c", "import psycopg2").Run() != nil {
		t.Skip("PostgreSQL or python3-psycopg2 is not installed")
	}
	bin, dir := filepath.Dir(bins[len(bins)-1]), t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	for _, file := range []string{"cert.pem", "key.pem"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), nil, 0o600))
	}
	s := &stage{t: t}
	home, as := s.home("postgres", dir)
	initdb := exec.CommandContext(t.Context(), bin+"/initdb", "-D", home+"/data", "-A", "trust", "-U", "postgres", "--no-sync")
	initdb.SysProcAttr = as
	require.NoError(t, initdb.Run())
	address := freeport.Address(t)
	_, port, _ := strings.Cut(address, ":")
	s.serve(as, address, nil, bin+"/postgres", "-D", home+"/data", "-p", port, "-k", home, "-h", "127.0.0.1", "-c", "log_min_messages=panic")
	for key, value := range map[string]string{"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "postgres", "PGDATABASE": "postgres", "PGSSLMODE": "disable"} {
		t.Setenv(key, value)
	}
	require.Eventually(t, func() bool { return exec.Command("psql", "-c", "SELECT 1").Run() == nil }, patience, 4*pollInterval)
	listener := k.program(t, "listener", python, "testdata/listener.py")
	require.Equal(t, "listening", listener.line(t))
	for range 3 {
		run(t, "psql", "-c", "NOTIFY news, 'x'")
	}
	require.NoError(t, listener.Wait())
	for _, name := range []string{"LISTEN", "SELECT"} {
		k.requireSpans(t, ofService("listener"), "Client", name, schema.ClassUnary, 1)
	}
	k.requireSpans(t, atPort(port), "Server", "NOTIFY", schema.ClassUnary, 3)
	k.requireMeasured(t, "listener", schema.MetricDBClientDuration, schema.ClassUnary, 2)
}

// testActive counts what is being served, and ends it in all ways.
func (k kinds) testActive(t *testing.T) {
	needs(t, "curl")
	active := func(service string, n float64) {
		require.Eventually(t, func() bool {
			all := k.all(points, func(it *item) bool {
				return it.name == schema.MetricActiveRequests && it.resource[schema.ServiceName] == service
			})
			return len(all) > 0 && all[len(all)-1].value == n
		}, patience, pollInterval, "%v of %s", n, service)
	}
	for _, service := range []string{"odd-ends", "killed"} {
		server := k.program(t, service, python, "testdata/kinds.py")
		address := server.line(t)
		url := "http://" + address
		host, port, _ := strings.Cut(address, ":")
		// Half of a conversation: the client has said all that it will, and waits.
		half := k.program(t, "odd-client", python, "-c", `
import socket, sys
c = socket.create_connection((sys.argv[1], int(sys.argv[2])))
c.sendall(b"GET /held/half HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
c.shutdown(socket.SHUT_WR)
while c.recv(1000):
    pass
`, host, port)
		client := k.program(t, "odd-client", "curl", "-s", url+"/held/killed")
		require.Error(t, exec.CommandContext(t.Context(), "curl", "-s", "-m", "1", url+"/held/timeout").Run())
		active(service, 3)
		require.NoError(t, client.Process.Kill())
		if service == "killed" {
			require.NoError(t, server.Process.Kill())
		} else {
			run(t, "curl", "-s", url+"/release")
		}
		_ = half.Wait()
		active(service, 0)
	}
}

// testSampling compares what is exported with what is measured: the sampler keeps
// a quarter and says so, the metrics count all.
func (k kinds) testSampling(t *testing.T) {
	needs(t, "curl")
	server := k.program(t, "sampled-shop", python, "testdata/kinds.py")
	const n = 200
	run(t, "curl", "-s", "http://"+server.line(t)+"/n/[1-"+fmt.Sprint(n)+"]")
	of := func(pipeline any) func() []*item {
		return func() []*item {
			return k.all(spans, func(it *item) bool {
				return it.kind == "Server" && it.resource[schema.ServiceName] == "sampled-shop" && it.resource["pipeline"] == pipeline
			})
		}
	}
	require.Eventually(t, func() bool { return len(of(nil)()) == n }, patience, pollInterval)
	const threshold = 3 << 54 // of the 56 bits of a trace that are random: three quarters are left out
	kept := map[string]bool{}
	for _, it := range of(nil)() {
		require.Empty(t, it.state)
		if it.random() >= threshold {
			kept[it.trace.String()] = true
		}
	}
	require.NotEmpty(t, kept)
	require.Eventually(t, func() bool { return len(of("sampled")()) >= len(kept) }, patience, pollInterval)
	for _, it := range of("sampled")() {
		require.Equal(t, "ot=th:c", it.state)
		require.True(t, kept[it.trace.String()], "%s is below the threshold", it.trace)
	}
	require.Len(t, of("sampled")(), len(kept))
	k.requireMeasured(t, "sampled-shop", schema.MetricHTTPServerDuration, schema.ClassUnary, n)
}
