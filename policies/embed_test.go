package policies_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/policies"
)

func TestEveryFileOfTheFolderIsLoaded(t *testing.T) {
	files, err := policies.Files()
	require.NoError(t, err)
	onDisk, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.Len(t, files, len(onDisk))
	for _, f := range files {
		want, err := os.ReadFile(f.Name)
		require.NoError(t, err)
		require.Equal(t, string(want), string(f.Content))
	}
}
