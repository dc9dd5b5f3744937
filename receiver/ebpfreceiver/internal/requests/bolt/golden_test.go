package bolt

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records the official driver, which NODE_PATH has to lead to, with
// the graph database whose address is in BOLT_SERVER and which wants no password.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	server := os.Getenv("BOLT_SERVER")
	if server == "" {
		t.Skip("BOLT_SERVER names no graph database")
	}
	dbtest.Record(t, "driver", server, func(addr string) {
		out, err := exec.CommandContext(t.Context(), "node", "testdata/client.js", addr).CombinedOutput()
		require.NoError(t, err, string(out))
		t.Log(string(out))
	})
}
