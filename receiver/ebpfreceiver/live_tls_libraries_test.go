//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
)

// TestLiveTLSOfBoringSSL has BoringSSL serve and ask, as the shared library of
// Debian's package android-libboringssl.
func TestLiveTLSOfBoringSSL(t *testing.T) {
	libraries, _ := filepath.Glob("/usr/lib/*-linux-gnu/android/libssl.so.0")
	if len(libraries) == 0 {
		t.Skip("android-libboringssl is not installed")
	}
	testLibrary(t, libraries[0])
}

// TestLiveTLSInSharedObject has a shared object serve and ask whose name says
// nothing of the library in it.
func TestLiveTLSInSharedObject(t *testing.T) {
	libraries, _ := filepath.Glob("/usr/lib/*-linux-gnu/libssl.so.3")
	if len(libraries) == 0 {
		t.Skip("OpenSSL is not installed")
	}
	object := filepath.Join(t.TempDir(), "_extension.so")
	copyTo(t, libraries[0], object)
	testLibrary(t, object)
}

// testLibrary compares what both sides tell with what a server was asked that uses
// a library by its functions in C. What the first of its users says may be missed.
func testLibrary(t *testing.T, library string) {
	t.Helper()
	needs(t, "python3", "openssl", "curl")
	l := newTLSLive(t, nil)
	dir := t.TempDir()
	certificate(t, dir)
	const program = "testdata/tlslibrary.py"
	port := freeport.Port(t)
	server := &tlsServer{dir: dir, url: fmt.Sprintf("https://localhost:%d", port)}
	cmd := exec.Command("python3", program, library, "serve", dir, strconv.Itoa(port))
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.True(t, soon(func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("localhost:%d", port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}))
	itself := []string{"python3", program, library, "ask", strconv.Itoa(port)}
	require.NoError(t, exec.Command("curl", "-sk", server.url+"/ok/first").Run())
	l.requireFollowed(t, library)
	for name, line := range map[string][]string{"both ends": itself, "curl": {"curl", "-sk", "--http1.1"}} {
		t.Run(name, func(t *testing.T) {
			mark := marker(t)
			for _, path := range []string{"/ok/" + mark + "/1", "/no/" + mark, "/ok/" + mark + "/2"} {
				if name == "curl" {
					line = append(line, "-o", os.DevNull, server.url+path)
				} else {
					line = append(line, path)
				}
			}
			out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
			require.NoError(t, err, string(out))
			l.requireTold(t, server.wait(t, mark, 3), mark)
		})
	}
}
