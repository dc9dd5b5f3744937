//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// runResolver looks up the paths of the job on its input, Conns at once, and
// prints the outcomes. A path is the network and the name.
func runResolver() {
	var j job
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	if err != nil {
		panic(err)
	}
	all := make([]outcome, j.N)
	var wg sync.WaitGroup
	for first := range j.Conns {
		wg.Go(func() {
			for i := first; i < j.N; i += j.Conns {
				all[i] = j.lookup(j.Paths[i%len(j.Paths)])
			}
		})
	}
	wg.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}

func (j *job) lookup(path string) outcome {
	network, name, _ := strings.Cut(path, " ")
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, j.Addr)
	}}
	o := outcome{Method: "A", Path: name, Status: nameFound, Start: bootNow()}
	_, err := r.LookupNetIP(context.Background(), "ip4", name+".")
	o.End = bootNow()
	var dnsErr *net.DNSError
	if errors.As(err, &dnsErr) && dnsErr.IsNotFound {
		o.Status = noName
	} else if err != nil {
		panic(err)
	}
	return o
}

// dnsmasq starts a server of its own names. The test is skipped where it is not
// installed.
func dnsmasq(tb testing.TB) (pid uint32, addr string, port int) {
	tb.Helper()
	exe, err := exec.LookPath("dnsmasq")
	if err != nil {
		tb.Skip("dnsmasq is not installed")
	}
	port = freeport.Port(tb)
	args := []string{
		"--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
		"--bind-interfaces", "--listen-address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--local=/test/",
		"--cname=alias.test,db.test", "--host-record=db.test,10.1.2.3", "--host-record=web.test,10.1.2.4",
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), exe, args...)
	cmd.Stderr = os.Stderr
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr = fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(tb, func() bool {
		c, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, patience, pollInterval)
	return uint32(cmd.Process.Pid), addr, port
}

func TestKernelDNS(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			server, at, port := dnsmasq(t)
			w := watch(t, bpf.Options{DatagramPorts: []uint16{uint16(port)}})
			var paths []string
			for _, name := range []string{"db.test", "web.test", "alias.test", "none.test"} {
				paths = append(paths, network+" "+name)
			}
			client := requestAs(t, "resolver", &job{Addr: at, Paths: paths, Conns: 4, N: 200})
			want := client.outcomes(t)
			w.wait(t, len(want), client.pid())
			requireMatch(t, want, w.of(client.pid()), event.RoleClient)
			served := w.ofServer(server)
			require.Len(t, served, len(want))
			requireMatch(t, want, served, event.RoleServer)
			for _, s := range served {
				require.Equal(t, exchange.Complete, s.Incomplete)
			}
		})
	}
}

// ofServer returns what was seen of a server, whose processes for single
// connections have other ids.
func (w *watcher) ofServer(tgid uint32) []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.all), func(s seen) bool {
		return s.Endpoint.Owner.TGID != tgid && s.Endpoint.Role != event.RoleServer
	})
}
