//go:build linux && (amd64 || arm64)

package requests_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// database is a server of another project that runs for a test.
type database struct {
	pid  uint32
	addr string
	port string
}

// find returns where a program is. The test is skipped when it is not installed.
func find(tb testing.TB, pattern string) string {
	tb.Helper()
	if found, _ := filepath.Glob(pattern); len(found) > 0 {
		return found[len(found)-1]
	}
	exe, err := exec.LookPath(pattern)
	if err != nil {
		tb.Skip(pattern, "is not installed")
	}
	return exe
}

// home is a folder for a server that runs as a user of its own, with a path
// that is short enough for the socket in it.
func home(tb testing.TB, name string) (dir string, as *syscall.SysProcAttr) {
	tb.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		tb.Skip("no user:", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	require.NoError(tb, err)
	gid, err := strconv.Atoi(u.Gid)
	require.NoError(tb, err)
	dir, err = os.MkdirTemp("", name) //nolint:usetesting // see above
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, uid, gid); err != nil {
		tb.Skip("needs root:", err)
	}
	return dir, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// serveData starts a server that ends with the test; args are given its port.
// ready is a program that succeeds when the server does its work; without one,
// it does when it accepts connections.
func serveData(tb testing.TB, as *syscall.SysProcAttr, args, ready func(port string) []string) database {
	tb.Helper()
	port := strconv.Itoa(freePort(tb))
	db := database{addr: "127.0.0.1:" + port, port: port}
	line := args(port)
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), line[0], line[1:]...)
	cmd.SysProcAttr = as
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGQUIT) // at once, with all processes, for PostgreSQL
		over := time.AfterFunc(time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		over.Stop()
	})
	db.pid = uint32(cmd.Process.Pid)
	require.Eventually(tb, func() bool {
		if ready != nil {
			line := ready(port)
			return exec.CommandContext(tb.Context(), line[0], line[1:]...).Run() == nil
		}
		c, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", db.addr)
		return err == nil && c.Close() == nil
	}, 20*time.Second, 50*time.Millisecond, line)
	return db
}

// run runs a program to its end.
func run(tb testing.TB, input string, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, string(out))
}

// operations counts what one side of a database was seen to do, as far as the
// names begin like those that are wanted: clients also ask for things of their
// own.
func (w *watcher) operations(role event.Role, port string, want map[string]int) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	got := map[string]int{}
	for i := range w.all {
		s := &w.all[i]
		at := s.Endpoint.LocalPort
		if role == event.RoleClient {
			at = s.Endpoint.PeerPort
		}
		if s.Endpoint.Role != role || strconv.Itoa(int(at)) != port {
			continue
		}
		name := s.Method
		if s.Incomplete != exchange.Complete {
			name += ", " + s.Incomplete.String()
		}
		for begin := range want {
			if strings.HasPrefix(name, begin) {
				got[name]++
				break
			}
		}
	}
	return got
}

// requireOperations compares both sides with what the clients were told to do.
func (w *watcher) requireOperations(tb testing.TB, port string, want map[string]int) {
	tb.Helper()
	for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
		deadline := time.Now().Add(5 * time.Second)
		for fmt.Sprint(w.operations(role, port, want)) != fmt.Sprint(want) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
	}
	time.Sleep(100 * time.Millisecond) // for more than there should be
	for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
		require.Equal(tb, want, w.operations(role, port, want), "role %d, %+v", role, w.stats())
	}
	w.requireLossless(tb)
}

