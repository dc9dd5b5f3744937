//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// maxWaiting bounds the exchanges that wait for the process table to catch up.
const maxWaiting = 16384

// maxJudging is how long a span waits until it is known whether its parent is
// certain.
const maxJudging = 500 * time.Millisecond

// translateInterval is how often it is looked how far the process table has
// come, while records come without a pause.
const translateInterval = time.Millisecond

// tickInterval is how often the assembler looks for what has timed out.
const tickInterval = time.Second

// requestStage reads the requests ring and turns it into spans.
type requestStage struct {
	ctx       context.Context // ends when nothing more can be sent
	cfg       *RequestsConfig
	flushTime time.Duration
	batch     int
	enrich    *enricher
	clock     *bpf.Clock
	handled   func() uint64 // of the activity stage

	out       *queue[ptrace.Traces]
	build     *translate.Traces
	assembler *requests.Assembler
	waiting   []*exchange.Exchange
	kept      int    // how many of waiting have been looked at
	until     uint64 // and for which time
	owners    owners
	// instrumented processes' spans are marked.
	instrumented instrumented
	threads      *threadJudge

	active   *translate.ActiveRequests // nil without a metrics pipeline
	interval time.Duration             // between two readings of active
	actives  atomic.Pointer[pmetric.Metrics]
	lastRead time.Time

	log       *zap.Logger
	opaque    *translate.OpaqueConnections // nil without a metrics pipeline
	undecoded []undecoded                  // that wait for the process table
	opaques   atomic.Pointer[pmetric.Metrics]
	tls       *encryption.Finder // nil when encrypted connections are not decoded

	counts              decodeCounts
	excluded            atomic.Uint64 // exchanges at ports that are left out
	agent               string        // what the user agent of this program's exporters begins with
	own                 atomic.Uint64 // deliveries of agents' telemetry
	otherService        atomic.Uint64 // exchanges of services that are left out
	untold              atomic.Uint64 // exchanges too little is known of
	early               atomic.Uint64 // exchanges that did not wait for the process table
	stats               atomic.Pointer[requests.Stats]
	ev                  event.Event
	since               int
	lastFlush, lastTick time.Time
	lastTranslate       time.Time
	lastStats           time.Time
}

// judger is told what user space found out about a socket; see bpf.Agent.Judge.
type judger func(socket uint64, refused uint32, class uint8) error

func newRequestStage(ctx context.Context, cfg *Config, e *enricher, clock *bpf.Clock, handled func() uint64, judge judger) *requestStage {
	protocols, _ := requests.Named(cfg.Requests.Protocols) // Validate has refused what is unknown
	s := &requestStage{
		ctx: ctx, cfg: &cfg.Requests, flushTime: cfg.Activity.FlushInterval, batch: cfg.Activity.BatchSize,
		enrich: e, clock: clock, handled: handled, lastFlush: time.Now(), lastTick: time.Now(),
	}
	s.threads = newThreadJudge(process.ProcDir(cfg.RootPath))
	s.assembler = requests.New(requests.Config{
		Protocols: protocols, Serves: s.threads.serves, Names: names.New(names.DefaultSize), MaxConnections: cfg.Requests.MaxConnections, MaxOpen: cfg.Requests.MaxOpen, Emit: s.emit,
		Opaque: s.noteOpaque, Encrypts: s.encrypts,
		// A socket of which the kernel is not told costs a little more, that is all.
		Judge: func(socket uint64, refused uint32, class uint8) { _ = judge(socket, refused, class) },
	})
	s.stats.Store(&requests.Stats{})
	return s
}

// handle takes one record of the ring.
func (s *requestStage) handle(raw []byte) {
	if s.counts.note(event.Decode(raw, &s.ev)) {
		s.assembler.Handle(&s.ev)
	}
	if s.since++; s.since >= lookAround {
		s.since = 0
		s.look(time.Now())
	}
}

// pause is called when the ring was empty.
func (s *requestStage) pause(int) {
	s.since = 0
	s.look(time.Now())
}

// emit takes an exchange that ended.
func (s *requestStage) emit(ex *exchange.Exchange) {
	if !s.cfg.atWantedPort(ex) {
		s.excluded.Add(1)
		ex.Release()
		return
	}
	if s.isOwnExport(ex) {
		s.own.Add(1)
		ex.Release()
		return
	}
	s.waiting = append(s.waiting, ex)
}

// exporter is implemented by the facts of protocols that carry OTLP.
type exporter interface {
	Exporter() (userAgent []byte, ok bool)
}

