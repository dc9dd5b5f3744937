//go:build linux && (amd64 || arm64)

package requests_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// resolverScript has the C library look up names in namespaces of its own, where a
// server with more aliases of one name than a datagram holds has port 53. $1 is a
// folder, $2 has options for the server.
const resolverScript = `
set -e
mount --make-rprivate /
ip link set lo up
printf 'nameserver 127.0.0.1\nsearch none.test test\n' >"$1/resolv.conf"
mount --bind "$1/resolv.conf" /etc/resolv.conf
dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --bind-interfaces \
	--listen-address=127.0.0.1 --port=53 --local=/test/ $2 &
trap 'kill $!' EXIT
until grep -q ' 0100007F:0035 ' /proc/net/udp; do sleep 0.05; done
for name in many absent.test.; do
	python3 -c 'import socket, sys; socket.getaddrinfo(sys.argv[1], 80, type=socket.SOCK_STREAM)' $name 2>/dev/null || true
done
`

// TestKernelResolver follows the C library's lookups: the addresses of both families
// asked for by one call, names that are completed, and answers that do not fit, all of
// which is asked for again over TCP.
func TestKernelResolver(t *testing.T) {
	for _, name := range []string{"dnsmasq", "unshare", "python3", "ip"} {
		find(t, name)
	}
	if err := exec.CommandContext(t.Context(), "unshare", "-n", "-m", "true").Run(); err != nil {
		t.Skip("namespaces need root:", err)
	}
	names := []string{"many.test"} // each but the last one an alias of the next
	for i := range 8 {
		names = append(names, fmt.Sprintf("%s%d.test", strings.Repeat("n", 60), i))
	}
	records := []string{"--host-record=" + names[8] + ",10.1.2.3"}
	for i := range 8 {
		records = append(records, "--cname="+names[i]+","+names[i+1])
	}
	w := watch(t, bpf.Options{})
	dir := t.TempDir()
	run(t, "", "unshare", "-n", "-m", "sh", "-c", resolverScript, "sh", dir, strings.Join(records, " "))
	// Of the datagrams with both families' addresses of many.test the first answer ends
	// it, whether or not the second was read.
	want := map[string]int{"many.none.test": 2, "many.test": 3, "absent.test": 2}
	counts := func() map[string]int {
		got := map[string]int{}
		for _, s := range w.at("53", event.RoleClient) {
			got[s.Path]++
		}
		return got
	}
	missing := func() bool {
		got := counts()
		for name, n := range want {
			if got[name] < n {
				return true
			}
		}
		return false
	}
	for deadline := time.Now().Add(patience); missing() && time.Now().Before(deadline); {
		time.Sleep(pollInterval)
	}
	time.Sleep(150 * time.Millisecond) // for more than there should be
	w.mu.Lock()
	w.asm.Tick(bootNow() + uint64(time.Minute)) // what has no answer by now will have none
	w.mu.Unlock()
	for _, s := range w.at("53", event.RoleClient) {
		require.Equal(t, exchange.Complete, s.Incomplete, "%+v", s)
	}
	got := counts()
	if got["many.test"] == 4 {
		got["many.test"]--
	}
	require.Equal(t, want, got)
}
