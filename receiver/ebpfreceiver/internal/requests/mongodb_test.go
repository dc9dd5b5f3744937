//go:build linux && (amd64 || arm64)

package requests_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// TestKernelMongoDB compares what is seen of both ends with the record of a
// client with the official driver, before and after its connection was made.
func TestKernelMongoDB(t *testing.T) { bothWays(t, testMongoDB) }

func testMongoDB(t *testing.T, secure bool) {
	t.Helper()
	exe, dir := tool(t, "mongodb"), t.TempDir()
	var certified []string
	options := ""
	if secure {
		cert, key := certificate(t, t.TempDir(), os.Getuid(), os.Getgid())
		certified, options = []string{cert, key}, "/?tls=true&tlsInsecure=true"
	}
	db := serveData(t, nil, func(port string) []string {
		return append([]string{exe, "serve", "127.0.0.1:" + port, dir}, certified...)
	}, nil)
	capture := func(t *testing.T) *watcher {
		t.Helper()
		w := watchAs(t, secure)
		if secure {
			w.follow(t, db.pid)
		}
		return w
	}
	for _, old := range []bool{false, true} {
		t.Run(map[bool]string{false: "new connection", true: "old connection"}[old], func(t *testing.T) {
			var w *watcher
			if !old {
				w = capture(t)
			}
			client := spawn(t, nil, exe, "client", db.addr+options, "40")
			require.Equal(t, "ready", client.line(t))
			if old {
				w = capture(t)
			}
			_, err := client.in.Write([]byte("\n"))
			require.NoError(t, err)
			want := client.outcomes(t)
			for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
				requireCommands(t, w, db.port, want, role)
			}
			w.requireLossless(t)
			if !old {
				w.requireEncrypted(t, db.port, secure)
			}
		})
	}
}

// requireCommands compares what one end was seen to do with the client's record,
// but for what drivers do of their own accord.
func requireCommands(t *testing.T, w *watcher, port string, want []outcome, role event.Role) {
	t.Helper()
	asked := map[string]int{}
	for _, o := range want {
		asked[o.Method]++
	}
	var got []seen
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got = slices.DeleteFunc(w.at(port, role), func(s seen) bool { return asked[s.Method] == 0 })
		if len(got) >= len(want) {
			break
		}
	}
	for _, s := range got {
		asked[s.Method]--
		require.Equal(t, exchange.Complete, s.Incomplete, "%+v", s)
		end := s.End
		if role == event.RoleServer && s.Sent > 16<<10 { // the client may have it all before the call returns
			end = s.FirstByte
		}
		require.True(t, slices.ContainsFunc(want, func(o outcome) bool {
			return o.Method == s.Method && o.Start <= s.Start && end <= o.End
		}), "%+v is in no interval of the client", s)
	}
	for method, n := range asked {
		require.Zero(t, n, "%s: positive is missing, negative invented", method)
	}
}
