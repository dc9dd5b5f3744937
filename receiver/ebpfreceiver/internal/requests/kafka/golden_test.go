package kafka

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

func TestGolden(t *testing.T) { dbtest.Golden(t, New(), DefaultBound) }

// pythonClient sends and consumes with kafka-python.
const pythonClient = `
import sys
from kafka import KafkaProducer, KafkaConsumer
p = KafkaProducer(bootstrap_servers=sys.argv[1], acks='all', retries=0, linger_ms=5)
fs = [p.send('orders', b'planted-secret %d' % i) for i in range(20)]
fs += [p.send('payments', b'planted-secret %d' % i, partition=i % 3) for i in range(20)]
for f in fs: f.get(timeout=10)
p.close()
c = KafkaConsumer('orders', bootstrap_servers=sys.argv[1], group_id='shipping', auto_offset_reset='earliest', enable_auto_commit=False)
for i, m in enumerate(c):
    if i == 19: break
c.commit()
c.close()
`

// TestRecord records a Go, a C and a Python client with a broker in Go. The
// recording of kafkajs was made in the same way, with its version 2.2.4 from npm.
func TestRecord(t *testing.T) {
	dbtest.Recording(t)
	broker := filepath.Join(t.TempDir(), "kafka")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", broker, ".")
	build.Dir = "../../../../../testbed/kafka"
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	run := func(input string, args ...string) {
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	for name, play := range map[string]func(addr string){
		"franz": func(addr string) {
			run(`{"Addr":"`+addr+`","Topics":["orders","payments"],"N":4,"Batch":5,"Group":"billing","Unknown":1}`+"\n", broker, "client")
			run(`{"Addr":"`+addr+`","Topics":["orders"],"N":2,"Batch":3,"NoAck":true}`+"\n", broker, "client")
		},
		"kcat": func(addr string) {
			run("planted-secret 1\nplanted-secret 2\n", "kcat", "-b", addr, "-P", "-t", "orders", "-X", "client.id=till")
			run("", "kcat", "-b", addr, "-C", "-t", "orders", "-e", "-c", "2", "-q")
			run("", "kcat", "-b", addr, "-X", "auto.offset.reset=earliest", "-G", "billing", "orders", "-c", "2", "-q")
			run("", "kcat", "-b", addr, "-L")
		},
		"python": func(addr string) { run("", "/usr/bin/python3", "-c", pythonClient, addr) },
	} {
		file := filepath.Join(t.TempDir(), name)
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), broker, "broker", "-said", file)
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		addr, err := bufio.NewReader(stdout).ReadString('\n')
		require.NoError(t, err)
		play(strings.TrimSpace(addr))
		require.NoError(t, in.Close())
		_, _ = io.Copy(io.Discard, stdout)
		require.NoError(t, cmd.Wait())
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		dbtest.Save(t, name, string(text))
	}
}
