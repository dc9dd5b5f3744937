package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestKeyText(t *testing.T) {
	k := key(42, 1234567890123)
	text := string(AppendKey(nil, k))
	require.Equal(t, "42:1234567890123", text)
	got, ok := ParseKey(text)
	require.True(t, ok)
	require.Equal(t, k, got)
	for _, bad := range []string{"", "42", "42:", ":1", "x:1", "1:x", "4294967296:1", "-1:1"} {
		_, ok := ParseKey(bad)
		require.False(t, ok, bad)
	}
	require.Zero(t, alloctest.PerRun(100, func() { ParseKey("42:1234567890123") }))
}
