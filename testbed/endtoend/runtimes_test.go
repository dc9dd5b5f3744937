package endtoend

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/agent"
)

// connections keeps what is known of connections, and shows what is not decoded.
const connections = `
receivers:
  ebpf: {metrics_interval: 1s}
processors:
  security_policy: {keep: [sightglass.network.connect, sightglass.network.accept]}
exporters:
  terminal: {show: [services, status], color: never}
service:
  pipelines:
    metrics: {exporters: [otlp_grpc, terminal]}
`

// printed is what a program has printed so far.
type printed struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

// wait waits for a line that has all the words.
func (p *printed) wait(t *testing.T, words ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return hasLine(p.text.String(), words...)
	}, patience, 4*pollInterval, "no line with %q", words)
}

func hasLine(text string, words ...string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true
		}
	}
	return false
}

// warm asks a web server until both sides are followed.
func warm(t *testing.T, h *host, web string) {
	t.Helper()
	waitForListener(t, web)
	word := marker()
	require.Eventually(t, func() bool {
		run(t, "curl", "-sk", "https://"+web+"/"+word)
		time.Sleep(10 * pollInterval)
		for _, kind := range []string{"Server", "Client"} {
			if h.find(spans, func(it *item) bool {
				return it.kind == kind && (mentions(it, schema.URLPath, word) || mentions(it, schema.URLFull, word))
			}) == nil {
				return false
			}
		}
		return true
	}, patience, time.Millisecond, "nobody is followed")
}

// TestWhoEncrypts has programs encrypt by their own means: what cannot be decoded
// is told, with its reason, everywhere where it is missed; its connections are
// there, and the other end of each is decoded.
func TestWhoEncrypts(t *testing.T) {
	needs(t, "java", "curl", "openssl", "nginx")
	h := newHost(t)
	h.agent.Kill()
	out := &printed{}
	config, err := os.ReadFile("config.yaml")
	require.NoError(t, err)
	h.agent, err = agent.StartInto(t.Context(), out, h.binary, config, h.server.Endpoint, connections)
	require.NoError(t, err)
	t.Cleanup(h.agent.Kill)

	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	run(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
		"-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"))
	keys := filepath.Join(dir, "keys.p12")
	run(t, "openssl", "pkcs12", "-export", "-passout", "pass:changeit", "-inkey", filepath.Join(dir, "key.pem"), "-in", filepath.Join(dir, "cert.pem"), "-out", keys)
	web, word := freeport.Address(t), marker()
	s := &stage{t: t}
	s.serve(nil, web, nil, "nginx", "-e", filepath.Join(dir, "web.log"), "-c",
		s.write(filepath.Join(dir, "nginx.conf"), fmt.Sprintf(webConfig, dir, freeport.Address(t), web, "x")))
	_, webPort, _ := strings.Cut(web, ":")
	warm(t, h, web) // the first program with a library may be over before that is found
	address := freeport.Address(t)
	_, port, _ := strings.Cut(address, ":")
	startJava(t, "sealed-server", "serve", port, keys)
	waitForListener(t, address)
	for range 3 {
		run(t, "curl", "-sk", "https://"+address+"/"+word)
	}
	client := startJava(t, "sealed-client", "ask", keys, "https://localhost:"+webPort+"/"+word+"/1", "https://localhost:"+webPort+"/fail/"+word)
	for _, status := range []string{"200", "500"} {
		line, err := client.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, status, strings.TrimSpace(line))
	}

	t.Run("the other ends", func(t *testing.T) {
		of := func(kind string) func() map[string]int {
			return func() map[string]int {
				got := map[string]int{}
				for _, it := range h.all(spans, func(it *item) bool {
					return it.kind == kind && (mentions(it, schema.URLPath, word) || mentions(it, schema.URLFull, word))
				}) {
					got[fmt.Sprint(it.attrs[schema.HTTPResponseStatusCode])]++
				}
				return got
			}
		}
		for kind, want := range map[string]map[string]int{"Client": {"204": 3}, "Server": {"200": 1, "500": 1}} {
			require.Eventually(t, func() bool { return len(of(kind)()) == len(want) }, patience, 4*pollInterval, kind)
			require.Equal(t, want, of(kind)(), kind)
		}
	})
	const reason = "Java's own TLS"
	for service, activity := range map[string]string{"sealed-server": schema.EventNetworkAccept, "sealed-client": schema.EventNetworkConnect} {
		t.Run(service, func(t *testing.T) {
			point := h.wait(t, points, "the count of what is not decoded", func(it *item) bool {
				return it.name == schema.MetricOpaqueConnections && it.resource[schema.ServiceName] == service
			})
			require.Equal(t, "tls", point.attrs[schema.ReasonAttr])
			require.Equal(t, reason, point.attrs[schema.DetailAttr])
			h.wait(t, logs, "the connection", func(it *item) bool { return it.name == activity && it.resource[schema.ServiceName] == service })
			out.wait(t, "not decoded", `"`+service+`"`, reason)        // the log
			out.wait(t, "not decoded: ", service+" (tls: "+reason+")") // the terminal
		})
	}
	t.Run("doctor", func(t *testing.T) {
		report, _ := exec.CommandContext(t.Context(), h.binary, "doctor").CombinedOutput()
		require.True(t, hasLine(string(report), "TLS library", "OpenSSL, ", "/libssl.so.3, used by "), "%s", report)
		require.True(t, hasLine(string(report), "TLS library", "Go crypto/tls, ", ".test, used by 1 process"), "%s", report)
		require.True(t, hasLine(string(report), "java ", ": TLS, not decoded: "+reason), "%s", report)
	})
}

// startJava runs a program from its source until the test ends.
func startJava(t *testing.T, service string, args ...string) *bufio.Reader {
	t.Helper()
	cmd := exec.Command("java", append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "testdata/Sealed.java"}, args...)...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "OTEL_SERVICE_NAME="+service), os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return bufio.NewReader(out)
}
