//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadatatest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

const second = uint64(time.Second)

var (
	keyInit = event.ProcessKey{TGID: 1 << 22, Start: second} // pids that this machine does not have
	keySh   = event.ProcessKey{TGID: 1<<22 + 1, Start: 2 * second}
	keyTool = event.ProcessKey{TGID: 1<<22 + 2, Start: 3 * second}
)

// ev is an event of a process in control group 7.
func ev(typ event.Type, k event.ProcessKey, comm string) *event.Event {
	return &event.Event{
		Header: event.Header{Type: typ, Key: k, TID: k.TGID, Time: 10 * second},
		Task: event.Task{
			Comm: []byte(comm), LoginUID: event.NoID, Session: event.NoID, CgroupID: 7, VPID: k.TGID, Parent: keySh,
		},
	}
}

func forkOf(parent, child event.ProcessKey, comm string) []byte {
	e := ev(event.TypeFork, child, comm)
	e.Fork.Parent, e.Task.Parent = parent, parent
	return at(e).fork()
}

func execOf(k event.ProcessKey, comm, path string, args ...string) []byte {
	return at(ev(event.TypeExec, k, comm)).exec(path, args...)
}

// lifetime is a shell that runs a tool.
func lifetime() [][]byte {
	return [][]byte{
		at(ev(event.TypeCgroupMkdir, event.ProcessKey{}, "")).cgroup(7, "/system.slice/cron.service"),
		execOf(keySh, "sh", "/bin/sh", "sh", "-c", "tool"),
		forkOf(keySh, keyTool, "sh"),
		execOf(keyTool, "tool", "/usr/bin/tool", "tool", "--token", "abc"),
		at(ev(event.TypeExit, keyTool, "tool")).exit(),
	}
}

// records waits for n records and returns them with their resources.
func (b *bench) records(t *testing.T, n int) []found {
	t.Helper()
	require.Eventually(t, func() bool { return b.logs.LogRecordCount() >= n }, patience, time.Millisecond)
	var out []found
	for _, l := range b.logs.AllLogs() {
		for _, rl := range l.ResourceLogs().All() {
			for _, rec := range rl.ScopeLogs().At(0).LogRecords().All() {
				out = append(out, found{resource: rl.Resource().Attributes(), rec: rec})
			}
		}
	}
	return out
}

func TestEventsBecomeRecords(t *testing.T) {
	b := newBench(t, nil)
	b.start(t)
	b.write(lifetime()...)
	got := b.records(t, 3)
	require.Len(t, got, 3)
	tool, end := got[1], got[2]
	require.Equal(t, schema.EventProcessExec, tool.rec.EventName())
	require.Equal(t, `["tool","--token","***"]`, tool.text(schema.ProcessCommandArgs))
	require.Equal(t, "sh", tool.text(schema.ProcessParentName))
	require.Equal(t, "cron", tool.text(schema.ServiceName))
	require.Equal(t, "cron.service", tool.text(schema.SystemdUnit))
	require.Equal(t, schema.EventProcessExit, end.rec.EventName())
	require.Empty(t, b.opts.Syscalls, "nothing may be captured before somebody reads")
	require.Eventually(t, func() bool { return slices.Equal([]string{"bind", "listen"}, b.kernel.interest()) }, patience, time.Millisecond)
	require.True(t, b.opts.Requests)
	require.False(t, b.opts.Latency)
}

// A process that executes one program after the other says which was before.
func TestReplacedPrograms(t *testing.T) {
	b := newBench(t, nil)
	b.start(t)
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"), forkOf(keySh, keyTool, "sh"),
		execOf(keyTool, "bash", "/bin/bash", "bash", "-c", "tool"), execOf(keyTool, "tool", "/usr/bin/tool", "tool"))
	got := b.records(t, 3)
	require.Empty(t, got[1].text(schema.ProcessReplaced))
	require.Equal(t, "bash", got[2].text(schema.ProcessReplaced))
}

