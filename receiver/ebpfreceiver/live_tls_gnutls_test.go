//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
)

// TestLiveTLSEarlyDataOfGnuTLS has a request go with the first flight of a session that
// goes on, and another one behind it. This server answers once and closes the connection:
// both ends are told with an answer to the first, and none to the second.
func TestLiveTLSEarlyDataOfGnuTLS(t *testing.T) {
	needs(t, "gnutls-serv", "gnutls-cli", "openssl")
	l := newTLSLive(t, nil)
	dir, port := t.TempDir(), freeport.Port(t)
	certificate(t, dir)
	startProgram(t, port, "gnutls-serv", "--quiet", "--http", "--earlydata", "--port", strconv.Itoa(port),
		"--x509keyfile", filepath.Join(dir, "key.pem"), "--x509certfile", filepath.Join(dir, "cert.pem"))
	l.requireFollowed(t, "/libgnutls.so.30")
	mark := marker(t)
	request := "GET /%s/" + mark + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	early := filepath.Join(dir, "early")
	require.NoError(t, os.WriteFile(early, fmt.Appendf(nil, request, "early"), 0o600))
	client := tlsProgram{
		line: func(string) []string {
			return []string{"gnutls-cli", "--resume", "--insecure", "--earlydata=" + early, "--port", strconv.Itoa(port), "localhost"}
		},
		input: func(string) string { return fmt.Sprintf(request, "ok") },
	}
	client.run(t, mark)
	l.requireTold(t, map[string]int{"/early/" + mark + " 200": 1, "/ok/" + mark + " ": 1}, mark)
}
