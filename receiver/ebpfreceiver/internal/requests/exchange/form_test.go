package exchange

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormNames(t *testing.T) {
	seen := map[string]bool{}
	for f := range numForms {
		require.NotEmpty(t, f.String())
		seen[f.String()] = true
	}
	require.Len(t, seen, NumForms)
	require.Equal(t, "unknown", numForms.String())
}
