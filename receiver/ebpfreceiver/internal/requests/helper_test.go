//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/bolt/bolttest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/cql/cqltest"
)

// The agent does not report what its own process does, so servers and clients
// are other processes: this test binary again, told by roleEnv what to be.
const roleEnv = "SIGHTGLASS_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "":
		os.Exit(runTests(m))
	case "server":
		runServer()
	case "client":
		runClient()
	case "h2client":
		runStreams(httpStreams)
	case "forwarder":
		runForwarder()
	case "redisclient":
		runLines(respArray)
	case "memcachedclient":
		runLines(func(command string) string { return command + "\r\n" })
	case "cqlserver":
		answer(cqltest.Serve)
	case "boltserver":
		answer(bolttest.Serve)
	case "resolver":
		runResolver()
	case "rpcserver":
		runRPCServer()
	case "rpcclient":
		runStreams(rpcStreams)
	}
}

// toolDir is where programs are that tests have built.
var toolDir string

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "requests-tools")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	toolDir = dir
	return m.Run()
}

// bootNow is the time since boot in ns, as the kernel programs tell it.
func bootNow() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic(err)
	}
	return uint64(ts.Nano())
}

// job is what a client does: N requests on each of Conns connections, one after
// the other on each, to the paths in turn.
type job struct {
	Addr      string   // host:port, or the path of a unix socket
	Paths     []string // each "METHOD path [size of the body]"
	Conns, N  int
	NoKeep    bool   // a new connection for each request
	Pipelined int    // send so many requests at once, by hand
	Handshake bool   // after the first request, say "ready" and wait for a line
	TLS       bool   // encrypt
	Together  int    // the first call sends at least so many bytes
	Preamble  []byte // what each connection begins with, before it is encrypted
	Tag       string // when not empty, each request's query is the tag and a number of its own

	seq atomic.Int64
}

// tagged makes a path unique, if that is asked for.
func (j *job) tagged(path string) string {
	if j.Tag == "" {
		return path
	}
	return path + "?" + j.Tag + "-" + strconv.FormatInt(j.seq.Add(1), 10)
}

// outcome is a client's record of one request.
type outcome struct {
	Method, Path string
	Status       int // 0: failed
	Start, End   uint64
}

// runServer serves on the address in its environment until its input ends.
func runServer() {
	network, addr := "tcp", os.Getenv("ADDR")
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	l, err := net.Listen(network, addr) //nolint:noctx // a process of its own
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	srv := &http.Server{Handler: handler(), ReadHeaderTimeout: time.Minute, Protocols: &protocols}
	go func() { _ = srv.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("code"))
		w.WriteHeader(code)
	})
	mux.HandleFunc("/bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.Header().Set("Content-Length", r.PathValue("n"))
		_, _ = w.Write(make([]byte, n))
	})
	mux.HandleFunc("/chunks/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		for range n {
			_, _ = w.Write(make([]byte, 3000))
			_ = http.NewResponseController(w).Flush()
		}
	})
	mux.HandleFunc("/long/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("n"))
		w.Header().Set("X-Long", strings.Repeat("l", n))
		_, _ = w.Write(make([]byte, 5000))
	})
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d bytes", n)
	})
	mux.HandleFunc("/slow/{ms}", func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.PathValue("ms"))
		time.Sleep(time.Duration(ms) * time.Millisecond)
		fmt.Fprint(w, "late")
	})
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	return mux
}

// runClient does the job on its input and prints the outcomes.
func runClient() {
	in := bufio.NewReader(os.Stdin)
	var j job
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	if err != nil {
		panic(err)
	}
	var all []outcome
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range j.Conns {
		wg.Go(func() {
			got := j.connection(in)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got...)
		})
	}
	wg.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}

func (j *job) dial(network, _ string) (net.Conn, error) {
	if strings.HasPrefix(j.Addr, "/") {
		network = "unix"
	}
	c, err := net.Dial(network, j.Addr) //nolint:noctx // a process of its own
	if err == nil && len(j.Preamble) > 0 {
		_, err = c.Write(j.Preamble)
	}
	if err != nil || !j.TLS {
		return c, err
	}
	secure := tls.Client(c, trusting)
	return secure, secure.Handshake()
}

// trusting trusts the certificates that tests make up.
var trusting = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above

