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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// database is a server of another project that runs for a test.
type database struct {
	pid  uint32
	addr string
	port string
	dir  string // with its Unix socket; empty for those of which no test needs it
}

// noPort is what Unix sockets have in place of one.
const noPort = "0"

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
	port := strconv.Itoa(freeport.Port(tb))
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
	}, patience, pollInterval, line)
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

// at returns what one side of the server at a port was seen to do.
func (w *watcher) at(port string, role event.Role) []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.all), func(s seen) bool {
		server := s.Endpoint.LocalPort
		if role == event.RoleClient {
			server = s.Endpoint.PeerPort
		}
		return s.Endpoint.Role != role || strconv.Itoa(int(server)) != port
	})
}

// operations counts those, as far as their names begin like those that are
// wanted: clients also ask for things of their own.
func (w *watcher) operations(port string, role event.Role, want map[string]int) map[string]int {
	got := map[string]int{}
	for _, s := range w.at(port, role) {
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
		deadline := time.Now().Add(patience)
		for fmt.Sprint(w.operations(port, role, want)) != fmt.Sprint(want) && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
	}
	time.Sleep(100 * time.Millisecond) // for more than there should be
	for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
		require.Equal(tb, want, w.operations(port, role, want), "role %d, %+v", role, w.stats())
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
