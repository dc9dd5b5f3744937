package endtoend

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/agent"
	"github.com/sightglass/sightglass/testbed/internal/sink"
)

// plantedText begins every secret of this test, and plantedNumber is one; what
// follows tells where it was planted.
const (
	plantedText   = "Pl4ntedSecret"
	plantedNumber = "739174652918"
)

// secret is one that nobody may tell on.
func secret(place string) string { return plantedText + "-" + place }

// everything shows all that the agent can: in the terminal, in its log, and to
// whoever asks for its own metrics.
const everything = `
processors:
  security_policy:
    keep: # all that tells of processes: files are too many on a busy machine
      - sightglass.process.exec
      - sightglass.process.exit
      - sightglass.network.connect
      - sightglass.network.accept
      - sightglass.network.listen
      - sightglass.login.start
      - sightglass.login.end
      - sightglass.file.change
exporters:
  debug: {verbosity: detailed, sampling_initial: 1000000}
  terminal: {show: [detections, commands, logins, listens, connections, files, exits, syscalls, requests, services, status]}
service:
  telemetry:
    logs: {level: debug, sampling: {enabled: false}}
    metrics:
      level: detailed
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s}}}}]
  pipelines:
    logs: {exporters: [otlp_grpc, debug, terminal]}
    traces: {exporters: [service_latency, otlp_grpc, debug, terminal]}
    metrics: {exporters: [otlp_grpc, debug, terminal]}
`

// leaks looks for secrets in what is written to it, whatever form they have.
type leaks struct {
	mu    sync.Mutex
	forms [][]byte
	parts map[string]*leakPart
}

// leakPart is one of the ways out.
type leakPart struct {
	bytes int
	end   []byte // of what was written: secrets may lie across two writes
	found []string
}

func newLeaks() *leaks {
	l := &leaks{parts: map[string]*leakPart{}}
	for _, s := range []string{plantedText, plantedNumber} {
		var decimal []string
		for _, b := range []byte(s) {
			decimal = append(decimal, strconv.Itoa(int(b)))
		}
		l.forms = append(l.forms, []byte(s), []byte(hex.EncodeToString([]byte(s))), []byte(strings.ToUpper(hex.EncodeToString([]byte(s)))),
			[]byte(strings.Join(decimal, " ")), []byte(strings.Join(decimal, ",")))
		for before := range 3 { // bytes ahead of it, in its first group
			coded := base64.StdEncoding.EncodeToString(append(make([]byte, before), s...))
			l.forms = append(l.forms, []byte(strings.TrimRight(coded, "=")[4*min(before, 1):][:8]))
		}
	}
	return l
}

// out is one of the ways out.
func (l *leaks) out(part string) io.Writer {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts[part] = &leakPart{}
	return writer(func(b []byte) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.parts[part].look(b, l.forms)
	})
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}

func (p *leakPart) look(b []byte, forms [][]byte) {
	const context = 200
	text := slices.Concat(p.end, b)
	for _, form := range forms {
		if i := bytes.Index(text, form); i >= 0 && len(p.found) < 20 {
			p.found = append(p.found, string(text[max(0, i-context):min(len(text), i+context)]))
		}
	}
	p.bytes += len(b)
	p.end = bytes.Clone(text[max(0, len(text)-64):])
}

// TestSecretsStay plants secrets wherever programs have them, and looks for them
// in everything that the agent lets out.
func TestSecretsStay(t *testing.T) {
	l := newLeaks()
	b := &backend{}
	exported := map[string]io.Writer{"logs": l.out("logs"), "traces": l.out("traces"), "metrics": l.out("metrics")}
	told := func(part string, text []byte, err error) {
		require.NoError(t, err)
		_, _ = exported[part].Write(text)
	}
	server, err := sink.Start(t.Context(), sink.Consumers{
		Logs: func(data plog.Logs, at time.Time) {
			text, err := (&plog.JSONMarshaler{}).MarshalLogs(data)
			told("logs", text, err)
			b.logs(data, at)
		},
		Traces: func(data ptrace.Traces, at time.Time) {
			text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(data)
			told("traces", text, err)
			b.traces(data, at)
		},
		Metrics: func(data pmetric.Metrics, _ time.Time) {
			text, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(data)
			told("metrics", text, err)
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop(t.Context()) })
	s := &stage{t: t, backend: b, binary: agentBinary(t)}
	s.open() // what programs write of their own is none of the agent's business
	own := freeport.Address(t)
	_, port, _ := strings.Cut(own, ":")
	s.agent(l.out("terminal and log"), server.Endpoint, fmt.Sprintf(everything, port))

	s.play()
	metrics := l.out("own metrics")
	resp, err := http.Get("http://" + own + "/metrics")
	require.NoError(t, err)
	_, err = io.Copy(metrics, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, s.running.Stop()) // what waits is let out

	l.mu.Lock()
	defer l.mu.Unlock()
	for part, p := range l.parts {
		require.Positive(t, p.bytes, part)
		for _, found := range p.found {
			t.Errorf("%s:\n%s", part, found)
		}
	}
}

// stage is where secrets are planted.
type stage struct {
	*backend
	t       *testing.T
	binary  string
	running *agent.Agent
	scenes  []scene
}

// scene plants secrets by programs that it has started, and names a span that
// tells that what they did was decoded.
type scene struct {
	name string
	play func()
	told func(*item) bool
}

func (s *stage) agent(out io.Writer, endpoint, overlay string) {
	config, err := os.ReadFile("config.yaml")
	require.NoError(s.t, err)
	s.running, err = agent.StartInto(s.t.Context(), out, s.binary, config, endpoint, overlay)
	require.NoError(s.t, err)
	s.t.Cleanup(s.running.Kill)
}

// play plays each scene until it is told of.
func (s *stage) play() {
	for _, scene := range s.scenes {
		s.t.Run(scene.name, func(t *testing.T) {
			require.Eventually(t, func() bool {
				scene.play()
				for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(pollInterval) {
					if s.find(spans, scene.told) != nil || s.find(logs, scene.told) != nil {
						return true
					}
				}
				return false
			}, patience, time.Millisecond, "nothing is told: %v %v", s.counts(spans), s.counts(logs))
		})
	}
}

// system tells spans of a database or broker, in plain text or over TLS.
func system(name string, sealed bool) func(*item) bool {
	return func(it *item) bool {
		return (it.attrs[schema.DBSystemName] == name || it.attrs[schema.MessagingSystem] == name) && (it.attrs[schema.TLSProtocolName] != nil) == sealed
	}
}