// connection does the requests of one connection.
func (j *job) connection(in *bufio.Reader) (all []outcome) {
	if j.Pipelined > 0 {
		return j.pipeline()
	}
	tr := &http.Transport{Dial: j.dial, DisableKeepAlives: j.NoKeep, MaxConnsPerHost: 1, DisableCompression: true} //nolint:staticcheck // no context here
	defer tr.CloseIdleConnections()
	for i := range j.N {
		method, rest, _ := strings.Cut(j.Paths[i%len(j.Paths)], " ")
		path, size, _ := strings.Cut(rest, " ")
		path = j.tagged(path)
		var body io.Reader
		if n, _ := strconv.Atoi(size); n > 0 {
			body = strings.NewReader(strings.Repeat("x", n))
		}
		req, err := http.NewRequest(method, "http://test.invalid"+path, body) //nolint:noctx // a process of its own
		if err != nil {
			panic(err)
		}
		if strings.HasPrefix(path, "/long/") {
			req.Header.Set("Cookie", strings.Repeat("c", 1500))
		}
		o := outcome{Method: method, Path: path, Start: bootNow()}
		if resp, err := tr.RoundTrip(req); err == nil {
			o.Status = resp.StatusCode
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		o.End = bootNow()
		all = append(all, o)
		if i == 0 && j.Handshake {
			fmt.Fprintln(os.Stdout, "ready")
			_, _ = in.ReadBytes('\n')
		}
	}
	return all
}

// pipeline sends bursts of requests and reads their responses.
func (j *job) pipeline() (all []outcome) {
	c, err := j.dial("tcp", "")
	if err != nil {
		panic(err)
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 16<<10) // bursts of answers are read at once
	for len(all) < j.N {
		n := min(j.Pipelined, j.N-len(all))
		var burst strings.Builder
		asked := make([]string, n)
		for i := range asked {
			asked[i] = j.tagged(j.Paths[(len(all)+i)%len(j.Paths)])
			fmt.Fprintf(&burst, "%s HTTP/1.1\r\nHost: test.invalid\r\n\r\n", asked[i])
		}
		start := bootNow()
		if _, err := io.WriteString(c, burst.String()); err != nil {
			panic(err)
		}
		for _, line := range asked {
			method, path, _ := strings.Cut(line, " ")
			resp, err := http.ReadResponse(in, &http.Request{Method: method})
			if err != nil {
				panic(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			all = append(all, outcome{Method: method, Path: path, Status: resp.StatusCode, Start: start, End: bootNow()})
		}
	}
	return all
}

// child is this test binary in another role, or another program.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(tb testing.TB, role string, env ...string) *child {
	tb.Helper()
	exe, err := os.Executable()
	require.NoError(tb, err)
	return spawn(tb, append(env, roleEnv+"="+role), exe)
}

// spawn starts a program that ends when its input does.
func spawn(tb testing.TB, env []string, args ...string) *child {
	tb.Helper()
	c := &child{cmd: exec.CommandContext(context.WithoutCancel(tb.Context()), args[0], args[1:]...)}
	c.cmd.Env = append(os.Environ(), env...)
	c.cmd.Stderr = os.Stderr
	var err error
	c.in, err = c.cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(tb, err)
	c.out = bufio.NewReader(out)
	require.NoError(tb, c.cmd.Start())
	tb.Cleanup(func() {
		_ = c.in.Close()
		err := c.cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			tb.Log(args, err)
		}
	})
	return c
}

func (c *child) pid() uint32 { return uint32(c.cmd.Process.Pid) }

func (c *child) line(tb testing.TB) string {
	tb.Helper()
	s, err := c.out.ReadString('\n')
	require.NoError(tb, err)
	return strings.TrimSpace(s)
}

// serve starts a server on a free port, or on a unix socket, and returns its
// address.
func serve(tb testing.TB, addr string) (*child, string) {
	tb.Helper()
	c := start(tb, "server", "ADDR="+addr)
	return c, c.line(tb)
}

// request starts a client with a job.
func request(tb testing.TB, j *job) *child {
	tb.Helper()
	return requestAs(tb, "client", j)
}

// requestAs starts a client of a role with a job.
func requestAs(tb testing.TB, role string, j *job) *child {
	tb.Helper()
	c := start(tb, role)
	raw, err := json.Marshal(j)
	require.NoError(tb, err)
	_, err = c.in.Write(append(raw, '\n'))
	require.NoError(tb, err)
	return c
}

// outcomes waits for a client's end.
func (c *child) outcomes(tb testing.TB) (all []outcome) {
	tb.Helper()
	require.NoError(tb, json.Unmarshal([]byte(c.line(tb)), &all))
	return all
}
