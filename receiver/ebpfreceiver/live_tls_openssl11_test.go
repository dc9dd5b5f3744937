//go:build linux && amd64

package ebpfreceiver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
)

// TestLiveTLSOfOpenSSL11 has OpenSSL 1.1 serve and ask. SIGHTGLASS_TEST_OPENSSL11
// names the folder into which the packages libssl1.1 and openssl of Debian 11 were
// unpacked.
func TestLiveTLSOfOpenSSL11(t *testing.T) {
	root := os.Getenv("SIGHTGLASS_TEST_OPENSSL11")
	if root == "" {
		t.Skip("SIGHTGLASS_TEST_OPENSSL11 does not name a folder with OpenSSL 1.1")
	}
	old := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(root, "usr/bin/openssl"), args...)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+filepath.Join(root, "usr/lib/x86_64-linux-gnu"))
		return cmd
	}
	l := newTLSLive(t, nil)
	dir := t.TempDir()
	certificate(t, dir)
	address := fmt.Sprintf("127.0.0.1:%d", freeport.Port(t))
	server := old("s_server", "-accept", address, "-cert", dir+"/cert.pem", "-key", dir+"/key.pem", "-www", "-quiet")
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	require.True(t, soon(func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}))
	l.requireFollowed(t, "/libssl.so.1.1")
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		mark := marker(t) + version
		client := old("s_client", "-connect", address, "-quiet", version)
		in, err := client.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, client.Start())
		_, err = fmt.Fprintf(in, "GET /%s HTTP/1.1\r\nHost: h\r\n\r\n", mark)
		require.NoError(t, err)
		time.AfterFunc(patience/8, func() { _ = in.Close() }) // what it has read it asks at once
		_ = client.Wait()
		l.requireTold(t, map[string]int{"/" + mark + " 200": 1}, mark)
	}
}
