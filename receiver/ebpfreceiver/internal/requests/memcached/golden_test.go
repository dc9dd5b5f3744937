package memcached

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records a client of the test's own with a real server.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	addr := dbtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(t.Context(), "memcached", "-u", "nobody", "-p", port, "-l", "127.0.0.1", "-U", "0")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	dbtest.Await(t, addr)
	long := strings.Repeat("x", 6000)
	for name, requests := range map[string][]string{
		"text": {
			"set a 0 0 6\r\nsecret\r\n", "get a\r\n", "gets a b\r\n", "add a 0 0 1\r\nx\r\n", "set n 0 0 1\r\n1\r\n", "incr n 5\r\n", "incr a 5\r\n", "decr none 1\r\n",
			"set long 0 0 6000\r\n" + long + "\r\n", "get long\r\n", "get a long n\r\n", "delete a\r\n", "touch n 100\r\n", "gat 100 n\r\n", "cas n 0 0 1 1\r\n2\r\n",
			"append n 0 0 1\r\n7\r\n", "set q 0 0 1 noreply\r\nq\r\nget q\r\n", "get a\r\nget n\r\nset z 0 0 1\r\nz\r\n", "stats\r\n", "version\r\n", "nonsense\r\n", "flush_all\r\n", "get n\r\n",
		},
		"meta": {
			"ms a 6 T100\r\nsecret\r\n", "mg a v t\r\n", "mg none v\r\n", "mg a v q\r\nmg none v q\r\nmn\r\n", "ma n N100 J5 v\r\n", "ma n v\r\n", "md a\r\n", "md a\r\n", "me n\r\n",
		},
		"binary": {"\x80\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"},
	} {
		dbtest.Record(t, name, addr, func(addr string) { talk(t, addr, requests) })
	}
}

// talk sends requests and waits a little for what comes back.
func talk(t *testing.T, addr string, requests []string) {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	buf := make([]byte, 1<<16)
	for _, request := range requests {
		_, err := c.Write([]byte(request))
		require.NoError(t, err)
		for {
			require.NoError(t, c.SetReadDeadline(time.Now().Add(60*time.Millisecond)))
			if _, err := c.Read(buf); err != nil {
				break
			}
		}
	}
}
