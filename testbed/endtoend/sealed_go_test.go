package endtoend

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// goEnv has this test's own program serve or ask: "serve HTTP GRPC" or "ask HTTP GRPC
// WORD", with the ports. The go command has linked it without a symbol table.
const goEnv = "SIGHTGLASS_SEALED_GO"

// TestSealedProcess is such a process.
func TestSealedProcess(t *testing.T) {
	line := strings.Fields(os.Getenv(goEnv))
	if len(line) < 3 {
		t.Skip("for containers of other tests")
	}
	if line[0] == "serve" {
		serveSealed(t, line[1], line[2])
	} else {
		askSealed(t, line[1], line[2], line[3])
	}
}

// serveSealed answers HTTP/1.1, HTTP/2 and calls of any procedure, until it is killed.
func serveSealed(t *testing.T, web, calls string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+calls)
	require.NoError(t, err)
	secure, err := credentials.NewServerTLSFromFile("/etc/cert.pem", "/etc/key.pem")
	require.NoError(t, err)
	s := grpc.NewServer(grpc.Creds(secure), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		if err := stream.RecvMsg(&healthpb.HealthCheckRequest{}); err != nil {
			return err
		}
		if strings.HasSuffix(method, "/Missing") {
			return status.Error(codes.NotFound, "none")
		}
		return stream.SendMsg(&healthpb.HealthCheckResponse{})
	}))
	go func() { _ = s.Serve(listener) }()
	require.NoError(t, http.ListenAndServeTLS("127.0.0.1:"+web, "/etc/cert.pem", "/etc/key.pem", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/ok/") {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "hello\n")
	})))
}

// askSealed asks one thing after the other, and prints each and what came of it.
func askSealed(t *testing.T, web, calls, word string) {
	t.Helper()
	for version, protocols := range []*http.Protocols{new(http.Protocols), new(http.Protocols)} {
		protocols.SetHTTP1(version == 0)
		protocols.SetHTTP2(version == 1)
		client := http.Client{Transport: &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		for k := range 4 {
			path := fmt.Sprintf("/%s/%s/%d/%d", map[bool]string{true: "ok", false: "no"}[k > 0], word, version, k)
			r, err := client.Get("https://127.0.0.1:" + web + path)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, r.Body)
			require.NoError(t, err)
			require.NoError(t, r.Body.Close())
			fmt.Println(path, r.StatusCode)
		}
		client.CloseIdleConnections()
	}
	conn, err := grpc.NewClient("127.0.0.1:"+calls, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	require.NoError(t, err)
	for _, name := range []string{"Check", "Missing", "Check"} {
		err := conn.Invoke(t.Context(), "/"+word+"/"+name, &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{})
		fmt.Println(word+"/"+name, map[codes.Code]string{codes.OK: "OK", codes.NotFound: "NOT_FOUND"}[status.Code(err)])
	}
	require.NoError(t, conn.Close())
}
