package mysql

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records MariaDB's client and benchmark with a real server.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	home, err := os.Getwd()
	require.NoError(t, err)
	addr := server(t)
	dbtest.Record(t, "mariadb", addr, func(addr string) {
		client(t, addr, `
CREATE DATABASE shop; USE shop;
CREATE TABLE t (a int PRIMARY KEY, b text);
INSERT INTO t VALUES (1, 'secret'), (2, "another"), (3, 0x41);
SELECT a, b FROM t WHERE a IN (1, 2, 3) AND b <> 'x' /* traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' */;
SELECT * FROM none;
SELECT b FROM t WHERE a = 99;
SELECT repeat('x', 20000) FROM t;
SELECT seq, repeat('y', 20) FROM seq_1_to_500;
SELECT b FROM t WHERE a = 1;
PREPARE s FROM 'SELECT b FROM t WHERE a = ?'; SET @a = 2; EXECUTE s USING @a;
DELIMITER //
CREATE PROCEDURE p(n int) BEGIN SELECT a FROM t; SELECT b FROM t WHERE a = n; END //
DELIMITER ;
CALL p(3);
BEGIN; UPDATE t SET b = 'secret' WHERE a = 2; ROLLBACK;
`)
	})
	dbtest.Record(t, "compressed", addr, func(addr string) {
		client(t, addr, `
USE shop;
SELECT a, b FROM t WHERE a IN (1, 2, 3) AND b <> 'a value that is long enough to be worth it to be compressed by the client';
SELECT * FROM none;
SELECT seq, repeat('y', 20) FROM seq_1_to_500;
SELECT seq, md5(seq) FROM seq_1_to_2000;
SELECT b FROM t WHERE a = 1;
`, "--compress")
	})
	dbtest.Record(t, "change_user", addr, func(addr string) {
		const program = `
import sys, MySQLdb
host, port = sys.argv[1].split(":")
c = MySQLdb.connect(host=host, port=int(port), user="root")
for database in "shop", "other", "":
    c.change_user("root", "", database)
    c.query("SELECT 1"); c.store_result()
c.select_db("shop")
c.query("SELECT 1"); c.store_result()
`
		client(t, addr, "CREATE DATABASE IF NOT EXISTS other;")
		out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", program, addr).CombinedOutput()
		require.NoError(t, err, string(out))
	})
	t.Chdir(t.TempDir()) // so that the recording has no path
	require.NoError(t, os.WriteFile("file", []byte("10\ttext\n"), 0o600))
	infile := dbtest.Capture(t, addr, func(addr string) {
		client(t, addr, "USE shop; LOAD DATA LOCAL INFILE 'file' INTO TABLE t; SELECT count(*) FROM t;", "--local-infile")
	})
	t.Chdir(home)
	dbtest.Save(t, "infile", infile)
}

func client(t *testing.T, addr, input string, args ...string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(t.Context(), "mariadb", append([]string{"--no-defaults", "-h", host, "-P", port, "-u", "root", "--skip-ssl", "-f", "-B"}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil { // some of the statements are wrong on purpose
		require.Contains(t, string(out), "doesn't exist")
	}
}

// server starts a server that trusts everyone and returns its address.
func server(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mariadb") //nolint:usetesting // the server may still write when it is removed, and needs a short path that it may enter
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, exec.CommandContext(t.Context(), "chown", "mysql", dir).Run())
	out, err := exec.CommandContext(t.Context(), "mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal").CombinedOutput()
	require.NoError(t, err, string(out))
	addr := dbtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(t.Context(), "mariadbd", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--port="+port,
		"--bind-address=127.0.0.1", "--socket="+dir+"/socket", "--local-infile=1", "--skip-name-resolve")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	dbtest.Await(t, addr)
	return addr
}