// requireLines compares both sides with the record of a client of lines.
func requireLines(t *testing.T, w *watcher, db database, client *child) {
	t.Helper()
	want := client.outcomes(t)
	w.wait(t, len(want), db.pid, client.pid())
	requireMatch(t, want, w.of(db.pid), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

func TestKernelRedis(t *testing.T) {
	exe := find(t, "redis-server")
	db := serveData(t, nil, func(port string) []string {
		return []string{exe, "--port", port, "--save", "", "--dir", t.TempDir(), "--logfile", "log"}
	}, nil)
	w := watch(t, bpf.Options{})
	requireLines(t, w, db, requestAs(t, "redisclient", &job{Addr: db.addr, Conns: 4, N: 100, Paths: []string{
		"1 SET key text", "2 GET key", "1 LPUSH list x", "2 GET list", "1 INCR key", "1 INCR number", "1 PING",
	}}))
	w = watch(t, bpf.Options{})
	run(t, "", "redis-benchmark", "-p", db.port, "-n", "2000", "-c", "8", "-t", "set,get", "-q")
	run(t, "", "redis-benchmark", "-p", db.port, "-n", "3200", "-c", "4", "-P", "16", "-t", "set,get", "-q")
	run(t, "LPUSH again x\nGET again\n", "redis-cli", "-p", db.port)
	w.requireOperations(t, db.port, map[string]int{"SET": 5200, "GET": 5200, "GET WRONGTYPE": 1, "LPUSH": 1})
}

func TestKernelMemcached(t *testing.T) {
	exe := find(t, "memcached")
	db := serveData(t, nil, func(port string) []string {
		return []string{exe, "-u", "nobody", "-p", port, "-l", "127.0.0.1", "-U", "0"}
	}, nil)
	w := watch(t, bpf.Options{})
	requireLines(t, w, db, requestAs(t, "memcachedclient", &job{Addr: db.addr, Conns: 4, N: 200, Paths: []string{
		"1 set key 0 0 4\r\ntext", "3 get key", "1 get none", "1 incr key 1", "1 add key 0 0 1\r\nx", "3 gets key none",
		"1 set long 0 0 9000\r\n" + strings.Repeat("x", 9000), "3 get long", "1 touch long 100", "1 delete none",
	}}))
}

func TestKernelPostgreSQL(t *testing.T) {
	bin := filepath.Dir(find(t, "/usr/lib/postgresql/*/bin/postgres"))
	find(t, "pgbench")
	dir, as := home(t, "postgres")
	initdb := exec.CommandContext(t.Context(), bin+"/initdb", "-D", dir+"/data", "-A", "trust", "-U", "postgres", "--no-sync")
	initdb.SysProcAttr = as
	out, err := initdb.CombinedOutput()
	require.NoError(t, err, string(out))
	login := func(port string) []string {
		return []string{"-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "postgres"}
	}
	psql := func(port string) []string { return append([]string{"psql", "-q"}, login(port)...) }
	db := serveData(t, as, func(port string) []string {
		return []string{bin + "/postgres", "-D", dir + "/data", "-p", port, "-k", dir, "-h", "127.0.0.1", "-c", "log_min_messages=panic"}
	}, psql)
	run(t, "CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 100) g;", psql(db.port)...)
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("\\set i random(1, 100)\nSELECT b FROM t WHERE a = :i;\nUPDATE t SET b = 'y' WHERE a = :i;\n"), 0o600))
	w := watch(t, bpf.Options{})
	for _, mode := range []string{"simple", "extended", "prepared"} {
		run(t, "", append([]string{"pgbench", "-n", "-M", mode, "-c", "4", "-t", "100", "-f", script}, login(db.port)...)...)
	}
	run(t, "SELECT c FROM t; SELECT b FROM t WHERE a = 1;\n", psql(db.port)...)
	w.requireOperations(t, db.port, map[string]int{
		"SELECT b FROM t WHERE a = ?": 401, "SELECT b FROM t WHERE a = $1": 800, "UPDATE t SET b = ? WHERE a = ?": 400,
		"UPDATE t SET b = ? WHERE a = $1": 800, "SELECT c FROM t 42703": 1,
		"PREPARE SELECT b FROM t WHERE a = $1": 4, "PREPARE UPDATE t SET b = ? WHERE a = $1": 4,
	})
}

func TestKernelMariaDB(t *testing.T) {
	exe, install := find(t, "mariadbd"), find(t, "mariadb-install-db")
	dir, as := home(t, "mysql")
	run(t, "", install, "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal")
	sql := func(port string) []string {
		return []string{"mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "--skip-ssl", "-f", "-B"}
	}
	db := serveData(t, as, func(port string) []string {
		return []string{
			exe, "--no-defaults", "--datadir=" + dir + "/data", "--port=" + port, "--bind-address=127.0.0.1",
			"--socket=" + dir + "/socket", "--skip-name-resolve", "--skip-log-error",
		}
	}, func(port string) []string { return append(sql(port), "-e", "DO 1") })
	run(t, "CREATE DATABASE shop; USE shop; CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT seq, 'x' FROM seq_1_to_100;", sql(db.port)...)
	w := watch(t, bpf.Options{})
	run(t, "", "mariadb-slap", "--no-defaults", "-h", "127.0.0.1", "-P", db.port, "-u", "root", "--skip-ssl", "--create-schema=shop", "--no-drop",
		"--concurrency=4", "--number-of-queries=400", "--delimiter=;", "--query=SELECT b FROM t WHERE a = 7;UPDATE t SET b = 'y' WHERE a = 8")
	run(t, "USE shop; SELECT repeat('x', 20000) FROM t; DELETE FROM t WHERE a = 1;\n", sql(db.port)...)
	w.requireOperations(t, db.port, map[string]int{
		"SELECT b FROM t WHERE a = ?": 200, "UPDATE t SET b = ? WHERE a = ?": 200, "SELECT repeat(?, ?) FROM t": 1, "DELETE FROM t WHERE a = ?": 1,
	})
}
