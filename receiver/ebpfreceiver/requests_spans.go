//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// maxWaiting bounds the spans that wait for the process table to catch up.
const maxWaiting = 16384

// maxBatchBytes bounds what the texts of a batch take together: servers of gRPC
// refuse messages of more than 4 MiB unless they are told otherwise.
const maxBatchBytes = 1 << 20

// How long, and how many exchanges wait until it is known whether their parent
// is certain.
const (
	maxJudging = 500 * time.Millisecond
	maxUnsure  = 4096
)

// spanStage turns exchanges that have ended into batches of spans.
//
//	exchange -> unsure, while its parent is -> span, in open
//	open -> waiting, until the process table has caught up -> build -> out
//
// Its goroutine is the request stage's.
type spanStage struct {
	ctx    context.Context // ends when nothing more can be sent
	cfg    *RequestsConfig
	batch  int // spans, at most
	enrich *enricher
	clock  *bpf.Clock
	agent  string // what the user agent of this program's exporters begins with

	threads      *threadJudge
	instrumented instrumented // these processes' spans are marked

	translator *spans.Translator
	build      *translate.Traces
	bytes      int // that the texts in build have
	out        *queue[ptrace.Traces]
	lastFlush  time.Time

	until   uint64 // everything that processes did before is known; in ns since boot
	unsure  []*exchange.Exchange
	open    *translate.Unowned
	waiting []*translate.Unowned // oldest first, none of them empty
	held    int                  // spans in waiting
	spare   []*translate.Unowned // to be used again

	excluded     atomic.Uint64 // exchanges at ports that are left out
	own          atomic.Uint64 // deliveries of agents' telemetry
	otherService atomic.Uint64 // exchanges of services that are left out
	untold       atomic.Uint64 // exchanges too little is known of
	early        atomic.Uint64 // exchanges that did not wait for the process table
}

// emit takes an exchange that ended.
func (s *spanStage) emit(ex *exchange.Exchange) {
	switch {
	case !s.cfg.atWantedPort(ex):
		s.excluded.Add(1)
		ex.Release()
	case s.isOwnExport(ex):
		s.own.Add(1)
		ex.Release()
	case len(s.unsure) < maxUnsure && s.isUnsure(ex):
		s.unsure = append(s.unsure, ex)
	default:
		s.append(ex)
	}
}

// isUnsure tells whether it will soon be known if an exchange has the parent that
// it seems to have.
func (s *spanStage) isUnsure(ex *exchange.Exchange) bool {
	if !hasParent(ex) {
		return false
	}
	_, pending := s.threads.of(requests.Thread{Process: ex.Owner, TID: ex.TID})
	return pending
}

func hasParent(ex *exchange.Exchange) bool { return ex.Parent.Valid() || ex.FiberParent.Valid() }

// append makes the span of an exchange.
func (s *spanStage) append(ex *exchange.Exchange) {
	if hasParent(ex) {
		ex.Parent = s.threads.parent(ex)
	}
	s.instrumented.note(ex)
	if s.open.Len() >= s.batch || s.open.Bytes() >= maxBatchBytes || ex.End > s.until && s.open.Len() > 0 && s.open.End() <= s.until {
		s.seal() // what it holds need not wait for what follows
	}
	if !s.open.Append(s.translator, ex, s.clock.Offset()) {
		s.untold.Add(1)
	}
	ex.Release()
}

// seal ends the stretch of time that open holds.
func (s *spanStage) seal() {
	if s.open.Len() == 0 {
		return
	}
	s.waiting, s.held = append(s.waiting, s.open), s.held+s.open.Len()
	if n := len(s.spare); n > 0 {
		s.open, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		s.open = new(translate.Unowned)
	}
}

// advance takes note that everything is known which processes did before a time,
// in ns since boot, and finds the owners of the spans that waited for that.
func (s *spanStage) advance(until uint64) {
	s.until = until
	s.unsure = slices.DeleteFunc(s.unsure, func(ex *exchange.Exchange) bool {
		if until < ex.End+uint64(maxJudging) && s.isUnsure(ex) {
			return false
		}
		s.append(ex)
		return true
	})
	if s.open.End() <= until {
		s.seal()
	}
	n := 0
	for _, u := range s.waiting {
		if u.End() > until {
			if s.held <= maxWaiting {
				break
			}
			s.early.Add(uint64(u.Len()))
		}
		s.held -= u.Len()
		s.name(u)
		n++
	}
	s.waiting = slices.Delete(s.waiting, 0, n)
}

// name puts spans into the batch, as those of their owners. It sends on a batch
// that has no room for them.
func (s *spanStage) name(u *translate.Unowned) {
	if s.build.Len()+u.Len() > s.batch || s.bytes+u.Bytes() > maxBatchBytes {
		s.flush(time.Now())
	}
	s.bytes += u.Bytes()
	u.Take(func(by translate.Actor, list ptrace.SpanSlice) {
		owner := s.enrich.owner(by)
		owner.Instrumented = s.instrumented.has(by.Process, owner.Process)
		if s.cfg.ofWantedService(owner) {
			s.build.Join(list, owner)
		} else {
			s.otherService.Add(uint64(list.Len()))
		}
	})
	s.spare = append(s.spare, u)
}

// flush hands the batch to the next consumer, and waits when that is behind.
func (s *spanStage) flush(now time.Time) {
	s.bytes = 0
	if s.build.Len() > 0 {
		s.lastFlush = now // so that the first span after a silence does not wait
		s.out.send(s.ctx, s.build.Take())
	}
}

// finish sends on what is left, with what is known.
func (s *spanStage) finish(now time.Time) {
	s.threads.stop()
	s.advance(^uint64(0))
	s.flush(now)
}
