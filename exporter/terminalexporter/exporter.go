package terminalexporter

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/latency"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/metadata"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
	"github.com/sightglass/sightglass/internal/schema"
)

const (
	// queueSize is how many lines may wait for a slow terminal.
	queueSize = 1024
	// patience is how long Shutdown waits for a terminal that takes nothing.
	patience = 500 * time.Millisecond
)

// terminal is what the exporters of all signals of one configuration share.
//
// The Consume functions may be called by any goroutine; they lock mu for the
// time of a map look-up or two per record and never wait for the output. Only
// the printer's goroutine writes.
type terminal struct {
	cfg       *Config
	name      text.Safe // what the first line calls us
	out       output
	now       func() time.Time
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	selection selection
	queue     chan screen.Line
	dropped   atomic.Uint64 // lines that found the queue full

	mu        sync.Mutex
	gate      gate
	latency   *latency.Store
	watch     watch
	listening listening // the last that was shown

	users int           // signals that are started
	stop  chan struct{} // closed by the last shutdown
	done  chan struct{} // closed when the printer has ended
}

// listening is a process and where it listens.
type listening struct {
	pid   int64
	where text.Safe
}

func newTerminal(cfg *Config, set component.TelemetrySettings, info component.BuildInfo) (*terminal, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	out := openOutput(cfg)
	return &terminal{
		cfg:       cfg,
		name:      safe(info.Command + " " + info.Version),
		out:       out,
		now:       time.Now,
		logger:    set.Logger,
		telemetry: telemetry,
		selection: newSelection(cfg.Show),
		queue:     make(chan screen.Line, queueSize),
		gate:      gate{perSecond: out.linesPerSecond},
	}, nil
}

// start starts the printer with the first signal.
func (t *terminal) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users++
	if t.users > 1 {
		return
	}
	t.latency = latency.NewStore(t.now())
	t.stop, t.done = make(chan struct{}), make(chan struct{})
	go newPrinter(t).run(t.stop, t.done)
}

// shutdown ends the printer with the last signal, after it has shown what is
// queued. A terminal that takes nothing is given up soon: the process is
// about to end.
func (t *terminal) shutdown(ctx context.Context) {
	t.mu.Lock()
	t.users--
	last := t.users == 0
	t.mu.Unlock()
	if !last {
		return
	}
	close(t.stop)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-t.done:
	case <-ctx.Done():
		t.logger.Warn("the terminal takes no output; what was left to show is lost")
	}
	t.telemetry.Shutdown()
}

// user is one signal's share of a terminal. Its functions may be called in any
// order and number, by one goroutine at a time.
type user struct {
	*terminal
	started bool
}

func (u *user) start(context.Context, component.Host) error {
	if !u.started {
		u.started = true
		u.terminal.start()
	}
	return nil
}

func (u *user) shutdown(ctx context.Context) error {
	if u.started {
		u.started = false
		u.terminal.shutdown(ctx)
	}
	return nil
}

func (t *terminal) consumeLogs(_ context.Context, ld plog.Logs) error {
	for _, one := range t.selection.from(ld) {
		if t.admit(one.kind, one.resource) {
			t.show(kinds[one.kind].line(one.record))
		}
	}
	return nil
}

func (t *terminal) consumeTraces(_ context.Context, td ptrace.Traces) error {
	if !t.selection.requests {
		return nil
	}
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if t.admit(kindRequest, rs.Resource().Attributes()) {
					t.show(requestLine(rs.Resource().Attributes(), span))
				}
			}
		}
	}
	return nil
}

func (t *terminal) consumeMetrics(_ context.Context, md pmetric.Metrics) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watch.add(md)
	if t.latency != nil {
		t.latency.Add(md, t.now())
	}
	return nil
}

func (t *terminal) admit(k kind, resource pcommon.Map) bool {
	service := rawOf(resource, schema.ServiceName, schema.ContainerID)
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gate.admit(k, service, t.now())
}

// show hands a line to the printer, or counts it as dropped. A process that
// listens on its socket again, as some do to change the backlog, is no news.
func (t *terminal) show(l screen.Line) {
	if l.Tag == screen.TagListen {
		news := listening{l.PID, l.Text}
		t.mu.Lock()
		old := t.listening
		t.listening = news
		t.mu.Unlock()
		if news == old {
			return
		}
	}
	select {
	case t.queue <- l:
	default:
		t.dropped.Add(1)
	}
}
