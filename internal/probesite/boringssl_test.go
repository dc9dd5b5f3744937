package probesite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBoringSSL finds the functions in executables of bun, which has BoringSSL in
// it without names: SIGHTGLASS_TEST_BUN may name several, of any version and
// machine, apart by colons.
func TestBoringSSL(t *testing.T) {
	paths := filepath.SplitList(os.Getenv("SIGHTGLASS_TEST_BUN"))
	if len(paths) == 0 {
		t.Skip("SIGHTGLASS_TEST_BUN names no executable of bun")
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
