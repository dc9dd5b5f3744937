//go:build linux && (amd64 || arm64)

package requests_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/kafka"
)

// messagesOf returns how many messages an exchange moved, -1 where that is not
// known, and for which group.
func messagesOf(ex *exchange.Exchange) (n int64, group string) {
	if f, ok := ex.Facts.(*kafka.Facts); ok {
		if !f.HasMessages {
			return -1, string(f.Group)
		}
		return f.Messages, string(f.Group)
	}
	return 0, ""
}

// kafkaJob and kafkaRecord are what testbed/kafka takes and prints.
type kafkaJob struct {
	Addr      string
	Topics    []string
	N, Batch  int
	Spread    bool
	NoAck     bool
	Group     string
	Direct    bool
	Unknown   int
	Handshake bool
	TLS       bool
}

type kafkaRequest struct {
	Key        int
	Start, End uint64
	Records    int
}

type kafkaRecord struct {
	Requests      []kafkaRequest
	Before        int
	Sent, Fetched map[string]int
}

// kafkaNames are the operations of the requests that the client makes.
var kafkaNames = map[int]string{
	0: "produce", 1: "fetch", 2: "list_offsets", 3: "metadata", 8: "offset_commit", 9: "offset_fetch", 10: "find_coordinator",
	11: "join_group", 12: "heartbeat", 13: "leave_group", 14: "sync_group", 18: "api_versions", 22: "init_producer_id",
	71: "get_telemetry_subscriptions", 72: "push_telemetry",
}

// tool builds a program of the testbed, a module of its own.
func tool(t *testing.T, name string) string {
	t.Helper()
	exe := filepath.Join(toolDir, name)
	if _, err := os.Stat(exe); err == nil {
		return exe
	}
	cmd := exec.CommandContext(t.Context(), find(t, "go"), "build", "-o", exe, ".")
	cmd.Dir = filepath.Join("..", "..", "..", "..", "testbed", name)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return exe
}

func kafkaBroker(t *testing.T, exe string) (broker *child, addr string) {
	t.Helper()
	return kafkaBrokerAs(t, exe, false)
}

// kafkaBrokerAs starts a broker that encrypts if it is to be secure.
func kafkaBrokerAs(t *testing.T, exe string, secure bool) (broker *child, addr string) {
	t.Helper()
	line := []string{exe, "broker"}
	if secure {
		cert, key := certificate(t, t.TempDir(), os.Getuid(), os.Getgid())
		line = append(line, "-cert", cert, "-key", key)
	}
	broker = spawn(t, nil, line...)
	return broker, broker.line(t)
}

func kafkaClient(t *testing.T, exe string, j *kafkaJob) *child {
	t.Helper()
	c := spawn(t, nil, exe, "client")
	raw, err := json.Marshal(j)
	require.NoError(t, err)
	_, err = c.in.Write(append(raw, '\n'))
	require.NoError(t, err)
	return c
}

func (c *child) kafkaRecord(t *testing.T) (r kafkaRecord) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(c.line(t)), &r))
	r.Requests = r.Requests[r.Before:]
	return r
}

// requireKafka compares what one side was seen to do with the client's record.
func requireKafka(t *testing.T, want *kafkaRecord, got []seen, role event.Role) {
	t.Helper()
	counts := map[string]int{}
	for _, r := range want.Requests {
		counts[kafkaNames[r.Key]]++
	}
	sent, fetched := map[string]int{}, map[string]int{}
	for _, s := range got {
		operation := s.Method
		if i := slices.Index([]byte(operation), ' '); i >= 0 {
			operation = operation[:i]
		}
		counts[operation]--
		require.Equal(t, role, s.Endpoint.Role)
		require.LessOrEqual(t, s.Start, s.End)
		switch {
		case operation == "produce" && s.Method == operation:
			sent[s.Path] += int(s.Messages)
		case operation == "fetch" && s.Messages > 0:
			fetched[s.Path] += int(s.Messages)
		}
		inside := slices.ContainsFunc(want.Requests, func(r kafkaRequest) bool {
			end := r.End
			if end == 0 || role == event.RoleServer && s.Class == exchange.OneWay {
				end = ^uint64(0) // the client does not know when it was over
			}
			return kafkaNames[r.Key] == operation && r.Start <= s.Start && s.End <= end
		})
		require.True(t, inside, "%+v is in no interval of the client", s)
	}
	for operation, n := range counts {
		require.Zero(t, n, "%s: positive is missing, negative invented", operation)
	}
	require.Equal(t, want.Sent, sent)
	require.Equal(t, want.Fetched, fetched)
}

