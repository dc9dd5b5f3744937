package mongodb

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// TestRecord records PyMongo with a server at an address.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	server := os.Getenv("MONGODB_ADDRESS")
	if server == "" {
		t.Skip("needs the address of a server in MONGODB_ADDRESS")
	}
	dbtest.Record(t, "pymongo", server, func(addr string) {
		cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "testdata/record.py", addr)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	})
}
