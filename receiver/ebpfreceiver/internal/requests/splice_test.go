//go:build linux && (amd64 || arm64)

package requests_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// runForwarder hands on what comes over each connection, to the address in its
// environment, by splice(2): it sees no byte of it.
func runForwarder() {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a process of its own
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				panic(err)
			}
			behind, err := net.Dial("tcp", os.Getenv("ADDR")) //nolint:noctx // a process of its own
			if err != nil {
				panic(err)
			}
			go pass(behind, c)
			go pass(c, behind)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestKernelSplice: bodies that the kernel moves out of files and from socket to
// socket are counted, and the requests around them are those of the client's record.
// Who only hands bytes on makes no requests.
func TestKernelSplice(t *testing.T) {
	w := watch(t, bpf.Options{})
	server := program(t, []string{"/usr/bin/python3", "splice.py"})
	forwarder := start(t, "forwarder", "ADDR="+server.line(t))
	paths := []string{
		"GET /bytes/100", "GET /bytes/300000", "HEAD /bytes/300000", "POST /upload 200000", "GET /bytes/0", "POST /bytes/50000 70000",
	}
	client := request(t, &job{Addr: forwarder.line(t), Paths: paths, Conns: 3, N: 10 * len(paths)})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	for _, s := range w.of(server.pid()) {
		if size, ok := strings.CutPrefix(s.Path, "/bytes/"); ok && s.Method != "HEAD" {
			n, err := strconv.Atoi(size)
			require.NoError(t, err)
			require.Greater(t, s.Sent, uint64(n), s.Path)
		}
	}
	require.Empty(t, w.of(forwarder.pid()))
	w.requireLossless(t)
}