func TestKernelKafka(t *testing.T) {
	exe := tool(t, "kafka")
	for name, j := range map[string]*kafkaJob{
		"produce":         {Topics: []string{"orders", "payments"}, N: 200, Batch: 3},
		"large":           {Topics: []string{"orders"}, N: 20, Batch: 2000},
		"group":           {Topics: []string{"orders"}, N: 15, Batch: 5, Group: "billing"},
		"no group":        {Topics: []string{"payments"}, N: 10, Batch: 7, Direct: true},
		"no answers":      {Topics: []string{"orders"}, N: 100, Batch: 2, NoAck: true},
		"unknown":         {Topics: []string{"orders"}, N: 1, Batch: 1, Unknown: 3},
		"produce, TLS":    {Topics: []string{"orders", "payments"}, N: 200, Batch: 3, TLS: true},
		"large, TLS":      {Topics: []string{"orders"}, N: 20, Batch: 2000, TLS: true},
		"group, TLS":      {Topics: []string{"orders"}, N: 15, Batch: 5, Group: "billing", TLS: true},
		"no answers, TLS": {Topics: []string{"orders"}, N: 100, Batch: 2, NoAck: true, TLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			broker, addr := kafkaBrokerAs(t, exe, j.TLS)
			w := watchAs(t, j.TLS)
			if j.TLS {
				w.follow(t, broker.pid())
			}
			j.Addr = addr
			client := kafkaClient(t, exe, j)
			want := client.kafkaRecord(t)
			w.wait(t, len(want.Requests), client.pid(), broker.pid())
			requireKafka(t, &want, w.of(client.pid()), event.RoleClient)
			requireKafka(t, &want, w.of(broker.pid()), event.RoleServer)
			w.requireLossless(t)
			w.requireEncrypted(t, port(addr), j.TLS)
			j.requireTold(t, append(w.of(client.pid()), w.of(broker.pid())...))
			if j.Unknown > 0 {
				n := w.operations(port(addr), event.RoleServer, map[string]int{"produce UNKNOWN_TOPIC_ID": 0})
				require.Equal(t, map[string]int{"produce UNKNOWN_TOPIC_ID": j.Unknown}, n)
			}
		})
	}
}

// requireTold compares what was seen with what the job asks for beside the records.
func (j *kafkaJob) requireTold(t *testing.T, got []seen) {
	t.Helper()
	for _, s := range got {
		switch {
		case j.Group != "" && s.Method == "fetch" && s.Messages > 0, s.Method == "offset_commit":
			require.Equal(t, j.Group, s.Group, "%+v", s)
		case s.Method == "fetch":
			require.Contains(t, []string{"", j.Group}, s.Group)
		}
		if s.Method == "produce" && j.NoAck {
			require.Equal(t, exchange.OneWay, s.Class)
			require.Zero(t, s.FirstByte)
		}
	}
}

// TestKernelKafkaUncounted sends batches for several partitions at once. Where not
// all of their heads are copied there is no count, rather than a wrong one.
func TestKernelKafkaUncounted(t *testing.T) {
	exe := tool(t, "kafka")
	broker, addr := kafkaBroker(t, exe)
	w := watch(t, bpf.Options{})
	client := kafkaClient(t, exe, &kafkaJob{Addr: addr, Topics: []string{"payments"}, N: 20, Batch: 3000, Spread: true})
	want := client.kafkaRecord(t)
	w.wait(t, len(want.Requests), client.pid(), broker.pid())
	var produced []int
	for _, r := range want.Requests {
		if r.Key == 0 {
			produced = append(produced, r.Records)
		}
	}
	for _, of := range []uint32{client.pid(), broker.pid()} {
		unknown, i := 0, 0
		for _, s := range w.of(of) {
			if s.Method != "produce" {
				continue
			}
			require.Less(t, i, len(produced))
			if s.Messages < 0 {
				unknown++
			} else {
				require.EqualValues(t, produced[i], s.Messages, "request %d", i)
			}
			i++
		}
		require.Len(t, produced, i)
		require.Positive(t, unknown)
	}
	w.requireLossless(t)
}

