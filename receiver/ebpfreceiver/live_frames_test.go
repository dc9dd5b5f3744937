//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

// TestLiveLargeStreams: of large answers on several streams of one connection, which
// the server hands to its library in pieces that begin anywhere in a frame, no span
// lacks its end.
func TestLiveLargeStreams(t *testing.T) {
	needs(t, "nginx", "openssl", "curl")
	l := newTLSLive(t, nil)
	s := startNginx(t)
	const mark, streams = "streams", 12
	line := []string{"-sk", "--http2", "--parallel", "--parallel-max", fmt.Sprint(streams)}
	for i := range streams {
		line = append(line, "-o", os.DevNull, fmt.Sprintf("%s/large/%s/%d", s.url, mark, i))
	}
	require.NoError(t, exec.Command("curl", line...).Run())
	l.requireTold(t, s.wait(t, mark, streams), mark)
	for _, batch := range l.traces.AllTraces() {
		for _, rs := range batch.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				require.Empty(t, valueOf(span.Attributes(), schema.RequestIncomplete), span.Name())
			}
		}
	}
}
