package redis

import (
	"bufio"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records redis-cli and redis-benchmark with a real server.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	addr := server(t)
	const input = `SET key secret
GET key
GET none
LPUSH key x
RPUSH list a b c d
LRANGE list 0 -1
HSET hash f 1 g 2
HGETALL hash
MULTI
SET key v
INCR n
EXEC
SELECT 3
GET key
SELECT 0
CONFIG GET maxmemory*
EVAL "return redis.call('get', KEYS[1])" 1 key
BLPOP list 1
BLPOP none 0.1
XADD s * f v
XREAD BLOCK 10 STREAMS s $
NOSUCH command
AUTH secret
PING
SUBSCRIBE c
`
	dbtest.Record(t, "cli", addr, func(addr string) { run(t, addr, "redis-cli", input) })
	dbtest.Record(t, "cli_resp3", addr, func(addr string) { run(t, addr, "redis-cli", input, "-3") })
	dbtest.Record(t, "pipeline", addr, func(addr string) {
		run(t, addr, "redis-benchmark", "", "-n", "64", "-P", "16", "-c", "1", "-t", "set,get,lrange_100", "-q")
	})
	dbtest.Record(t, "replies", addr, func(addr string) {
		say(t, addr, 0, "CLIENT REPLY OFF", "SET key secret", "INCR n")
		say(t, addr, 3, "CLIENT REPLY OFF", "SET key secret", "SELECT 2", "CLIENT REPLY ON", "GET key", "CLIENT REPLY SKIP", "SET key v", "GET key")
		say(t, addr, 4, "WATCH key", "SET key w", "MULTI", "GET key", "EXEC")
		say(t, addr, 2, "SUBSCRIBE a b", "UNSUBSCRIBE")
	})
}

func run(t *testing.T, addr, program, input string, args ...string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(t.Context(), "timeout", append([]string{"3", program, "-h", host, "-p", port}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	_ = cmd.Run() // a subscription lasts until it is killed
}

// say sends commands at once and reads as many lines of answers before it hangs up.
func say(t *testing.T, addr string, lines int, commands ...string) {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	var all strings.Builder
	for _, command := range commands {
		all.WriteString(cmd(strings.Fields(command)...))
	}
	_, err = c.Write([]byte(all.String()))
	require.NoError(t, err)
	for r := bufio.NewReader(c); lines > 0; lines-- {
		_, err := r.ReadString('\n')
		require.NoError(t, err)
	}
}

func server(t *testing.T) string {
	t.Helper()
	addr := dbtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(t.Context(), "redis-server", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	dbtest.Await(t, addr)
	return addr
}