func TestSeedIsKnownAndNotTold(t *testing.T) {
	b := newBench(t, nil)
	b.kernel.seeds = [][]byte{at(ev(event.TypeProcess, keySh, "sh")).exec("/bin/sh")}
	b.start(t)
	b.write(forkOf(keySh, keyTool, "sh"), execOf(keyTool, "tool", "/usr/bin/tool", "tool"))
	got := b.records(t, 1)
	require.Len(t, got, 1)
	require.Equal(t, "/bin/sh", got[0].text(schema.ProcessParentPath))
}

func TestWithoutLogsTheTableIsKept(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Requests.Enabled = false })
	b.ebpfReceiver.logs = nil
	b.start(t)
	require.Empty(t, b.opts.Syscalls)
	require.False(t, b.opts.Requests)
	b.write(lifetime()...)
	require.Eventually(t, func() bool { _, ok := process.Shared().Lookup(keyTool); return ok }, patience, time.Millisecond)
	require.Zero(t, b.logs.LogRecordCount())
}

func TestRegisteredPoliciesGetEverythingTheyWant(t *testing.T) {
	b := newBench(t, nil)
	h := b.registry.Register("test", interest.Names("setuid"))
	defer h.Release()
	b.start(t)
	self := ev(event.TypeSyscall, keyTool, "tool")
	self.Flags = event.FlagSelf
	b.write(
		execOf(keyTool, "tool", "/usr/bin/tool", "tool", "--token", "abc"),
		at(self).call(t, "setuid", -1, 1000),
		at(ev(event.TypeSyscall, keyTool, "tool")).call(t, "kill", 0, 1, 9), // not wanted
	)
	got := b.records(t, 2)
	require.Len(t, got, 2)
	require.Equal(t, `["tool","--token","***"]`, got[0].text(schema.ProcessCommandArgs))
	view := record.New()
	view.SetRecord(got[0].rec)
	args, _ := view.Strings(field.AttrProcArgs)
	require.Equal(t, []string{"tool", "--token", "abc"}, args, "for policies only")
	require.Equal(t, "setuid", got[1].text(schema.SyscallName))
	require.Equal(t, "true", got[1].text(schema.Self))
	require.Equal(t, "1000", got[1].text(schema.SyscallArgPrefix+"uid"))
	require.Eventually(t, func() bool { return b.running.activity.unwanted.Load() == 1 }, patience, time.Millisecond)
}

func TestTheAgentsOwnDoingIsNotTold(t *testing.T) {
	b := newBench(t, nil)
	b.start(t)
	self := ev(event.TypeExec, keyTool, "tool")
	self.Flags = event.FlagSelf
	b.write(at(self).exec("/usr/bin/tool", "tool"), execOf(keySh, "sh", "/bin/sh", "sh"))
	got := b.records(t, 1)
	require.Equal(t, "sh", got[0].text(schema.ProcessName))
	require.Equal(t, uint64(1), b.running.activity.self.Load())
}

func TestInterestChanges(t *testing.T) {
	b := newBench(t, nil)
	b.start(t)
	h := b.registry.Register("test", interest.Names("mount", "nosuchcall"))
	wants := func(name string) func() bool {
		return func() bool { return slices.Contains(b.kernel.interest(), name) }
	}
	require.Eventually(t, wants("mount"), patience, time.Millisecond)
	require.True(t, wants("setuid")(), "it changes who a process is")
	h.Release()
	require.Eventually(t, wants("bind"), patience, time.Millisecond)
	require.False(t, wants("mount")())
	require.False(t, wants("setuid")())
}

func TestBrokenRecordsAreCounted(t *testing.T) {
	b := newBench(t, nil)
	b.start(t)
	unknown := ev(99, keyTool, "")
	b.write([]byte("short"), at(unknown).task(0), execOf(keySh, "sh", "/bin/sh", "sh"))
	b.records(t, 1)
	c := &b.running.activity.counts
	require.Equal(t, uint64(1), c.failed.Load())
	require.Equal(t, uint64(1), c.unknown.Load())
	require.Equal(t, uint64(1), c.decoded.Load())
}

