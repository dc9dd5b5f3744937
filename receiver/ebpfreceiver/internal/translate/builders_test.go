package translate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// named facts make a span of that name.
type named string

func (named) Reset() {}
func (n named) Describe(_ *exchange.Exchange, w *spans.Writer) bool {
	w.Name(string(n))
	return n != ""
}

func TestTracesAreGroupedByResource(t *testing.T) {
	translator := spans.NewTranslator([32]byte{1})
	one := func() ptrace.SpanSlice {
		list := ptrace.NewSpanSlice()
		require.True(t, translator.Append(list, &exchange.Exchange{Start: 5, End: 9, Facts: named("GET /")}, wallOffset))
		return list
	}
	tr := NewTraces(host, "1.0")
	instrumented := Owner{Process: processTool, Cgroup: podInfo, Instrumented: true}
	for _, o := range []Owner{{Process: processTool, Cgroup: podInfo}, {Process: processTool, Cgroup: rootInfo}, instrumented} {
		list := one()
		tr.Join(list, o)
		require.Zero(t, list.Len())
	}
	tr.Join(ptrace.NewSpanSlice(), Owner{Process: processTool, Cgroup: dockerInfo})
	require.Equal(t, 3, tr.Len())
	got := tr.Take()
	require.Zero(t, tr.Len())
	require.Equal(t, 2, got.ResourceSpans().Len(), "no resource without a span")
	pod := got.ResourceSpans().At(0)
	uid, _ := pod.Resource().Attributes().Get(schema.K8sPodUID)
	require.Equal(t, podUID, uid.Str())
	_, named := pod.Resource().Attributes().Get(schema.ServiceName)
	require.False(t, named)
	require.Equal(t, schema.ScopeName, pod.ScopeSpans().At(0).Scope().Name())
	for i, want := range []bool{false, true} {
		span := pod.ScopeSpans().At(0).Spans().At(i)
		require.Equal(t, "GET /", span.Name())
		require.Equal(t, wallOffset+5, int64(span.StartTimestamp()))
		require.Equal(t, wallOffset+9, int64(span.EndTimestamp()))
		_, marked := span.Attributes().Get(schema.RequestInstrumented)
		require.Equal(t, want, marked)
	}
}

func oneIn(bucket int) []uint64 {
	b := make([]uint64, 40)
	b[bucket] = 1
	return b
}

func sourceOf(id uint64) LatencySource { return LatencySource{Cgroup: container.CgroupID{ID: id}} }

func TestLatencies(t *testing.T) {
	l := NewLatencies(host, "1.0", time.Unix(1, 0))
	other := &container.Info{State: container.Host, Path: "/user.slice/session-1.scope"}
	l.Begin(time.Unix(2, 0))
	l.Add(rootInfo, sourceOf(1), Latency{Count: 1, Sum: 1000, Buckets: oneIn(3)})
	l.Add(other, sourceOf(2), Latency{Count: 1, Sum: 2000, Buckets: oneIn(39)})
	l.Add(unitInfo, sourceOf(3), Latency{Count: 1, Sum: 300, Buckets: oneIn(8)})
	l.End()
	out := pmetric.NewMetrics()
	l.AppendTo(out)
	require.Equal(t, 2, out.ResourceMetrics().Len(), "what has no service is the host's")

	dp := out.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	name, _ := dp.Attributes().Get(schema.SyscallName)
	require.Equal(t, CallName(0, false), name.Str())
	require.Equal(t, uint64(2), dp.Count())
	require.InDelta(t, 3e-6, dp.Sum(), 1e-12)
	counts := dp.BucketCounts().AsRaw()
	require.Len(t, counts, dp.ExplicitBounds().Len()+1)
	require.Equal(t, uint64(1), counts[0])
	require.Equal(t, uint64(1), counts[len(counts)-1])

	unit := out.ResourceMetrics().At(1)
	service, _ := unit.Resource().Attributes().Get(schema.ServiceName)
	require.Equal(t, "nginx", service.Str())
	dp = unit.ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
	require.Equal(t, uint64(1), dp.BucketCounts().At(1), "256 to 512 ns")
	require.InDelta(t, 256e-9, dp.ExplicitBounds().At(0), 1e-15)
	require.InDelta(t, 512e-9, dp.ExplicitBounds().At(1), 1e-15)
}

// TestLatenciesNeverDecrease: the kernel forgets a histogram, a control group
// loses its name, a series ends and returns.
func TestLatenciesNeverDecrease(t *testing.T) {
	l := NewLatencies(host, "1.0", time.Unix(1, 0))
	second := int64(1)
	read := func(add func()) (count uint64, start int64) {
		second++
		l.Begin(time.Unix(second, 0))
		add()
		l.End()
		out := pmetric.NewMetrics()
		l.AppendTo(out)
		if out.DataPointCount() == 0 {
			return 0, 0
		}
		require.Equal(t, 1, out.DataPointCount())
		dp := out.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Histogram().DataPoints().At(0)
		return dp.Count(), dp.StartTimestamp().AsTime().Unix()
	}
	add := func(c *container.Info, count uint64) func() {
		buckets := make([]uint64, 40)
		buckets[9] = count
		return func() { l.Add(c, sourceOf(7), Latency{Count: count, Sum: 600 * count, Buckets: buckets}) }
	}
	for _, step := range []struct {
		add  func()
		want uint64
	}{
		{add(&container.Info{}, 5), 0}, // not resolved yet: waits
		{add(unitInfo, 6), 6},
		{add(unitInfo, 10), 10},
		{add(unitInfo, 2), 12},          // begun anew
		{add(&container.Info{}, 3), 13}, // the group is gone: still its service's
		{func() {}, 13},                 // evicted
		{add(unitInfo, 4), 17},
	} {
		count, start := read(step.add)
		require.Equal(t, step.want, count)
		if count > 0 {
			require.Equal(t, int64(2), start)
		}
	}
	for range idleReadings + 1 {
		read(func() {})
	}
	require.Empty(t, l.last)
	count, start := read(add(unitInfo, 1))
	require.Equal(t, uint64(1), count)
	require.Equal(t, second-1, start)
}

func TestCallName(t *testing.T) {
	connect := syscalls.Lookup("connect").Numbers
	require.Equal(t, "connect", CallName(uint32(connect.Native(goarch)[0]), false))
	require.Equal(t, "connect", CallName(uint32(connect.Compat(goarch)[0]), true))
	require.Equal(t, "syscall_100000", CallName(100000, false))
	require.Equal(t, "compat_syscall_100000", CallName(100000, true))
}
