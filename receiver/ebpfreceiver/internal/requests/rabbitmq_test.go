//go:build linux && (amd64 || arm64)

package requests_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// rabbitTLS has a broker listen with TLS: its port, its certificate and the key.
const rabbitTLS = `
listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:%s
ssl_options.certfile = %s
ssl_options.keyfile = %s
`

// rabbit starts a broker, which ends with the test, and returns its port.
func rabbit(t *testing.T, secure bool) string {
	t.Helper()
	exe := find(t, "/usr/lib/rabbitmq/bin/rabbitmq-server")
	dir, as := home(t, "rabbitmq")
	as.Setpgid = true // the broker is a child of a script
	port, internal := strconv.Itoa(freeport.Port(t)), strconv.Itoa(freeport.Port(t))
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), exe)
	cmd.SysProcAttr, cmd.Dir = as, dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "RABBITMQ_NODENAME=sightglass"+port+"@localhost", "RABBITMQ_MNESIA_BASE="+dir+"/data",
		"RABBITMQ_LOG_BASE="+dir+"/log", "RABBITMQ_NODE_PORT="+port, "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_ENABLED_PLUGINS_FILE="+dir+"/plugins", "RABBITMQ_DIST_PORT="+internal, "RABBITMQ_CONFIG_FILE="+dir+"/none")
	if secure {
		cert, key := certificate(t, dir, int(as.Credential.Uid), int(as.Credential.Gid))
		require.NoError(t, os.WriteFile(dir+"/tls.conf", fmt.Appendf(nil, rabbitTLS, port, cert, key), 0o644)) //nolint:gosec // another user reads it
		cmd.Env = append(cmd.Env, "RABBITMQ_CONFIG_FILE="+dir+"/tls.conf", "RABBITMQ_NODE_PORT=")
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		log, err := os.ReadFile(dir + "/log/sightglass" + port + "@localhost.log")
		return err == nil && strings.Contains(string(log), "Server startup complete")
	}, patience, pollInterval)
	return port
}

// amqpClient starts a client in Python that uses a broker.
func amqpClient(t *testing.T, port string, n int, more ...string) *child {
	t.Helper()
	python := find(t, "/usr/bin/python3")
	if exec.CommandContext(t.Context(), python, "-c", "import pika").Run() != nil {
		t.Skip("python3-pika is not installed")
	}
	return spawn(t, nil, append([]string{python, "testdata/programs/amqp.py", "127.0.0.1:" + port, strconv.Itoa(n)}, more...)...)
}

// requireAMQP compares what one side was seen to do with the client's record:
// the same, each inside the client's interval. What the client does not wait
// for, publishing without a confirm and acknowledging, reaches the broker later.
func requireAMQP(t *testing.T, w *watcher, port string, want []outcome, role event.Role) {
	t.Helper()
	count := func(operation, destination string) string { return operation + " to " + destination }
	missing := map[string]int{}
	for _, o := range want {
		missing[count(o.Method, o.Path)]++
	}
	for _, s := range w.at(port, role) {
		missing[count(s.Method, s.Path)]--
		require.Equal(t, exchange.Complete, s.Incomplete, "%+v", s)
		require.LessOrEqual(t, s.Start, s.End)
		end := s.End
		if role == event.RoleServer && (s.Class == exchange.OneWay || s.Sent > 16<<10) {
			end = s.Start
		}
		inside := func(o outcome) bool {
			late := role == event.RoleServer && (s.Class == exchange.OneWay || strings.HasPrefix(s.Method, "deliver"))
			return o.Path == s.Path && o.Method == s.Method && o.Start <= s.Start && (late || end <= o.End)
		}
		require.True(t, slices.ContainsFunc(want, inside), "%+v is in no interval of the client", s)
		oneWay := s.Method == "publish" && strings.HasSuffix(s.Path, ":red.new")
		require.Equal(t, oneWay, s.Class == exchange.OneWay, "%+v", s)
		require.Equal(t, oneWay || strings.HasPrefix(s.Method, "deliver"), s.FirstByte == 0, "%+v", s)
	}
	for what, n := range missing {
		require.Zero(t, n, "%s: positive is missing, negative invented", what)
	}
}

// bothEnds are the roles of a connection's ends.
var bothEnds = []event.Role{event.RoleServer, event.RoleClient}

// settle waits until both ends of a broker's connections are seen to have done n
// things.
func (w *watcher) settle(t *testing.T, port string, n int, ends ...event.Role) {
	t.Helper()
	for _, role := range ends {
		deadline := time.Now().Add(patience)
		for len(w.at(port, role)) < n && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
	}
	time.Sleep(150 * time.Millisecond)
}

