//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// newSpanBench returns a stage and a function that ends it and returns what it
// has sent.
func newSpanBench(t *testing.T, configure func(*Config)) (*spanStage, func() []ptrace.Traces) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	if configure != nil {
		configure(cfg)
	}
	s := newRequestStage(t.Context(), cfg, newEnricher(cfg), new(bpf.Clock), func() uint64 { return 0 }, (&fakeKernel{}).Judge).spans
	s.translator, s.build = spans.NewTranslator([32]byte{}), translate.NewTraces(translate.Host{}, "")
	var sink consumertest.TracesSink
	s.out = newQueue(t.Context(), ptrace.Traces.SpanCount, func(ctx context.Context, b ptrace.Traces) { _ = sink.ConsumeTraces(ctx, b) })
	return s, func() []ptrace.Traces {
		s.finish(time.Now())
		<-s.out.close()
		return sink.AllTraces()
	}
}

func endedAt(end uint64) *exchange.Exchange {
	ex := exportOf(uint32(end%3), event.RoleServer, "/")
	ex.End = end
	return ex
}

// A span waits until everything is known that its process did before, and not for
// those that come after it.
func TestSpansWaitForWhatIsKnown(t *testing.T) {
	s, finish := newSpanBench(t, nil)
	for end := range uint64(10) {
		s.emit(endedAt(100 + end))
	}
	s.advance(104)
	require.Zero(t, s.build.Len(), "the last of them ended later")
	s.advance(109)
	require.Equal(t, 10, s.build.Len())
	for end := range uint64(10) { // five of them had ended by then
		s.emit(endedAt(105 + end))
	}
	s.advance(109)
	require.Equal(t, 15, s.build.Len(), "nobody waits for what follows")
	require.Len(t, finish(), 1)
	require.Zero(t, s.early.Load())
}

// When what processes do is not told any more, spans do not wait for ever.
func TestTooManySpansDoNotWait(t *testing.T) {
	s, finish := newSpanBench(t, nil)
	const made = 3 * maxWaiting
	for end := range uint64(made) {
		s.emit(endedAt(1000 + end))
		if end%100 == 0 {
			s.seal()
			s.advance(10)
			require.LessOrEqual(t, s.held, maxWaiting)
		}
	}
	require.NotZero(t, s.early.Load())
	n := 0
	for _, batch := range finish() {
		require.LessOrEqual(t, batch.SpanCount(), s.batch)
		n += batch.SpanCount()
	}
	require.Equal(t, made, n)
}

// Spans of services that are left out are counted, those of others are not.
func TestSpansOfOtherServices(t *testing.T) {
	s, finish := newSpanBench(t, func(c *Config) { c.Requests.IncludeServices = []string{"nobody"} })
	for end := range uint64(7) {
		s.emit(endedAt(end))
	}
	require.Empty(t, finish())
	require.EqualValues(t, 7, s.otherService.Load())
}

// An exchange waits while it is being found out whether its parent is certain.
func TestSpansWaitForTheirParents(t *testing.T) {
	s, finish := newSpanBench(t, nil)
	thread := requests.Thread{Process: event.ProcessKey{TGID: 1}, TID: 7}
	s.threads.pending[thread] = struct{}{}
	child := endedAt(100)
	child.Owner, child.TID = thread.Process, thread.TID
	child.Parent = exchange.Context{Trace: [16]byte{1}, Span: [8]byte{2}}
	s.emit(child)
	s.emit(endedAt(101))
	s.advance(200)
	require.Equal(t, 1, s.build.Len())
	s.threads.note(thread, sequential)
	s.advance(201)
	require.Equal(t, 2, s.build.Len())

	s.threads.pending[thread] = struct{}{}
	late := endedAt(300)
	late.Owner, late.TID, late.Parent = thread.Process, thread.TID, exchange.Context{Trace: [16]byte{1}, Span: [8]byte{2}}
	s.emit(late)
	s.advance(300 + uint64(maxJudging))
	require.Equal(t, 3, s.build.Len(), "not for ever")
	parents := 0
	for _, batch := range finish() {
		for _, rs := range batch.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				if !span.ParentSpanID().IsEmpty() {
					parents++
				}
			}
		}
	}
	require.Equal(t, 1, parents, "none rather than one that is not certain")
}
