package dbtest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// quietSink counts, and gives exchanges back at once.
type quietSink struct {
	pool *exchange.Pool
	done int
	emit func(*exchange.Exchange)
}

func (q *quietSink) New(s *exchange.Segment) *exchange.Exchange {
	ex := q.pool.Get()
	ex.Start = s.Start
	return ex
}

func (q *quietSink) Done(ex *exchange.Exchange) {
	q.done++
	if q.emit != nil {
		q.emit(ex)
	}
	ex.Release()
}

func (*quietSink) Drop(ex *exchange.Exchange) { ex.Release() }
func (*quietSink) Count(exchange.Reason)      {}
func (*quietSink) Opaque(exchange.Form)       {}
func (*quietSink) Client() bool               { return false }

// player feeds the same exchange again and again.
type player struct {
	sink     quietSink
	parser   exchange.Parser
	segments [2]exchange.Segment
	now      uint64
}

func newPlayer(p exchange.Protocol, x *Exchange) *player {
	pl := &player{sink: quietSink{pool: exchange.NewPool(p)}}
	pl.parser = p.NewParser(&pl.sink)
	pl.parser.Reset(&pl.sink, true)
	for side, data := range []string{x.Request, x.Response} {
		pl.segments[side] = exchange.Segment{Side: exchange.Side(side), Len: uint64(len(data)), Payload: []byte(data)}
	}
	return pl
}

func (pl *player) play() {
	for i := range pl.segments {
		pl.now += 1000
		s := &pl.segments[i]
		s.Start, s.End = pl.now, pl.now
		pl.parser.Segment(s)
	}
}

// Bench measures what an exchange costs from its segments to the hand-over, and
// to its span.
func Bench(b *testing.B, p exchange.Protocol, x Exchange) {
	b.Helper()
	b.Run("parser", func(b *testing.B) {
		pl := newPlayer(p, &x)
		b.ReportAllocs()
		for b.Loop() {
			pl.play()
		}
	})
	b.Run("span", func(b *testing.B) {
		pl := newPlayer(p, &x)
		list, tr := ptrace.NewSpanSlice(), spans.NewTranslator([32]byte{1})
		pl.sink.emit = func(ex *exchange.Exchange) { tr.Append(list, ex, 1e18) }
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if pl.play(); n%4096 == 0 {
				list = ptrace.NewSpanSlice()
			}
			n++
		}
	})
}

// CheckAllocations checks that an exchange which was seen before costs no memory
// until its span is made.
func CheckAllocations(t *testing.T, p exchange.Protocol, x Exchange) {
	t.Helper()
	alloctest.NotRaced(t)
	pl := newPlayer(p, &x)
	pl.play()
	pl.play()
	require.Zero(t, alloctest.PerRun(100, pl.play))
	require.Equal(t, 103, pl.sink.done)
}
