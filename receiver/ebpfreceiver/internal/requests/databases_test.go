//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

func TestKernelRedis(t *testing.T) { bothWays(t, testRedis) }

func testRedis(t *testing.T, secure bool) {
	exe := find(t, "redis-server")
	dir := t.TempDir()
	var flags []string // of clients
	db := serveData(t, nil, func(port string) []string {
		line := []string{exe, "--save", "", "--dir", dir, "--logfile", "log", "--unixsocket", dir + "/s"}
		if !secure {
			return append(line, "--port", port)
		}
		cert, key := certificate(t, dir, os.Getuid(), os.Getgid())
		flags = []string{"--tls", "--insecure"}
		return append(line, "--port", "0", "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no")
	}, nil)
	lines := job{Addr: db.addr, TLS: secure, Conns: 4, N: 100, Paths: []string{
		"1 SET key text", "2 GET key", "1 LPUSH list x", "2 GET list", "1 INCR key", "1 INCR number", "1 PING",
	}}
	w := watchAs(t, secure)
	requireLines(t, w, db, requestAs(t, "redisclient", &lines))
	w.requireEncrypted(t, db.port, secure)
	w = watchAs(t, secure)
	if !secure {
		lines.Addr = dir + "/s"
		requireLines(t, w, db, requestAs(t, "redisclient", &lines))
	}
	bench := func(args ...string) {
		run(t, "", slices.Concat([]string{"redis-benchmark", "-p", db.port, "-t", "set,get", "-q"}, flags, args)...)
	}
	bench("-n", "2000", "-c", "8")
	bench("-n", "3200", "-c", "4", "-P", "16")
	run(t, "LPUSH again x\nGET again\n", append([]string{"redis-cli", "-p", db.port}, flags...)...)
	w.requireOperations(t, db.port, map[string]int{"SET": 5200, "GET": 5200, "GET WRONGTYPE": 1, "LPUSH": 1})
	w.requireEncrypted(t, db.port, secure)
}

func TestKernelMemcached(t *testing.T) {
	exe := find(t, "memcached")
	tcp := serveData(t, nil, func(port string) []string {
		return []string{exe, "-u", "nobody", "-p", port, "-l", "127.0.0.1", "-U", "0"}
	}, nil)
	socket := filepath.Join(t.TempDir(), "s")
	unixDomain := serveData(t, nil, func(string) []string { return []string{exe, "-u", "root", "-s", socket} },
		func(string) []string { return []string{"test", "-S", socket} })
	unixDomain.addr = socket
	for _, db := range []database{tcp, unixDomain} {
		w := watch(t, bpf.Options{})
		requireLines(t, w, db, requestAs(t, "memcachedclient", &job{Addr: db.addr, Conns: 4, N: 200, Paths: []string{
			"1 set key 0 0 4\r\ntext", "3 get key", "1 get none", "1 incr key 1", "1 add key 0 0 1\r\nx", "3 gets key none",
			"1 set long 0 0 9000\r\n" + strings.Repeat("x", 9000), "3 get long", "1 touch long 100", "1 delete none",
		}}))
	}
}

