//go:build linux && (amd64 || arm64)

package requests_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// runStreams does the job on its input: N requests on one connection, Conns of
// them at once, and prints the outcomes. The connection is closed in good order:
// what the library still has to send (the resets of calls that were given up) is
// part of the record.
func runStreams(dial func(*job) (do func(path string) outcome, hangUp func())) {
	in := bufio.NewReader(os.Stdin)
	var j job
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &j)
	}
	if err != nil {
		panic(err)
	}
	do, hangUp := dial(&j)
	if j.Handshake {
		for _, path := range j.Paths {
			do(path)
		}
		fmt.Fprintln(os.Stdout, "ready")
		_, _ = in.ReadBytes('\n')
	}
	all := make([]outcome, j.N)
	var wg sync.WaitGroup
	next := make(chan int)
	for range j.Conns {
		wg.Go(func() {
			for i := range next {
				all[i] = do(j.Paths[i%len(j.Paths)])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wg.Wait()
	hangUp()
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		panic(err)
	}
}

// httpStreams does requests over one connection of HTTP/2.
func httpStreams(j *job) (do func(path string) outcome, hangUp func()) {
	tr := &http.Transport{Dial: j.dialTogether, DisableCompression: true, Protocols: new(http.Protocols)} //nolint:staticcheck // no context here
	tr.Protocols.SetUnencryptedHTTP2(true)
	return func(what string) outcome {
		method, rest, _ := strings.Cut(what, " ")
		path, size, _ := strings.Cut(rest, " ")
		var body io.Reader
		if n, _ := strconv.Atoi(size); n > 0 {
			body = strings.NewReader(strings.Repeat("x", n))
		}
		req, err := http.NewRequest(method, "http://test.invalid"+path, body) //nolint:noctx // a process of its own
		if err != nil {
			panic(err)
		}
		o := outcome{Method: method, Path: path, Start: bootNow()}
		if resp, err := tr.RoundTrip(req); err == nil {
			o.Status = resp.StatusCode
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		o.End = bootNow()
		return o
	}, tr.CloseIdleConnections
}

// together is a connection of which what is said first goes by one call.
type together struct {
	net.Conn
	held []byte
	room int // bytes that are held
}

func (j *job) dialTogether(network, addr string) (net.Conn, error) {
	c, err := j.dial(network, addr)
	if err != nil || j.Together == 0 {
		return c, err
	}
	return &together{Conn: c, room: j.Together}, nil
}

func (c *together) Write(b []byte) (int, error) {
	if c.room == 0 {
		return c.Conn.Write(b)
	}
	if c.held = append(c.held, b...); len(c.held) < c.room {
		return len(b), nil
	}
	c.room = 0
	_, err := c.Conn.Write(c.held)
	return len(b), err
}

// testService answers as it is asked to.
type testService struct {
	testgrpc.UnimplementedTestServiceServer
}

func (testService) UnaryCall(ctx context.Context, in *testgrpc.SimpleRequest) (*testgrpc.SimpleResponse, error) {
	if s := in.GetResponseStatus(); s != nil {
		if codes.Code(s.GetCode()) == codes.DeadlineExceeded {
			<-ctx.Done()
		}
		return nil, status.Error(codes.Code(s.GetCode()), s.GetMessage())
	}
	return &testgrpc.SimpleResponse{Payload: &testgrpc.Payload{Body: make([]byte, in.GetResponseSize())}}, nil
}

func (testService) StreamingOutputCall(in *testgrpc.StreamingOutputCallRequest, out testgrpc.TestService_StreamingOutputCallServer) error {
	for _, p := range in.GetResponseParameters() {
		if err := out.Send(&testgrpc.StreamingOutputCallResponse{Payload: &testgrpc.Payload{Body: make([]byte, p.GetSize())}}); err != nil {
			return err
		}
	}
	return nil
}

// runRPCServer serves on a free port until its input ends.
func runRPCServer() {
	l, err := net.Listen("tcp", os.Getenv("ADDR")) //nolint:noctx // a process of its own
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	srv := grpc.NewServer()
	testgrpc.RegisterTestServiceServer(srv, testService{})
	go func() { _ = srv.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

const service = "/grpc.testing.TestService/"

// rpcStreams does calls over one connection. A path is "unary SIZE",
// "status CODE", "stream MESSAGES", or "none".
func rpcStreams(j *job) (do func(path string) outcome, hangUp func()) {
	conn, err := grpc.NewClient(j.Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	client := testgrpc.NewTestServiceClient(conn)
	return func(what string) outcome {
		kind, arg, _ := strings.Cut(what, " ")
		n, _ := strconv.Atoi(arg)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		o := outcome{Method: "POST", Path: service + "UnaryCall", Start: bootNow()}
		var err error
		switch kind {
		case "unary":
			_, err = client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseSize: int32(n)})
		case "status":
			if codes.Code(n) == codes.DeadlineExceeded {
				ctx, cancel = context.WithTimeout(ctx, 3*time.Second) // a call whose time is up before it is sent would be none
				defer cancel()
			}
			_, err = client.UnaryCall(ctx, &testgrpc.SimpleRequest{ResponseStatus: &testgrpc.EchoStatus{Code: int32(n), Message: "as asked"}})
		case "stream":
			o.Path = service + "StreamingOutputCall"
			err = receiveAll(client, ctx, n)
		default:
			o.Path = service + "EmptyCall"
			_, err = client.EmptyCall(ctx, &testgrpc.Empty{})
		}
		o.Status, o.End = rpcStatus+int(status.Code(err)), bootNow()
		return o
	}, func() { _ = conn.Close() }
}

func receiveAll(client testgrpc.TestServiceClient, ctx context.Context, n int) error { //nolint:revive // the client is what matters
	in := &testgrpc.StreamingOutputCallRequest{}
	for range n {
		in.ResponseParameters = append(in.ResponseParameters, &testgrpc.ResponseParameters{Size: 30})
	}
	s, err := client.StreamingOutputCall(ctx, in)
	for err == nil {
		_, err = s.Recv()
	}
	if err == io.EOF { //nolint:errorlint // as the library returns it
		return nil
	}
	return err
}

var h2mixed = []string{
	"GET /status/200", "GET /status/404", "GET /bytes/100", "GET /chunks/3", "POST /upload 10", "HEAD /bytes/1234",
	"GET /status/204", "GET /status/503", "DELETE /status/304", "GET /slow/5", "GET /bytes/5000", "GET /bytes/100000",
	"POST /upload 60000",
}

var rpcMixed = []string{"unary 10", "status 5", "stream 3", "none", "unary 200", "status 13", "status 4", "unary 0", "stream 1", "status 16"}

func TestKernelHTTP2(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, at := serve(t, "127.0.0.1:0")
	client := requestAs(t, "h2client", &job{Addr: at, Paths: h2mixed, Conns: 10, N: 40 * len(h2mixed)})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

// A client whose first call is longer than what is copied of one, and holds requests.
func TestKernelHTTP2Together(t *testing.T) {
	w := watch(t, bpf.Options{})
	server, at := serve(t, "127.0.0.1:0")
	for range 3 {
		client := requestAs(t, "h2client", &job{Addr: at, Paths: append([]string{"POST /upload 60000"}, h2mixed...), Conns: 3, N: 30, Together: 30000})
		want := client.outcomes(t)
		w.wait(t, len(want), client.pid())
		requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	}
	w.wait(t, 90, server.pid())
	w.requireLossless(t)
}

func TestKernelGRPC(t *testing.T) {
	w := watch(t, bpf.Options{})
	server := start(t, "rpcserver", "ADDR=127.0.0.1:0")
	client := requestAs(t, "rpcclient", &job{Addr: server.line(t), Paths: rpcMixed, Conns: 40, N: 40 * len(rpcMixed)})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, byDeadline(w.of(server.pid())), event.RoleServer)
	requireMatch(t, want, byDeadline(w.of(client.pid())), event.RoleClient)
	for _, s := range append(w.of(server.pid()), w.of(client.pid())...) {
		require.Contains(t, []exchange.Reason{exchange.Complete, exchange.StreamReset}, s.Incomplete)
	}
	require.Zero(t, w.stats().Gaps)
	require.Zero(t, w.stats().Late)
}

// byDeadline takes calls that were reset for such whose deadline passed, which
// is what the client resets them for. How much of the timeout was over when they
// were sent is not known.
func byDeadline(list []seen) []seen {
	for i := range list {
		if list[i].Incomplete == exchange.StreamReset && list[i].Status == rpcStatus+int(codes.Canceled) {
			list[i].Status = rpcStatus + int(codes.DeadlineExceeded)
		}
	}
	return list
}

// Responses that are longer than what is copied of a segment.
func TestKernelGRPCLong(t *testing.T) {
	w := watch(t, bpf.Options{})
	server := start(t, "rpcserver", "ADDR=127.0.0.1:0")
	client := requestAs(t, "rpcclient", &job{Addr: server.line(t), Paths: []string{"unary 9000", "unary 15000"}, Conns: 1, N: 100})
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	requireMatch(t, want, w.of(server.pid()), event.RoleServer)
	requireMatch(t, want, w.of(client.pid()), event.RoleClient)
	w.requireLossless(t)
}

// On a connection that is older than the agent each request is seen, and what
// cannot be known of it is told to be so.
func TestKernelOldStreams(t *testing.T) {
	server, at := serve(t, "127.0.0.1:0")
	paths := []string{"GET /status/200", "GET /status/404"}
	client := requestAs(t, "h2client", &job{Addr: at, Paths: paths, Conns: 4, N: 40, Handshake: true})
	require.Equal(t, "ready", client.line(t))
	w := watch(t, bpf.Options{})
	_, err := client.in.Write([]byte("\n"))
	require.NoError(t, err)
	want := client.outcomes(t)
	w.wait(t, len(want), server.pid(), client.pid())
	for _, s := range append(w.of(server.pid()), w.of(client.pid())...) {
		require.Contains(t, []exchange.Reason{exchange.Complete, exchange.HeadersUnknown}, s.Incomplete)
		if s.Incomplete == exchange.Complete {
			require.NotEmpty(t, s.Path)
			require.NotZero(t, s.Status)
		}
		require.Contains(t, []string{"", "/status/200", "/status/404"}, s.Path)
		if s.Path != "" && s.Status != 0 {
			require.Equal(t, s.Path, "/status/"+strconv.Itoa(s.Status))
		}
	}
}
