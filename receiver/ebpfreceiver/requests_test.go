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
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// Many exchanges may wait for the process table; the batches that become of them
// are as large as any, so that no back end finds one too large, and every
// exchange is in one of them or counted.
func TestEveryExchangeIsInABatch(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Activity.BatchSize = 8
	cfg.Requests.ExcludePorts = []uint16{81}
	var now uint64
	var sink consumertest.TracesSink
	s := newRequestStage(t.Context(), cfg, newEnricher(cfg), new(bpf.Clock), func() uint64 { return now }, (&fakeKernel{}).Judge)
	out := s.spans
	out.translator, out.build = spans.NewTranslator([32]byte{}), translate.NewTraces(translate.Host{}, "")
	out.out = newQueue(t.Context(), ptrace.Traces.SpanCount, func(ctx context.Context, b ptrace.Traces) { _ = sink.ConsumeTraces(ctx, b) })
	const made = 100
	for i := range made {
		ex := exportOf(uint32(i), event.RoleServer, "/")
		ex.LocalPort = uint16(80 + i%2)
		ex.End = uint64(i)
		out.emit(ex)
	}
	s.advance(s.handled())
	now = made
	s.advance(s.handled())
	s.finish(time.Now())
	<-out.out.close()
	for _, batch := range sink.AllTraces() {
		require.LessOrEqual(t, batch.SpanCount(), cfg.Activity.BatchSize)
	}
	require.Equal(t, made, sink.SpanCount()+int(out.excluded.Load()+out.untold.Load()+out.otherService.Load()+out.out.dropped.Load()))
}