func port(addr string) string { return addr[len(addr)-len("34567"):] }

func TestKernelKafkaOldConnection(t *testing.T) { bothWays(t, testKafkaOldConnection) }

func testKafkaOldConnection(t *testing.T, secure bool) {
	t.Helper()
	exe := tool(t, "kafka")
	broker, addr := kafkaBrokerAs(t, exe, secure)
	client := kafkaClient(t, exe, &kafkaJob{Addr: addr, Topics: []string{"orders"}, N: 30, Batch: 2, Handshake: true, TLS: secure})
	require.Equal(t, "ready", client.line(t))
	time.Sleep(200 * time.Millisecond) // for what the client has under way besides
	w := watchAs(t, secure)
	if secure {
		w.follow(t, broker.pid())
	}
	_, err := client.in.Write([]byte("\n"))
	require.NoError(t, err)
	want := client.kafkaRecord(t)
	w.wait(t, len(want.Requests), client.pid(), broker.pid())
	want.Sent = map[string]int{} // the topic's name was told before
	for _, of := range []uint32{client.pid(), broker.pid()} {
		list := w.of(of)
		for i := range list {
			if list[i].Method == "produce" {
				require.EqualValues(t, 2, list[i].Messages)
				list[i].Messages, list[i].Method = 0, "produce "
			}
		}
		requireKafka(t, &want, list, map[bool]event.Role{true: event.RoleClient, false: event.RoleServer}[of == client.pid()])
	}
	w.requireLossless(t)
}

// TestKernelKafkaClients follows clients that are not written in Go, which know
// only how many records they moved: kcat with librdkafka, and kafka-python.
func TestKernelKafkaClients(t *testing.T) {
	exe := tool(t, "kafka")
	kcat, python := find(t, "kcat"), find(t, "/usr/bin/python3")
	if exec.CommandContext(t.Context(), python, "-c", "import kafka").Run() != nil {
		t.Skip("python3-kafka is not installed")
	}
	const n = 25
	for name, play := range map[string]func(addr string){
		"kcat": func(addr string) {
			for i := range n {
				run(t, "planted-secret\n", kcat, "-b", addr, "-P", "-t", "orders", "-X", "client.id=till-"+strconv.Itoa(i%3))
			}
			run(t, "", kcat, "-b", addr, "-X", "auto.offset.reset=earliest", "-G", "shipping", "orders", "-c", strconv.Itoa(n), "-q")
		},
		"python": func(addr string) {
			run(t, "", python, filepath.Join("..", "..", "..", "..", "testbed", "kafka", "client.py"), addr, strconv.Itoa(n), "shipping")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, bpf.Options{})
			_, addr := kafkaBroker(t, exe)
			play(addr)
			w.requireOperations(t, port(addr), map[string]int{"produce": n, "offset_commit": 1, "offset_fetch": 1})
			for _, role := range []event.Role{event.RoleClient, event.RoleServer} {
				sent, fetched := 0, 0
				for _, s := range w.at(port(addr), role) {
					require.NotContains(t, s.Method, " UNKNOWN")
					switch s.Method {
					case "produce":
						sent += int(s.Messages)
						require.Equal(t, "orders", s.Path)
					case "fetch":
						fetched += int(max(s.Messages, 0)) // the last one may have no answer
						require.Equal(t, "shipping", s.Group)
					}
				}
				require.Equal(t, n, sent)
				require.Equal(t, n, fetched)
			}
		})
	}
}