func TestManyRecordsAreBatched(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Activity.BatchSize, c.Activity.FlushInterval = 100, time.Second })
	b.start(t)
	for i := range uint32(1000) {
		b.write(execOf(event.ProcessKey{TGID: 1<<22 + i, Start: uint64(i)}, "x", "/bin/x", "x"))
	}
	b.records(t, 1000)
	for _, l := range b.logs.AllLogs() {
		require.LessOrEqual(t, l.LogRecordCount(), 100)
	}
}

func TestErrorsOfTheNextConsumerAreCounted(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) }()
	b := newBench(t, nil)
	b.set.TelemetrySettings = tel.NewTelemetrySettings()
	b.ebpfReceiver.logs = consumertest.NewErr(consumererror.NewPermanent(errors.New("no")))
	b.ebpfReceiver.metrics = nil
	b.start(t)
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"))
	require.Eventually(t, func() bool {
		m, err := tel.GetMetric("otelcol_receiver_refused_log_records")
		if err != nil {
			m, err = tel.GetMetric("otelcol_receiver_failed_log_records")
		}
		if err != nil {
			return false
		}
		return m.Data.(metricdata.Sum[int64]).DataPoints[0].Value == 1
	}, patience, time.Millisecond)
	require.Eventually(t, func() bool {
		return slices.Contains(b.running.report.lost(bpf.Security, new(counters)), translate.Loss{Class: "security", Reason: reasonRefused, CPU: -1, N: 1})
	}, patience, time.Millisecond)
}

func TestOwnTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.WithoutCancel(t.Context()))) }()
	b := newBench(t, nil)
	b.set.TelemetrySettings = tel.NewTelemetrySettings()
	b.kernel.stats.Classes[bpf.Security] = bpf.ClassStats{Received: 5, CPUs: []bpf.Counters{{Lost: [4]uint64{3}}, {Lost: [4]uint64{4}, Filtered: [4]uint64{0, 2}}}}
	b.start(t)
	b.write(execOf(keySh, "sh", "/bin/sh", "sh"), []byte("short"))
	require.Eventually(t, func() bool { return b.running.activity.counts.failed.Load() == 1 }, patience, time.Millisecond)

	metadatatest.AssertEqualReceiverEbpfProcesses(t, tel, []metricdata.DataPoint[int64]{
		{Attributes: attrs("state", "alive"), Value: 1}, {Attributes: attrs("state", "ended"), Value: 0},
	}, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfReceived(t, tel, []metricdata.DataPoint[int64]{
		{Attributes: attrs("class", "security"), Value: 5}, {Attributes: attrs("class", "requests"), Value: 0},
	}, ignoreTime())
	metadatatest.AssertEqualReceiverEbpfDecodeErrors(t, tel, []metricdata.DataPoint[int64]{
		{Attributes: attrs("class", "security"), Value: 1}, {Attributes: attrs("class", "requests"), Value: 0},
	}, ignoreTime())
	for _, name := range []string{"hooks", "decoded", "filtered", "lost", "unknown_records", "cgroups", "cgroup_misses", "open_requests", "processes_evicted", "processes_repaired"} {
		_, err := tel.GetMetric("otelcol_receiver_ebpf_" + name)
		require.NoError(t, err)
	}
	lost, err := tel.GetMetric("otelcol_receiver_ebpf_lost")
	require.NoError(t, err)
	var sum int64
	for _, dp := range lost.Data.(metricdata.Sum[int64]).DataPoints {
		sum += dp.Value
	}
	require.Equal(t, int64(3+4+1), sum)
}