// isOwnExport tells whether a server on this machine was given the telemetry of
// an agent: a span of that would be exported again, for ever. The agent's own
// end is left out by the kernel side.
func (s *requestStage) isOwnExport(ex *exchange.Exchange) bool {
	e, ok := ex.Facts.(exporter)
	if !ok || ex.Role != event.RoleServer || s.agent == "" {
		return false
	}
	by, ok := e.Exporter()
	return ok && len(by) >= len(s.agent) && string(by[:len(s.agent)]) == s.agent
}

// look translates what the process table has caught up with, and sends on what
// has waited for long enough.
func (s *requestStage) look(now time.Time) {
	if now.Sub(s.lastTranslate) >= translateInterval {
		s.lastTranslate = now
		s.translate(s.handled())
	}
	if now.Sub(s.lastTick) >= tickInterval {
		s.lastTick = now
		s.assembler.Tick(uint64(now.UnixNano() - s.clock.Offset()))
	}
	if now.Sub(s.lastStats) >= s.flushTime {
		s.lastStats = now
		st := s.assembler.Stats()
		s.stats.Store(&st)
	}
	if now.Sub(s.lastFlush) >= s.flushTime {
		s.flush(now)
	}
	if s.active != nil && now.Sub(s.lastRead) >= s.interval {
		s.lastRead = now
		s.readActive(now)
	}
}

// httpServer is implemented by the facts of HTTP.
type httpServer interface {
	Serving() (method, scheme string)
}

// readActive counts the requests that are being served.
func (s *requestStage) readActive(now time.Time) {
	s.active.Begin()
	for ex := range s.assembler.Open() {
		facts, ok := ex.Facts.(httpServer)
		if !ok || ex.Role != event.RoleServer || !s.cfg.atWantedPort(ex) {
			continue
		}
		method, scheme := facts.Serving()
		if owner := s.enrich.owner(ex); method != "" && s.cfg.ofWantedService(owner) {
			s.active.Add(owner, method, scheme)
		}
	}
	m := s.active.Metrics(now)
	s.actives.Store(&m)
	o := s.opaque.Metrics(now)
	s.opaques.Store(&o)
}

// translate makes spans of the exchanges that ended before a time, in ns since
// boot: then everything that their process did until then is known. Those that
// had to wait before are looked at again when that time has moved.
func (s *requestStage) translate(until uint64) {
	s.tellOpaque(until)
	excess, first := len(s.waiting)-maxWaiting, 0
	if until == s.until && excess <= 0 {
		first = s.kept
	}
	s.until = until
	s.owners.forget()
	kept := s.waiting[:first]
	for i, ex := range s.waiting[first:] {
		if first+i >= excess && s.waits(ex, until) {
			kept = append(kept, ex)
			continue
		}
		if ex.End > until {
			s.early.Add(1)
		}
		s.span(ex)
		ex.Release()
		if s.build.Len() >= s.batch {
			s.flush(time.Now())
		}
	}
	clear(s.waiting[len(kept):])
	s.waiting, s.kept = kept, len(kept)
}

// waits tells whether more will soon be known about an exchange.
func (s *requestStage) waits(ex *exchange.Exchange, until uint64) bool {
	if ex.End > until {
		return true
	}
	if !ex.Parent.Valid() && !ex.FiberParent.Valid() || until >= ex.End+uint64(maxJudging) {
		return false
	}
	_, pending := s.threads.of(requests.Thread{Process: ex.Owner, TID: ex.TID})
	return pending
}

// span makes the span of an exchange.
func (s *requestStage) span(ex *exchange.Exchange) {
	if ex.Parent.Valid() || ex.FiberParent.Valid() {
		ex.Parent = s.threads.parent(ex)
	}
	s.instrumented.note(ex)
	owner := s.owners.of(ex, s.enrich)
	owner.Instrumented = s.instrumented.has(ex.Owner, owner.Process)
	if !s.cfg.ofWantedService(owner) {
		s.otherService.Add(1)
	} else if !s.build.Append(ex, owner, s.clock.Offset()) {
		s.untold.Add(1)
	}
}

// flush hands the batch to the next consumer, and waits when that is behind.
func (s *requestStage) flush(now time.Time) {
	if s.build.Len() > 0 {
		s.lastFlush = now // so that the first span after a silence does not wait
		s.out.send(s.ctx, s.build.Take())
	}
}

// finish gives up what is under way and sends on what is known of it.
func (s *requestStage) finish(now time.Time) {
	s.assembler.Close()
	s.threads.stop()
	s.translate(^uint64(0))
	st := s.assembler.Stats()
	s.stats.Store(&st)
	s.flush(now)
}
