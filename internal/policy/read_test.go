package policy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	long, short := filepath.Join(dir, "long.yaml"), filepath.Join(dir, "short.yaml")
	require.NoError(t, os.WriteFile(short, []byte("x"), 0o600))
	require.NoError(t, os.WriteFile(long, nil, 0o600))
	require.NoError(t, os.Truncate(long, maxFile+1)) // takes no room

	f := ReadFile(short)
	require.NoError(t, f.Err)
	require.Equal(t, "x", string(f.Content))
	require.Equal(t, short, f.Name)
	require.ErrorContains(t, ReadFile(long).Err, "a rule file has at most 32 MiB")
	require.ErrorIs(t, ReadFile(filepath.Join(dir, "none")).Err, os.ErrNotExist)
	require.ErrorContains(t, ReadFile(dir).Err, "is a directory")
}
