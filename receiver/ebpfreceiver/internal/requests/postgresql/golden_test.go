package postgresql

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records psql and pgbench with a real server.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	addr := server(t)
	for name, input := range map[string]string{
		"psql": `
CREATE TABLE t (a int PRIMARY KEY, b text);
INSERT INTO t SELECT g, 'text ' || g FROM generate_series(1, 300) g;
SELECT a, b FROM t WHERE a IN (1, 2, 3);
SELECT * FROM none;
SELECT 1 / (a - 200) FROM t ORDER BY a;
SELECT repeat('x', 20000) FROM t WHERE a < 4;
SELECT a, b FROM t;
BEGIN; UPDATE t SET b = 'secret' WHERE a = 17; ROLLBACK;
COPY t (a, b) FROM STDIN;
1001	one
1002	two
\.
COPY t TO STDOUT;
PREPARE s (int) AS SELECT b FROM t WHERE a = $1;
EXECUTE s (7);
LISTEN c;
NOTIFY c, 'hello';
SELECT 1 /* action='x',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' */;
`,
	} {
		dbtest.Record(t, name, addr, func(addr string) { psql(t, addr, input) })
	}
	for name, script := range map[string]string{
		"pgbench": "\\set id random(1, 300)\nSELECT b FROM t WHERE a = :id;\nUPDATE t SET b = 'x' WHERE a = :id;\n",
		"pipeline": "\\set id random(1, 300)\n\\startpipeline\nSELECT b FROM t WHERE a = :id;\nSELECT a FROM t WHERE a = :id;\n" +
			"UPDATE t SET b = 'y' WHERE a = :id;\n\\endpipeline\n",
	} {
		for _, mode := range []string{"simple", "extended", "prepared"} {
			if name == "pipeline" && mode == "simple" {
				continue
			}
			dbtest.Record(t, name+"_"+mode, addr, func(addr string) { pgbench(t, addr, mode, script) })
		}
	}
}

func connection(addr string) []string {
	host, port, _ := net.SplitHostPort(addr)
	return []string{"-h", host, "-p", port, "-U", "postgres"}
}

func psql(t *testing.T, addr, input string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "psql", append(connection(addr), "-X", "-q", "-d", "postgres")...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

func pgbench(t *testing.T, addr, mode, script string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	out, err := exec.CommandContext(t.Context(), "pgbench", append(connection(addr), "-n", "-M", mode, "-t", "5", "-f", file, "postgres")...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// server starts a server that trusts everyone and returns its address.
func server(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postgres") //nolint:usetesting // the server may still write when it is removed, and needs a short path that it may enter
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, exec.CommandContext(t.Context(), "chown", "postgres", dir).Run())
	binaries, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	require.NoError(t, err)
	require.NotEmpty(t, binaries)
	as := func(name string, args ...string) *exec.Cmd {
		return exec.CommandContext(t.Context(), "runuser", append([]string{"-u", "postgres", "--", filepath.Join(binaries[0], name)}, args...)...)
	}
	out, err := as("initdb", "-D", dir+"/data", "-A", "trust", "--no-sync").CombinedOutput()
	require.NoError(t, err, string(out))
	addr := dbtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := as("postgres", "-D", dir+"/data", "-p", port, "-k", dir, "-h", "127.0.0.1")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = as("pg_ctl", "-D", dir+"/data", "-m", "immediate", "stop").Run()
		_ = cmd.Wait()
	})
	dbtest.Await(t, addr)
	time.Sleep(time.Second) // it may still recover
	return addr
}