// postgres starts a server with a table t of 100 rows. psql is a client of it.
// Secure servers encrypt what their clients do in this test.
func postgres(t *testing.T, secure bool) (db database, login, psql []string) {
	t.Helper()
	bin := filepath.Dir(find(t, "/usr/lib/postgresql/*/bin/postgres"))
	dir, as := home(t, "postgres")
	ssl, mode := []string{"-c", "ssl=off"}, "disable"
	if secure {
		cert, key := certificate(t, dir, int(as.Credential.Uid), int(as.Credential.Gid))
		ssl, mode = []string{"-c", "ssl=on", "-c", "ssl_cert_file=" + cert, "-c", "ssl_key_file=" + key}, "require"
	}
	t.Setenv("PGSSLMODE", mode)
	initdb := exec.CommandContext(t.Context(), bin+"/initdb", "-D", dir+"/data", "-A", "trust", "-U", "postgres", "--no-sync")
	initdb.SysProcAttr = as
	out, err := initdb.CombinedOutput()
	require.NoError(t, err, string(out))
	at := func(port string) []string {
		return []string{"-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "postgres"}
	}
	client := func(port string) []string { return append([]string{"psql", "-q"}, at(port)...) }
	db = serveData(t, as, func(port string) []string {
		return append([]string{bin + "/postgres", "-D", dir + "/data", "-p", port, "-k", dir, "-h", "127.0.0.1", "-c", "log_min_messages=panic"}, ssl...)
	}, client)
	db.dir = dir
	run(t, "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 100) g;", client(db.port)...)
	return db, at(db.port), client(db.port)
}

func TestKernelPostgreSQL(t *testing.T) { bothWays(t, testPostgreSQL) }

func testPostgreSQL(t *testing.T, secure bool) {
	find(t, "pgbench")
	db, login, psql := postgres(t, secure)
	var scripts []string
	for i, text := range []string{"SELECT b FROM t WHERE a = :i;\n", "UPDATE t SET b = 'y' WHERE a = :i;\n"} {
		script := filepath.Join(t.TempDir(), strconv.Itoa(i))
		require.NoError(t, os.WriteFile(script, []byte("\\set i random(1, 100)\n"+text), 0o600))
		scripts = append(scripts, "-f", script)
	}
	w := watchAs(t, secure)
	want := map[string]int{"SELECT c FROM t 42703": 1, "SELECT a FROM t": 1}
	var all [][]outcome
	for mode, names := range map[string][]string{
		"simple":   {"SELECT b FROM t WHERE a = ?", "UPDATE t SET b = ? WHERE a = ?"},
		"extended": {"SELECT b FROM t WHERE a = $1", "UPDATE t SET b = ? WHERE a = $1"},
		"prepared": {"SELECT b FROM t WHERE a = $1", "UPDATE t SET b = ? WHERE a = $1"},
	} {
		log := filepath.Join(t.TempDir(), mode)
		run(t, "", slices.Concat([]string{"pgbench", "-n", "-M", mode, "-c", "4", "-t", "200", "-l", "--log-prefix=" + log}, scripts, login)...)
		for _, connection := range benchLog(t, log, names) {
			all = append(all, connection)
			for _, o := range connection {
				want[o.Method]++
			}
		}
		if mode == "prepared" { // by each of the connections
			want["PREPARE "+names[0]], want["PREPARE "+names[1]] = 4, 4
		}
	}
	run(t, "SELECT c FROM t; SELECT a FROM t;\n", psql...)
	w.requireOperations(t, db.port, want)
	requireSequences(t, all, w.at(db.port, event.RoleServer))
	requireSequences(t, all, w.at(db.port, event.RoleClient))
	w.requireEncrypted(t, db.port, secure)
	if !secure {
		local := slices.Concat(login, []string{"-h", db.dir})
		run(t, "", slices.Concat([]string{"pgbench", "-n", "-M", "extended", "-c", "4", "-t", "100"}, scripts[:2], local)...)
		run(t, "SELECT c FROM t;\n", slices.Concat(psql, []string{"-h", db.dir})...)
		w.requireOperations(t, noPort, map[string]int{"SELECT b FROM t WHERE a = $1": 400, "SELECT c FROM t 42703": 1})
	}
}

// A connection that was idle when it was joined is followed from its next
// statement on; what was prepared before has no text.
func TestKernelPostgreSQLOldConnection(t *testing.T) {
	find(t, "psql")
	db, _, psql := postgres(t, false)
	old := exec.CommandContext(t.Context(), psql[0], append(psql[1:], "-At")...)
	in, err := old.StdinPipe()
	require.NoError(t, err)
	out, err := old.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, old.Start())
	t.Cleanup(func() { _ = in.Close(); _ = old.Wait() })
	answers := bufio.NewReader(out)
	ask := func(text, want string) {
		_, err := fmt.Fprintln(in, text)
		require.NoError(t, err)
		got, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want+"\n", got)
	}
	ask("PREPARE p AS SELECT count(*) FROM t; EXECUTE p;", "100")
	w := watch(t, bpf.Options{})
	for range 20 {
		ask("SELECT a FROM t WHERE a = 7;", "7")
		ask("EXECUTE p;", "100")
	}
	w.requireOperations(t, db.port, map[string]int{"SELECT a FROM t WHERE a = ?": 20, "EXECUTE p": 20})
}

// benchLog reads pgbench's record of the transactions of each connection, which
// have one statement each; names are what its scripts execute. A line has the
// connection, its number on it, the duration in us, the script, and when it was
// over. That is of no use: how the clock that it was read from is related to
// others is known to ms only. So the outcomes tell durations, from 0 on.
func benchLog(t *testing.T, prefix string, names []string) map[int][]outcome {
	t.Helper()
	files, err := filepath.Glob(prefix + ".*")
	require.NoError(t, err)
	require.Len(t, files, 1)
	raw, err := os.ReadFile(files[0])
	require.NoError(t, err)
	all := map[int][]outcome{}
	for line := range strings.Lines(string(raw)) {
		var client, number, script int
		var micros uint64
		_, err := fmt.Sscan(line, &client, &number, &micros, &script)
		require.NoError(t, err, line)
		all[client] = append(all[client], outcome{Method: names[script], Status: operationDone, End: (micros + 1) * 1000}) // of two times in whole us
	}
	return all
}

