package probesite

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/nodemodules"
)

// TestBoringSSL finds the functions in executables of bun, which has BoringSSL in
// it without names: in those that SIGHTGLASS_TEST_BUN names, of any version and
// machine, apart by colons, or else in the one of testbed/node.
func TestBoringSSL(t *testing.T) {
	paths := filepath.SplitList(os.Getenv("SIGHTGLASS_TEST_BUN"))
	if len(paths) == 0 {
		paths = []string{nodemodules.Path(t, "@oven/bun-linux-x64-baseline/bin/bun")}
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			content, err := os.Open(path)
			require.NoError(t, err)
			defer func() { require.NoError(t, content.Close()) }()
			file, err := Open(content)
			require.NoError(t, err)
			require.True(t, file.HasBoringSSL())
			found, err := file.BoringSSL()
			require.NoError(t, err)
			require.Contains(t, found, "SSL_do_handshake")
			for name, fn := range found {
				site, err := fn.Entry(modern, fn.Arguments(3)...)
				require.NoError(t, err, name)
				require.Equal(t, Emulated, site.Cost, name)
				require.True(t, site.AtCall, name)
				t.Logf("%s at %#x", name, fn.Address)
			}
		})
	}
}

// TestBoringSSLByShape has compilers make programs of functions that report what
// BoringSSL's do, and finds those in the program without names.
func TestBoringSSLByShape(t *testing.T) {
	for _, compiler := range []string{"gcc", "clang-19", "aarch64-linux-gnu-gcc"} {
		for name, peek := range map[string]string{"peek is called": "OUTSIDE", "peek is a part of read": "static inline __attribute__((always_inline))"} {
			for _, placed := range []string{"-no-pie", "-pie"} {
				t.Run(compiler+", "+name+", "+placed, func(t *testing.T) {
					if _, err := exec.LookPath(compiler); err != nil {
						t.Skip("not installed")
					}
					named, stripped := filepath.Join(t.TempDir(), "named"), filepath.Join(t.TempDir(), "stripped")
					source := []string{"-O2", "-fPIE", placed, "-nostdlib", "-Wl,-e,main", "-DPEEK=" + peek, "testdata/boringssl.c", "-o"}
					for out, more := range map[string]string{named: "-g0", stripped: "-s"} {
						text, err := exec.Command(compiler, append(source, out, more)...).CombinedOutput()
						require.NoError(t, err, string(text))
					}
					want, got := openFile(t, named), openFile(t, stripped)
					found, err := got.BoringSSL()
					require.NoError(t, err)
					for name, fn := range found {
						same, err := want.Function(name)
						require.NoError(t, err)
						require.Equal(t, same.Address, fn.Address, name)
					}
					require.Len(t, found, 4)
					_, err = got.Function("SSL_read")
					require.ErrorIs(t, err, ErrNoFunction)
				})
			}
		}
	}
}

func openFile(t *testing.T, path string) *File {
	t.Helper()
	content, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = content.Close() })
	file, err := Open(content)
	require.NoError(t, err)
	return file
}
