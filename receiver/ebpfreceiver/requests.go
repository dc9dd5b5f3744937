//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/names"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// advanceInterval is how often it is looked how far the process table has come,
// while records come without a pause.
const advanceInterval = time.Millisecond

// tickInterval is how often the assembler looks for what has timed out.
const tickInterval = time.Second

// requestStage reads the requests ring: it has the connections followed, and what
// they tell turned into spans and metrics.
type requestStage struct {
	cfg       *RequestsConfig
	flushTime time.Duration
	enrich    *enricher
	clock     *bpf.Clock
	handled   func() uint64 // of the activity stage
	log       *zap.Logger

	assembler *requests.Assembler
	spans     *spanStage

	active   *translate.ActiveRequests // nil without a metrics pipeline
	interval time.Duration             // between two readings of active
	actives  atomic.Pointer[pmetric.Metrics]
	lastRead time.Time

	opaque    *translate.OpaqueConnections // nil without a metrics pipeline
	undecoded []undecoded                  // that wait for the process table
	opaques   atomic.Pointer[pmetric.Metrics]
	strayMu   sync.Mutex
	strays    []bpf.Stray        // that are not counted yet; guarded by strayMu
	paused    []uint32           // processes without probes, the same
	tls       *encryption.Finder // nil when encrypted connections are not decoded

	counts      decodeCounts
	stats       atomic.Pointer[requests.Stats]
	ev          event.Event
	since       int // records since the last look around
	lastTick    time.Time
	lastAdvance time.Time
	lastStats   time.Time
}

// judger is told what user space found out about a socket; see bpf.Agent.Judge.
type judger func(socket uint64, refused uint32, class uint8, bursts bool) error

func newRequestStage(ctx context.Context, cfg *Config, e *enricher, clock *bpf.Clock, handled func() uint64, judge judger) *requestStage {
	protocols, _ := requests.Named(cfg.Requests.Protocols) // Validate has refused what is unknown
	threads := newThreadJudge(process.ProcDir(cfg.RootPath))
	s := &requestStage{
		cfg: &cfg.Requests, flushTime: cfg.Activity.FlushInterval, enrich: e, clock: clock, handled: handled, lastTick: time.Now(),
		spans: &spanStage{
			ctx: ctx, cfg: &cfg.Requests, batch: cfg.Requests.BatchSize, enrich: e, clock: clock, threads: threads,
			open: new(translate.Unowned), lastFlush: time.Now(),
		},
	}
	s.assembler = requests.New(requests.Config{
		Protocols: protocols, Names: names.New(names.DefaultSize),
		MaxConnections: cfg.Requests.MaxConnections, MaxOpen: cfg.Requests.MaxOpen,
		Emit: s.spans.emit, Serves: threads.serves, Opaque: s.noteOpaque, Encrypts: s.encrypts,
		// A socket of which the kernel is not told costs a little more, that is all.
		Judge: func(socket uint64, refused uint32, class uint8, bursts bool) {
			_ = judge(socket, refused, class, bursts)
		},
	})
	s.stats.Store(&requests.Stats{})
	return s
}

// handle takes one record of the ring.
func (s *requestStage) handle(raw []byte) {
	if s.since%lookAround == 0 {
		s.look(time.Now())
	}
	s.since++
	if s.counts.note(event.Decode(raw, &s.ev)) {
		s.assembler.Handle(&s.ev)
	}
}

// pause is called when the ring was empty.
func (s *requestStage) pause(int) {
	s.since = 0
	s.spans.seal()
	s.look(time.Now())
}

// look sends on what has waited for long enough.
func (s *requestStage) look(now time.Time) {
	if now.Sub(s.lastAdvance) >= advanceInterval {
		s.lastAdvance = now
		s.advance(s.handled())
	}
	if now.Sub(s.lastTick) >= tickInterval {
		s.lastTick = now
		s.assembler.Tick(s.clock.Boot(now))
	}
	if now.Sub(s.lastStats) >= s.flushTime {
		s.lastStats = now
		s.tellStats()
	}
	if now.Sub(s.spans.lastFlush) >= s.flushTime {
		s.spans.flush(now)
	}
	if s.active != nil && now.Sub(s.lastRead) >= s.interval {
		s.lastRead = now
		s.readActive(now)
	}
}

// advance lets everything go on that waited until it is known what processes did
// before a time, in ns since boot.
func (s *requestStage) advance(until uint64) {
	s.tellOpaque(until)
	s.spans.advance(until)
}

func (s *requestStage) tellStats() {
	st := s.assembler.Stats()
	s.stats.Store(&st)
}

// finish gives up what is under way and sends on what is known of it.
func (s *requestStage) finish(now time.Time) {
	s.assembler.Close()
	s.tellOpaque(^uint64(0))
	s.tellStats()
	s.spans.finish(now)
}
