package reload

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRequests(t *testing.T) {
	var r Requests
	r.Request() // nobody listens
	a, endA := r.Subscribe()
	b, endB := r.Subscribe()
	require.Empty(t, a, "what was before does not count")
	r.Request()
	r.Request()
	require.Len(t, a, 1)
	require.Len(t, b, 1)
	<-a
	endB()
	endB()
	r.Request()
	require.Len(t, a, 1)
	require.Len(t, b, 1, "the one from before")
	endA()
}