// requireSequences compares what was seen of each connection with the client's
// record: the same in the same order, none of it longer than for the client.
func requireSequences(t *testing.T, want [][]outcome, got []seen) {
	t.Helper()
	slices.SortStableFunc(got, func(a, b seen) int { return cmp.Compare(a.Start, b.Start) })
	asked := map[string]bool{}
	for _, o := range slices.Concat(want...) {
		asked[o.Method] = true
	}
	connections := map[uint64][]seen{}
	for _, s := range got {
		if asked[s.Method] {
			connections[s.Endpoint.Socket] = append(connections[s.Endpoint.Socket], s)
		}
	}
	require.Len(t, connections, len(want))
	for _, sequence := range want {
		socket, ok := uint64(0), false
		for candidate, list := range connections {
			if slices.EqualFunc(sequence, list, func(o outcome, s seen) bool { return o.Method == s.Method && o.Status == s.Status }) {
				socket, ok = candidate, true
			}
		}
		require.True(t, ok, "no connection was seen to do the same")
		for i, s := range connections[socket] {
			require.LessOrEqual(t, s.Start, s.FirstByte)
			require.LessOrEqual(t, s.FirstByte, s.End)
			require.LessOrEqual(t, s.End-s.Start, sequence[i].End, "%+v", s)
		}
		delete(connections, socket)
	}
}

func TestKernelMariaDB(t *testing.T) { bothWays(t, testMariaDB) }

func testMariaDB(t *testing.T, secure bool) {
	exe, install := find(t, "mariadbd"), find(t, "mariadb-install-db")
	dir, as := home(t, "mysql")
	run(t, "", install, "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal")
	ssl := []string{"--skip-ssl"}
	flag := ssl[0] // of clients
	if secure {
		cert, key := certificate(t, dir, int(as.Credential.Uid), int(as.Credential.Gid))
		ssl, flag = []string{"--ssl-cert=" + cert, "--ssl-key=" + key, "--require-secure-transport"}, "--ssl"
	}
	sql := func(port string) []string {
		return []string{"mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", flag, "-f", "-B"}
	}
	db := serveData(t, as, func(port string) []string {
		return append([]string{
			exe, "--no-defaults", "--datadir=" + dir + "/data", "--port=" + port, "--bind-address=127.0.0.1",
			"--socket=" + dir + "/socket", "--skip-name-resolve", "--skip-log-error",
		}, ssl...)
	}, func(port string) []string { return append(sql(port), "-e", "DO 1") })
	run(t, "CREATE DATABASE shop; USE shop; CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT seq, 'x' FROM seq_1_to_100;", sql(db.port)...)
	w := watchAs(t, secure)
	want := map[string]int{
		"SELECT b FROM t WHERE a = ?": 200, "UPDATE t SET b = ? WHERE a = ?": 200, "SELECT repeat(?, ?) FROM t": 1, "DELETE FROM t WHERE a = ?": 1,
	}
	if !secure { // sysbench wants certificates of its own
		want["SELECT c FROM sbtest1 WHERE id=?"], want["PREPARE SELECT c FROM sbtest1 WHERE id=?"] = mariaPrepared(t, db.port), 4
	}
	run(t, "", "mariadb-slap", "--no-defaults", "-h", "127.0.0.1", "-P", db.port, "-u", "root", flag, "--create-schema=shop", "--no-drop",
		"--concurrency=4", "--number-of-queries=400", "--delimiter=;", "--query=SELECT b FROM t WHERE a = 7;UPDATE t SET b = 'y' WHERE a = 8")
	run(t, "USE shop; SELECT repeat('x', 20000) FROM t; DELETE FROM t WHERE a = 1;\n", sql(db.port)...)
	w.requireOperations(t, db.port, want)
	w.requireEncrypted(t, db.port, secure)
	if !secure {
		local := []string{"mariadb", "--no-defaults", "-S", dir + "/socket", "-u", "root", "-f", "-B", "shop", "-e"}
		run(t, "", append(local, strings.Repeat("SELECT b FROM t WHERE a = 7; UPDATE t SET b = 'z' WHERE a = 8; ", 50))...)
		w.requireOperations(t, noPort, map[string]int{"SELECT b FROM t WHERE a = ?": 50, "UPDATE t SET b = ? WHERE a = ?": 50})
	}
}

// mariaPrepared executes prepared statements over 4 connections. Returns how many.
func mariaPrepared(t *testing.T, port string) int {
	t.Helper()
	const events = 400
	bench := func(command ...string) []string {
		return slices.Concat([]string{
			find(t, "sysbench"), "oltp_point_select", "--db-driver=mysql", "--mysql-host=127.0.0.1", "--mysql-port=" + port, "--mysql-user=root",
			"--mysql-db=shop", "--mysql-ssl=off", "--table-size=100", "--threads=4", "--time=0", "--events=" + strconv.Itoa(events),
		}, command)
	}
	run(t, "", bench("prepare")...)
	run(t, "", bench("run")...)
	return events
}
