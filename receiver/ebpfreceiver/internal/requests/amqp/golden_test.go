package amqp

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), int(New().Bound)) }

// TestRecord records clients in Python and in C with a broker at an address.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	broker := os.Getenv("AMQP_ADDRESS")
	if broker == "" {
		t.Skip("needs the address of a broker in AMQP_ADDRESS")
	}
	run := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Stdin = strings.NewReader("secret\n")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	dbtest.Record(t, "pika", broker, func(addr string) {
		run("/usr/bin/python3", "../testdata/programs/amqp.py", addr, "6")
	})
	dbtest.Record(t, "librabbitmq", broker, func(addr string) {
		url := "--url=amqp://guest:guest@" + addr
		run("amqp-declare-queue", url, "-q", "sg-tools")
		run("amqp-publish", url, "-r", "sg-tools", "-b", "secret")
		run("amqp-publish", url, "-r", "sg-tools", "-b", "secret")
		run("amqp-get", url, "-q", "sg-tools")
		run("amqp-consume", url, "-q", "sg-tools", "-c", "1", "cat")
		run("amqp-delete-queue", url, "-q", "sg-tools")
	})
}
