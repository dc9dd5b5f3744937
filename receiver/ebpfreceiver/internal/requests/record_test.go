//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
)

// recordings are what TestRecord makes real programs do. The servers: nginx at
// {nginx} with a Go server behind it, the Go server itself at {go}, Python's at
// {python}.
var recordings = map[string]func(t *testing.T, servers map[string]string){
	"nginx_curl": func(t *testing.T, s map[string]string) {
		t.Helper()
		url := "http://" + s["nginx"]
		curl(t, url+"/hello", url+"/1k", url+"/300k", url+"/none", url+"/empty")
		curl(t, "-I", url+"/300k")
		curl(t, "-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", url+"/1k")
		curl(t, "--http1.0", url+"/hello")
		curl(t, "-r", "100-199", url+"/300k")
	},
	"nginx_proxy": func(t *testing.T, s map[string]string) {
		t.Helper()
		url := "http://" + s["nginx"] + "/up"
		curl(t, url+"/chunks/4", url+"/bytes/70000", url+"/status/503")
		curl(t, "-d", strings.Repeat("x", 3000), url+"/upload")
	},
	"nginx_pipelining": func(t *testing.T, s map[string]string) {
		t.Helper()
		j := job{Addr: s["nginx"], Paths: []string{"GET /hello", "GET /1k", "HEAD /300k", "GET /none"}, Conns: 1, N: 24, Pipelined: 12}
		require.Len(t, request(t, &j).outcomes(t), 24)
	},
	"go_keepalive": func(t *testing.T, s map[string]string) {
		t.Helper()
		j := job{Addr: s["go"], Paths: mixed, Conns: 1, N: len(mixed)}
		require.Len(t, request(t, &j).outcomes(t), len(mixed))
	},
	"go_abort": func(t *testing.T, s map[string]string) {
		t.Helper()
		curl(t, "http://"+s["go"]+"/abort")
		curl(t, "--max-time", "0.1", "http://"+s["go"]+"/slow/300")
		time.Sleep(400 * time.Millisecond)
	},
	"curl_socks": func(t *testing.T, s map[string]string) {
		t.Helper()
		url := "http://" + s["go"]
		curl(t, "--socks5", s["socks"], url+"/status/200", url+"/bytes/30000")
		curl(t, "--socks5", s["socks"], "-X", "BREW", url+"/status/418")
	},
	"curl_preamble": func(t *testing.T, s map[string]string) {
		t.Helper()
		url := "http://" + s["preamble"]
		curl(t, "--haproxy-protocol", url+"/status/200", url+"/bytes/30000")
	},
	"curl_upload": func(t *testing.T, s map[string]string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "upload")
		require.NoError(t, os.WriteFile(file, make([]byte, 200_000), 0o600))
		curl(t, "-T", file, "http://"+s["go"]+"/upload", "-H", "Expect: 100-continue")
		curl(t, "-T", "-", "http://"+s["go"]+"/upload") // chunked
	},
	"python_server": func(t *testing.T, s map[string]string) {
		t.Helper()
		url := "http://" + s["python"]
		curl(t, url+"/file", url+"/none")
		curl(t, "-I", url+"/file")
	},
	"python_client": func(t *testing.T, s map[string]string) {
		t.Helper()
		const program = `
import sys, http.client
c = http.client.HTTPConnection(sys.argv[1])
for path in "/status/200", "/bytes/30000", "/chunks/3":
    c.request("GET", path); c.getresponse().read()
c.request("POST", "/upload", body=b"x" * 5000); c.getresponse().read()
c.request("GET", "/" + "p" * 2000, headers={"Cookie": "c" * 3000}); c.getresponse().read()
`
		out, err := exec.CommandContext(t.Context(), "python3", "-c", program, s["go"]).CombinedOutput()
		require.NoError(t, err, string(out))
	},
}

// curl runs curl; what it gets, and whether, is of no interest.
func curl(tb testing.TB, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "curl", append([]string{"-s", "--no-buffer"}, args...)...)
	cmd.Stdin = strings.NewReader(strings.Repeat("y", 50_000))
	_ = cmd.Run()
}

// TestRecord writes testdata/*.ring. Run it with -record, then TestGolden with
// -update, and read the difference.
func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("records only with -record")
	}
	_, goAddr := serve(t, "127.0.0.1:0")
	_, nginxAddr := nginx(t, goAddr)
	servers := map[string]string{
		"go": goAddr, "nginx": nginxAddr, "python": pythonServer(t), "socks": front(t, goAddr, agree), "preamble": front(t, goAddr, skipLine),
	}
	for name, play := range recordings {
		t.Run(name, func(t *testing.T) {
			raw := only(t, capture(t, func() { play(t, servers) }), servers)
			require.NoError(t, os.WriteFile(filepath.Join("testdata", name+".ring"), raw, 0o600))
		})
	}
}

// only leaves the connections of the servers: others of the machine are nobody's
// business.
func only(tb testing.TB, raw []byte, servers map[string]string) (kept []byte) {
	tb.Helper()
	ports := map[string]bool{}
	for _, addr := range servers {
		ports[port(addr)] = true
	}
	var ev event.Event
	for len(raw) > 0 {
		rec, rest, err := nextRecord(raw)
		require.NoError(tb, err)
		require.NoError(tb, event.Decode(rec, &ev))
		if r := &ev.Request; ports[strconv.Itoa(int(r.LocalPort))] || ports[strconv.Itoa(int(r.PeerPort))] {
			kept = append(kept, raw[:len(raw)-len(rest)]...)
		}
		raw = rest
	}
	return kept
}

// pythonServer starts Python's http.server and returns its address.
func pythonServer(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "file"), make([]byte, 20_000), 0o600))
	port := freeport.Port(tb)
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), "python3", "-m", "http.server", "-b", "127.0.0.1", strconv.Itoa(port))
	cmd.Dir = dir
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(tb, func() bool {
		c, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, patience, pollInterval)
	return addr
}

// front accepts connections in this process, which is not captured, has greet take
// what clients say first, and passes the rest on to a server.
func front(tb testing.TB, target string, greet func(in *bufio.Reader, c net.Conn)) (addr string) {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			in := bufio.NewReader(c)
			greet(in, c)
			behind, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", target)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(behind, in); _ = behind.Close() }()
			go func() { _, _ = io.Copy(c, behind); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// agree answers the handshake of SOCKS, version 5, for an address of IPv4 (RFC 1928).
func agree(in *bufio.Reader, c net.Conn) {
	var head [2]byte
	_, _ = io.ReadFull(in, head[:])
	_, _ = in.Discard(int(head[1]))
	_, _ = c.Write([]byte{5, 0})
	_, _ = in.Discard(10)
	_, _ = c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 80})
}

// skipLine takes a preamble of version 1.
func skipLine(in *bufio.Reader, _ net.Conn) { _, _ = in.ReadString('\n') }

// capture returns the records of the requests ring while play runs, each with
// its length before it.
func capture(tb testing.TB, play func()) (raw []byte) {
	tb.Helper()
	agent, err := bpf.Load(bpf.Options{Requests: true, Signatures: requests.Signatures(requests.Protocols())})
	require.NoError(tb, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := agent.Requests().Run(func(rec []byte) {
			var h event.Header
			if event.DecodeHeader(rec, &h) == nil {
				raw = binary.LittleEndian.AppendUint32(raw, h.Len)
				raw = append(raw, rec[:h.Len]...)
			}
		}, nil)
		if err != nil {
			tb.Error(err)
		}
	}()
	play()
	time.Sleep(300 * time.Millisecond)
	require.NoError(tb, agent.Close())
	<-done
	return raw
}
