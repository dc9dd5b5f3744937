package encryption

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPlacesOfCopies looks at the code of one of several equal libraries, and at that of
// one that differs.
func TestPlacesOfCopies(t *testing.T) {
	library := systemOpenSSL(t)
	text, err := os.ReadFile(library)
	require.NoError(t, err)
	f := newTestFinder(t, &probed{}, time.Second)
	places := func(name string, text []byte) (n int, err error) {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, text, 0o600))
		file, err := os.Open(path)
		require.NoError(t, err)
		defer file.Close()
		probes, _, err := f.places(file, libraryOf(library))
		want, _, _ := libraryOf(library).probes(file, f.cfg.Kernel, &f.cfg.Prices)
		require.Equal(t, want, probes)
		return len(probes), err
	}
	for range 3 {
		n, err := places("libssl.so.3", text)
		require.NoError(t, err)
		require.NotZero(t, n)
		require.Len(t, f.placed, 1)
	}
	_, err = places("libssl.so.3", append(text, "more"...))
	require.NoError(t, err)
	require.Len(t, f.placed, 2)
	_, err = places("libssl.so.3", text[:1000])
	require.Error(t, err)
	require.Len(t, f.placed, 2, "what could not be read is tried again")
	_, err = places("libssl.so.3", append(text, make([]byte, maxCopied)...))
	require.NoError(t, err)
	require.Len(t, f.placed, 2, "nobody reads all of a large file")
}
