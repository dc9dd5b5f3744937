package translate

import (
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// Latency is how long one system call took in one control group: a histogram
// whose bucket n counts the calls of 2^n to 2^(n+1) ns, the last one all longer
// ones.
type Latency struct {
	Number  uint32
	Compat  bool // Number is of the 32-bit call
	Count   uint64
	Sum     uint64 // ns
	Buckets []uint64
}

// Durations below 2^firstBound ns share a bucket, and those above 2^lastBound.
const firstBound, lastBound = 8, 34

// latencyBounds are the bounds of every histogram, in seconds.
var latencyBounds = func() []float64 {
	b := make([]float64, 0, lastBound-firstBound+1)
	for e := firstBound; e <= lastBound; e++ {
		b = append(b, math.Ldexp(1, e)/1e9)
	}
	return b
}()

// Latencies collects histograms by service and system call.
type Latencies struct {
	host       Host
	version    string
	start, now pcommon.Timestamp
	order      []resourceKey
	services   map[resourceKey]map[string]*Latency
}

// NewLatencies returns an empty collection. start is when counting began.
func NewLatencies(host Host, version string, start, now time.Time) *Latencies {
	return &Latencies{
		host: host, version: version,
		start: pcommon.NewTimestampFromTime(start), now: pcommon.NewTimestampFromTime(now),
		services: make(map[resourceKey]map[string]*Latency),
	}
}

// Add adds the histogram of one call. Control groups without a service are the
// host's own.
func (l *Latencies) Add(c *container.Info, lat Latency) {
	k := Owner{Cgroup: c}.key()
	if namedByExecutable(c) {
		k = resourceKey{cgroup: hostItself}
	}
	calls, ok := l.services[k]
	if !ok {
		calls = make(map[string]*Latency)
		l.services[k] = calls
		l.order = append(l.order, k)
	}
	name := CallName(lat.Number, lat.Compat)
	sum, ok := calls[name]
	if !ok {
		sum = &Latency{Buckets: make([]uint64, len(latencyBounds)+1)}
		calls[name] = sum
	}
	sum.Count += lat.Count
	sum.Sum += lat.Sum
	for n, count := range lat.Buckets {
		sum.Buckets[min(max(n+1-firstBound, 0), len(latencyBounds))] += count
	}
}

// hostItself stands for what belongs to no service.
var hostItself = &container.Info{State: container.Host, Path: "/"}

// AppendTo adds one resource per service to a batch.
func (l *Latencies) AppendTo(out pmetric.Metrics) {
	for _, k := range l.order {
		rm := out.ResourceMetrics().AppendEmpty()
		l.host.fill(rm.Resource().Attributes(), Owner{Cgroup: k.cgroup})
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(schema.ScopeName)
		sm.Scope().SetVersion(l.version)
		m := sm.Metrics().AppendEmpty()
		m.SetName(schema.MetricSyscallDuration)
		m.SetUnit("s")
		m.SetDescription("Duration of system calls.")
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for name, lat := range l.services[k] {
			dp := h.DataPoints().AppendEmpty()
			dp.SetStartTimestamp(l.start)
			dp.SetTimestamp(l.now)
			dp.SetCount(lat.Count)
			dp.SetSum(float64(lat.Sum) / 1e9)
			dp.ExplicitBounds().FromRaw(latencyBounds)
			dp.BucketCounts().FromRaw(lat.Buckets)
			dp.Attributes().PutStr(schema.SyscallName, name)
		}
	}
}

// CallName is the name of a system call by its number.
func CallName(number uint32, compat bool) string {
	if !compat {
		if int(number) < len(callNames) && callNames[number] != "" {
			return callNames[number]
		}
		return "syscall_" + strconv.FormatUint(uint64(number), 10)
	}
	if name, ok := compatNames[uint16(number)]; ok && number <= math.MaxUint16 {
		return name
	}
	return "compat_syscall_" + strconv.FormatUint(uint64(number), 10)
}

// compatNames are the captured calls of 32-bit programs.
var compatNames = func() map[uint16]string {
	names := make(map[uint16]string)
	for i := range syscalls.Table {
		for _, n := range syscalls.Table[i].Numbers.Compat(goarch) {
			names[n] = syscalls.Table[i].Name
		}
	}
	return names
}()
