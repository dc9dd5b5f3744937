//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sys/unix"

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
	cfg.Requests.BatchSize = 8
	cfg.Requests.ExcludePorts = []int{81}
	var now uint64
	var sink consumertest.TracesSink
	s := spanBench(t, cfg, &sink, func() uint64 { return now })
	out := s.spans
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
		require.LessOrEqual(t, batch.SpanCount(), cfg.Requests.BatchSize)
	}
	require.Equal(t, made, sink.SpanCount()+int(out.excluded.Load()+out.untold.Load()+out.otherService.Load()+out.out.dropped.Load()))
}

// Long texts make batches smaller, whoever the spans belong to.
func TestBatchesAreOfABoundedSize(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	var sink consumertest.TracesSink
	s := spanBench(t, cfg, &sink, func() uint64 { return ^uint64(0) })
	target := "/" + strings.Repeat("a", 4000)
	const made = 2000
	for i := range made {
		s.spans.emit(exportOf(uint32(i%3), event.RoleServer, target))
		if i%100 == 0 {
			s.spans.seal()
			s.advance(s.handled())
		}
	}
	s.finish(time.Now())
	<-s.spans.out.close()
	require.Equal(t, made, sink.SpanCount())
	require.Less(t, len(sink.AllTraces()), 20)
	for _, batch := range sink.AllTraces() {
		require.Less(t, new(ptrace.ProtoMarshaler).TracesSize(batch), 2*maxBatchBytes)
	}
}

// What is being served counts where its spans will: of servers at the ports, and of
// the services, that are wanted.
func TestActiveRequestsOfWhatIsWanted(t *testing.T) {
	const get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, tc := range map[string]struct {
		change func(*RequestsConfig)
		want   int64
	}{
		"all":               {func(*RequestsConfig) {}, 2},
		"without a port":    {func(c *RequestsConfig) { c.ExcludePorts = []int{81} }, 1},
		"without a service": {func(c *RequestsConfig) { c.ExcludeServices = []string{"*", "*/*"} }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			tc.change(&cfg.Requests)
			var sink consumertest.TracesSink
			s := spanBench(t, cfg, &sink, func() uint64 { return ^uint64(0) })
			s.active = translate.NewActiveRequests(translate.Host{}, "", time.Now())
			s.opaque = translate.NewOpaqueConnections(translate.Host{}, "", time.Now())
			for i, end := range []struct {
				role      event.Role
				direction event.Direction
				port      uint16
			}{{event.RoleServer, event.Receive, 80}, {event.RoleServer, event.Receive, 81}, {event.RoleClient, event.Send, 40000}} {
				data := ev(event.TypeData, keyTool, "tool")
				data.Request = event.Request{
					Socket: uint64(i + 1), Role: end.role, Direction: end.direction, Class: 1, Family: unix.AF_INET,
					LocalPort: end.port, PeerPort: 80, Bytes: uint64(len(get)), Payload: []byte(get),
				}
				s.assembler.Handle(data)
			}
			s.readActive(time.Now())
			var got int64
			for _, rm := range s.actives.Load().ResourceMetrics().All() {
				for _, dp := range rm.ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().All() {
					got += dp.IntValue()
				}
			}
			require.Equal(t, tc.want, got)
			s.finish(time.Now())
			<-s.spans.out.close()
		})
	}
}

// spanBench is a stage whose batches come to a sink.
func spanBench(t *testing.T, cfg *Config, sink *consumertest.TracesSink, handled func() uint64) *requestStage {
	t.Helper()
	s := newRequestStage(t.Context(), cfg, newEnricher(cfg), new(bpf.Clock), handled, (&fakeKernel{}).Judge)
	s.spans.translator, s.spans.build = spans.NewTranslator([32]byte{}), translate.NewTraces(translate.Host{}, "")
	s.spans.out = newQueue(t.Context(), ptrace.Traces.SpanCount, func(ctx context.Context, b ptrace.Traces) { _ = sink.ConsumeTraces(ctx, b) })
	return s
}
