//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadatatest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// newReporter is a reporter of stages that do not run.
func newReporter(t *testing.T, k *fakeKernel) *reporter {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.RootPath = t.TempDir()
	log := receivertest.NewNopSettings(typ).Logger
	enrich, clock := newEnricher(cfg), new(bpf.Clock)
	return &reporter{
		refused: new(refusals),
		kernel:  k, enrich: enrich, clock: clock, log: log, started: time.Now(),
		activity: newActivityStage(t.Context(), &cfg.Activity, log, enrich, clock),
		requests: newRequestStage(t.Context(), cfg, enrich, clock, func() uint64 { return 0 }, k.Judge),
	}
}

// What the request side loses and leaves out is told, and the sums balance.
func TestRequestLossesAreTold(t *testing.T) {
	k := newFakeKernel()
	k.sockets = bpf.RequestStats{Full: 1, Unreadable: 2, Boring: 3, NoEnter: 4}
	r := newReporter(t, k)
	s := &requests.Stats{Unknown: 5, Late: 6, Gaps: 7, GapBytes: 700, Evicted: 8, Expired: 9, Bare: 10}
	s.Exchanges[exchange.Complete], s.Exchanges[exchange.RequestLost] = 100, 10
	r.requests.stats.Store(s)
	r.requests.spans.out = newQueue(t.Context(), nil, func(context.Context, ptrace.Traces) {})
	t.Cleanup(func() { <-r.requests.spans.out.close() })
	r.requests.spans.untold.Store(20)
	r.requests.spans.excluded.Store(30)

	snap := r.snapshot(r.stats())
	lost, filtered := map[string]uint64{}, map[string]uint64{}
	for _, l := range snap.Lost {
		if l.Class == bpf.Requests.String() {
			lost[l.Reason] += l.N
		}
	}
	for _, f := range snap.Filtered {
		if f.Class == bpf.Requests.String() {
			filtered[f.Reason] += f.N
		}
	}
	require.Subset(t, lost, map[string]uint64{"no_state": 1, "unreadable": 2, "late": 6, "gap": 7, "evicted": 8})
	require.Subset(t, filtered, map[string]uint64{"foreign": 3, "no_protocol": 5, "no_request": 30, "port": 30})
	var ended uint64
	for _, c := range snap.Requests {
		ended += c.N
	}
	require.EqualValues(t, 50, ended-filtered["no_request"]-filtered["port"], "what is left became spans")
}

func TestTelemetryOfRequests(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) }()
	b := newBench(t, nil)
	b.set.TelemetrySettings = tel.NewTelemetrySettings()
	b.kernel.sockets = bpf.RequestStats{NoEnter: 4}
	b.start(t)
	b.running.requests.spans.early.Store(2)
	metadatatest.AssertEqualReceiverEbpfRequestShortcuts(t, tel, []metricdata.DataPoint[int64]{
		{Attributes: attrs("reason", "no_enter"), Value: 4},
		{Attributes: attrs("reason", "early"), Value: 2},
		{Attributes: attrs("reason", "idle"), Value: 0},
	}, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfMissingBytes(t, tel, []metricdata.DataPoint[int64]{{Value: 0}}, ignoreTime())
}

// Without a traces pipeline nobody decodes requests: their numbers are zero, not
// those of the other ring.
func TestTelemetryWithoutRequests(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) }()
	b := newBench(t, nil)
	b.set.TelemetrySettings = tel.NewTelemetrySettings()
	b.ebpfReceiver.traces = nil
	b.start(t)
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"), []byte("short"), at(ev(99, keyTool, "")).task(0))
	require.Eventually(t, func() bool { return b.running.activity.counts.unknown.Load() == 1 }, patience, time.Millisecond)
	want := []metricdata.DataPoint[int64]{
		{Attributes: attrs("class", "security"), Value: 1}, {Attributes: attrs("class", "requests"), Value: 0},
	}
	metadatatest.AssertEqualReceiverEbpfDecoded(t, tel, want, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfDecodeErrors(t, tel, want, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfUnknownRecords(t, tel, want, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfMissingBytes(t, tel, []metricdata.DataPoint[int64]{{Value: 0}}, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfOpenRequests(t, tel, []metricdata.DataPoint[int64]{{Value: 0}}, ignoreTime())
}

func TestUndeliveredRecordsAreCounted(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	stuck := make(chan struct{})
	q := newQueue(ctx, plog.Logs.LogRecordCount, func(context.Context, plog.Logs) { <-stuck })
	batch := plog.NewLogs()
	records := batch.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range 3 {
		records.AppendEmpty()
	}
	for range queueLength + 1 { // one is being consumed
		q.send(ctx, batch)
	}
	end()
	q.send(ctx, batch)
	q.send(ctx, batch)
	require.EqualValues(t, 6, q.dropped.Load(), "records, not batches")
	close(stuck)
	<-q.close()
}

// Counting losses looks up no control group.
func TestLossesAreCheapToTell(t *testing.T) {
	r := newReporter(t, newFakeKernel())
	r.requests = nil
	r.enrich.processes.Apply(ev(event.TypeExec, keyTool, "tool"))
	st := r.stats()
	before := r.enrich.cgroups.Stats()
	require.NotEmpty(t, r.allLost(&st))
	require.NotEmpty(t, r.allFiltered(&st))
	require.Equal(t, before, r.enrich.cgroups.Stats())
	require.Zero(t, r.containers())
	require.NotEqual(t, before, r.enrich.cgroups.Stats(), "that one does")
}