func TestMetricsPipeline(t *testing.T) {
	b := newBench(t, nil)
	b.kernel.hooks = append(b.kernel.hooks, bpf.Hook{Name: "x", Err: errors.Join(errRefused)}, bpf.Hook{Name: "y", Err: unix.EPERM})
	b.kernel.latency = []bpf.Latency{{CgroupID: 7, Number: 0, Count: 2, Sum: 3000, Buckets: [bpf.LatencyBuckets]uint64{10: 2}}}
	b.kernel.stats.Classes[bpf.Security].CPUs = []bpf.Counters{{}, {Lost: [4]uint64{1}}}
	b.write(at(ev(event.TypeCgroupMkdir, event.ProcessKey{}, "")).cgroup(7, "/system.slice/cron.service"))
	b.start(t)
	var all pmetric.Metrics
	require.Eventually(t, func() bool {
		for _, all = range b.metrics.AllMetrics() {
			if all.ResourceMetrics().Len() == 2 { // the agent's own, and those of cron
				return true
			}
		}
		return false
	}, patience, time.Millisecond)
	byName := map[string]pmetric.Metric{}
	for _, m := range all.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		byName[m.Name()] = m
	}
	require.Equal(t, 3, byName[schema.MetricHookStatus].Gauge().DataPoints().Len())
	require.NotZero(t, byName[schema.MetricEventsLost].Sum().DataPoints().Len())
	require.NotZero(t, byName[schema.MetricRequestCount].Sum().DataPoints().Len())
	require.NotZero(t, byName[schema.MetricEventsFiltered].Sum().DataPoints().Len())
	latency := all.ResourceMetrics().At(1).ScopeMetrics().At(0).Metrics().At(0)
	require.Equal(t, schema.MetricSyscallDuration, latency.Name())
	require.Equal(t, uint64(2), latency.Histogram().DataPoints().At(0).Count())
}

func TestStatsThatCannotBeRead(t *testing.T) {
	b := newBench(t, nil)
	b.kernel.statsErr = errRefused
	b.start(t)
	require.Eventually(t, func() bool { return b.metrics.DataPointCount() > 0 }, patience, time.Millisecond)
}

func TestRingThatEndsEarly(t *testing.T) {
	b := newBench(t, nil)
	b.kernel.rings[0].err = errRefused
	b.start(t)
	require.NoError(t, b.Shutdown(t.Context()))
}

func TestFactorySharesOneReceiver(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig()
	set := receivertest.NewNopSettings(typ)
	logs, err := f.CreateLogs(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	metrics, err := f.CreateMetrics(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	traces, err := f.CreateTraces(t.Context(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.Same(t, logs, metrics)
	require.Same(t, logs, traces)
	r := logs.(*sharedReceiver).Component.(*ebpfReceiver)
	require.NotNil(t, r.logs)
	require.NotNil(t, r.metrics)
	require.NotNil(t, r.traces)
	other, err := f.CreateLogs(t.Context(), set, f.CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NotSame(t, logs, other)
	require.NoError(t, logs.Shutdown(t.Context()))
}

func TestReadHost(t *testing.T) {
	root := t.TempDir()
	h := readHost(root)
	require.NotEmpty(t, h.ID, "the boot's id stands in")
	require.NotEmpty(t, h.Name)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "etc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte("abc\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/hostname"), []byte("node-7\n"), 0o600))
	h = readHost(root)
	require.Equal(t, "abc", h.ID)
	require.Equal(t, "node-7", h.Name)
}

func TestReasonOf(t *testing.T) {
	require.Equal(t, "not attached", reasonOf(nil))
	require.Equal(t, "operation not permitted", reasonOf(&os.PathError{Op: "attach", Err: unix.EPERM}))
}

func BenchmarkHandle(b *testing.B) {
	cfg := createDefaultConfig().(*Config)
	stage := newActivityStage(b.Context(), &cfg.Activity, receivertest.NewNopSettings(typ).Logger, newEnricher(cfg), new(bpf.Clock))
	stage.wanted.Store(newWanted(interest.Wanted{}))
	stage.handle(execOf(keySh, "sh", "/bin/sh", "sh"))
	var t testing.T
	raw := at(ev(event.TypeSyscall, keySh, "sh")).call(&t, "setuid", 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		stage.handle(raw)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
