package cql

import (
	"net"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/cql/cqltest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records the official driver for Node.js, which NODE_PATH has to lead
// to, with a server that answers as a script has it.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go cqltest.Serve(l)
	dbtest.Record(t, "driver", l.Addr().String(), func(addr string) {
		out, err := exec.CommandContext(t.Context(), "node", "testdata/client.js", addr, "12").CombinedOutput()
		require.NoError(t, err, string(out))
		t.Log(string(out))
	})
}
