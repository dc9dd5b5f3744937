package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPageIsFresh fails when the committed page is not what the table makes.
func TestPageIsFresh(t *testing.T) {
	b, err := os.ReadFile("../../../docs/generated/syscalls.md")
	if os.IsNotExist(err) {
		t.Skip("the repository is not here")
	}
	require.NoError(t, err)
	require.Equal(t, page(), string(b), "run: go generate ./internal/syscalls")
}
