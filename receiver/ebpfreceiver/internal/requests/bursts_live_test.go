//go:build linux && (amd64 || arm64)

package requests_test

import (
	"strings"
	"testing"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// A hundred requests of one call, and their answers, are longer than what one
// record holds.

func TestKernelNginxBursts(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, addr := nginx(t, "127.0.0.1:1")
	client := request(t, &job{Addr: addr, Paths: []string{"GET /hello", "HEAD /300k", "GET /none"}, Conns: 2, N: 200, Pipelined: 100})
	want := client.outcomes(t)
	w.wait(t, len(want), server, client.pid())
	requireMatch(t, want, w.of(server), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

func TestKernelRedisBursts(t *testing.T) {
	exe := find(t, "redis-server")
	dir := t.TempDir()
	db := serveData(t, nil, func(port string) []string {
		return []string{exe, "--save", "", "--dir", dir, "--logfile", "log", "--port", port}
	}, nil)
	w := watch(t, bpf.Options{})
	paths := []string{"1 SET key " + strings.Repeat("v", 200), "2 GET key", "2 GET key", "1 LPUSH key x", "1 PING"}
	requireLines(t, w, db, requestAs(t, "redisclient", &job{Addr: db.addr, Conns: 2, N: 300, Pipelined: 100, Paths: paths}))
}
