package nearest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	known := []string{"endpoint", "tls", "headers", "header"}
	require.Equal(t, "endpoint", Of("endpiont", known, 2))
	require.Equal(t, "endpoint", Of("endpoints", known, 1))
	require.Equal(t, "tls", Of("tsl", known, 1))
	require.Equal(t, "header", Of("heade", known, 2), "the least different, not the first")
	require.Equal(t, "proc.name", Of("proc.nm", []string{"proc.env", "proc.name", "proc.sid"}, 2), "of equal ones the one that begins alike")
	require.Equal(t, "abc", Of("ab", []string{"abc", "abd"}, 1), "the first of those")
	require.Empty(t, Of("compression", known, 4))
	require.Empty(t, Of("tsl", known, 0))
	require.Empty(t, Of("x", nil, 9))
	require.Equal(t, 1, distance("ab", "ba"))
	require.Equal(t, 3, distance("", "abc"))
	require.Equal(t, 2, distance("abcd", "bc"))
}
