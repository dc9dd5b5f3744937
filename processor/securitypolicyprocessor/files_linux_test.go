package securitypolicyprocessor

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Files that have no end do not keep the collector from starting.
func TestFilesWithoutEnd(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	for path, want := range map[string]string{pipe: "it is a pipe", "/dev/zero": "a rule file has at most"} {
		files, err := ruleFiles{patterns: []string{path}}.read()
		require.NoError(t, err)
		require.Len(t, files, 1)
		require.ErrorContains(t, files[0].Err, want)
	}
}