func TestKernelRabbitMQ(t *testing.T) {
	port := rabbit(t, false)
	w := watch(t, bpf.Options{})
	client := amqpClient(t, port, 60)
	want := client.outcomes(t)
	sinceBoot(want)
	w.settle(t, port, len(want), bothEnds...)
	requireAMQP(t, w, port, want, event.RoleServer)
	requireAMQP(t, w, port, want, event.RoleClient)
	require.Zero(t, w.stats().Gaps)

	t.Run("old connection", func(t *testing.T) {
		const n = 30
		client := amqpClient(t, port, n, "wait")
		require.Equal(t, "ready", client.line(t))
		w := watch(t, bpf.Options{})
		_, err := client.in.Write([]byte("\n"))
		require.NoError(t, err)
		want := client.outcomes(t)
		sinceBoot(want)
		w.settle(t, port, len(want), bothEnds...)
		for _, role := range []event.Role{event.RoleServer, event.RoleClient} {
			requireOldAMQP(t, want, w.at(port, role))
		}
	})
	for name, start := range map[string]func(t *testing.T, n string) *child{
		"client in Go": func(t *testing.T, n string) *child {
			return spawn(t, nil, tool(t, "amqp"), "127.0.0.1:"+port, n)
		},
		"client in Node.js": func(t *testing.T, n string) *child {
			return script(t, "testdata/programs/amqp.js", "127.0.0.1:"+port, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, bpf.Options{})
			client := start(t, "60")
			want := client.outcomes(t)
			if name == "client in Node.js" {
				sinceBoot(want)
			}
			w.settle(t, port, len(want), bothEnds...)
			requireAMQP(t, w, port, want, event.RoleServer)
			requireAMQP(t, w, port, want, event.RoleClient)
			require.Zero(t, w.stats().Gaps)
		})
	}
	t.Run("bursts", func(t *testing.T) {
		w := watch(t, bpf.Options{})
		client := spawn(t, nil, tool(t, "amqp"), "127.0.0.1:"+port, "300", "burst")
		want := client.outcomes(t)
		w.settle(t, port, len(want), bothEnds...)
		requireAMQP(t, w, port, want, event.RoleServer)
		requireAMQP(t, w, port, want, event.RoleClient)
		w.requireLossless(t)
	})
	t.Run("clients in C", func(t *testing.T) {
		publish, fetch := find(t, "amqp-publish"), find(t, "amqp-get")
		w := watch(t, bpf.Options{})
		url := "--url=amqp://guest:guest@127.0.0.1:" + port
		run(t, "", "amqp-declare-queue", url, "-q", "tools")
		for range 10 {
			run(t, "", publish, url, "-r", "tools", "-b", "planted-secret")
			run(t, "", fetch, url, "-q", "tools")
		}
		run(t, "", "amqp-delete-queue", url, "-q", "tools")
		w.requireOperations(t, port, map[string]int{"publish": 10, "get": 10, "queue.declare": 1, "queue.delete": 1})
	})
}

// Erlang encrypts by code of its own: what a broker does is not decoded, which is
// said. Its client, in Python, is followed.
func TestKernelRabbitMQTLS(t *testing.T) {
	port := rabbit(t, true)
	w := watchAs(t, true)
	client := amqpClient(t, port, 60, "tls")
	want := client.outcomes(t)
	sinceBoot(want)
	w.settle(t, port, len(want), event.RoleClient)
	requireAMQP(t, w, port, want, event.RoleClient)
	require.Empty(t, w.at(port, event.RoleServer))
	for _, s := range w.at(port, event.RoleClient) {
		require.NotNil(t, s.Endpoint.Encryption)
	}
	dark := w.undecoded()
	require.Len(t, dark, 1, "the broker's end of one connection")
	require.Equal(t, exchange.TLS, dark[0].form)
	require.NotEqual(t, client.pid(), dark[0].owner)
	require.Equal(t, "Erlang's own TLS", w.finder.Why(dark[0].owner))
	require.Zero(t, w.stats().Gaps)
}

// requireOldAMQP compares what was seen on connections that are older than the
// capture: as much as was done, and whatever has a duration began in the
// client's time.
func requireOldAMQP(t *testing.T, want []outcome, got []seen) {
	t.Helper()
	tell := func(all []string) string {
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	var asked, answered []string
	for _, o := range want {
		asked = append(asked, o.Path+" "+strings.Fields(o.Method)[0])
	}
	learned := 0
	slices.SortFunc(got, func(a, b seen) int { return cmp.Compare(a.Start, b.Start) })
	for _, s := range got {
		method := strings.Fields(s.Method)[0]
		answered = append(answered, s.Path+" "+method)
		if s.Incomplete == exchange.Desynchronized || s.Class == exchange.OneWay {
			continue
		}
		if method == "publish" {
			learned++
		}
		require.True(t, slices.ContainsFunc(want, func(o outcome) bool {
			return o.Path == s.Path && o.Start <= s.Start
		}), fmt.Sprint(s))
	}
	require.Equal(t, tell(asked), tell(answered))
	require.Positive(t, learned, "confirms are recognised")
}
