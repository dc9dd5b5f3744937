package translate

import (
	"maps"
	"math"
	"slices"
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

// LatencySource names one of the kernel's histograms.
type LatencySource struct {
	Cgroup container.CgroupID
	Number uint32
	Compat bool
}

// idleReadings is after how many readings without a call a series ends.
const idleReadings = 60

// Latencies turns the kernel's histograms, which begin anew when their place is
// needed for others, into cumulative ones by service and system call that never
// decrease. Not safe for concurrent use.
type Latencies struct {
	host     Host
	version  string
	previous pcommon.Timestamp // end of the last reading, at first the start
	now      pcommon.Timestamp
	reading  uint64
	last     map[LatencySource]*latencySeen
	services map[resourceKey]map[string]*latencySeries
	order    []resourceKey // of services, for an output that does not jump
}

// latencySeen is what a source said at its last reading.
type latencySeen struct {
	owner   resourceKey
	reading uint64
	Latency
}

// latencySeries is one data point.
type latencySeries struct {
	start  pcommon.Timestamp
	fed    uint64 // reading that added to it last
	count  uint64
	sum    uint64 // ns
	counts []uint64
}

// NewLatencies returns an empty collection. start is when counting began.
func NewLatencies(host Host, version string, start time.Time) *Latencies {
	return &Latencies{
		host: host, version: version,
		now:      pcommon.NewTimestampFromTime(start),
		last:     make(map[LatencySource]*latencySeen),
		services: make(map[resourceKey]map[string]*latencySeries),
	}
}

// Begin starts a reading of all sources.
func (l *Latencies) Begin(now time.Time) {
	l.reading++
	l.previous, l.now = l.now, pcommon.NewTimestampFromTime(now)
}

// Add adds what the source has counted since the last reading. A control group
// that is gone keeps the service that it had; one whose path is not known yet
// waits for it. Groups without a service are the host's own.
func (l *Latencies) Add(c *container.Info, source LatencySource, lat Latency) {
	seen := l.last[source]
	if seen == nil {
		if c.State == container.Unresolved {
			return
		}
		seen = &latencySeen{owner: latencyOwner(c), Latency: Latency{Buckets: make([]uint64, len(lat.Buckets))}}
		l.last[source] = seen
	}
	seen.reading = l.reading
	if lat.Count < seen.Count { // the kernel has given its place away in between
		seen.Count, seen.Sum = 0, 0
		clear(seen.Buckets)
	}
	if lat.Count > seen.Count {
		l.series(seen.owner, CallName(source.Number, source.Compat)).add(l.reading, &seen.Latency, &lat)
	}
	seen.Count, seen.Sum = lat.Count, lat.Sum
	copy(seen.Buckets, lat.Buckets)
}

func latencyOwner(c *container.Info) resourceKey {
	if namedByExecutable(c) {
		return resourceKey{cgroup: hostItself}
	}
	return Owner{Cgroup: c}.key()
}

func (l *Latencies) series(k resourceKey, name string) *latencySeries {
	calls, ok := l.services[k]
	if !ok {
		calls = make(map[string]*latencySeries)
		l.services[k] = calls
		l.order = append(l.order, k)
	}
	s, ok := calls[name]
	if !ok {
		s = &latencySeries{start: l.previous, counts: make([]uint64, len(latencyBounds)+1)}
		calls[name] = s
	}
	return s
}

// add counts what has come between two readings. Buckets are read one by one
// while the kernel counts on: one that seems to shrink waits for the next time.
func (s *latencySeries) add(reading uint64, from, to *Latency) {
	s.fed = reading
	s.count += to.Count - from.Count
	s.sum += to.Sum - min(from.Sum, to.Sum)
	for n, count := range to.Buckets {
		s.counts[min(max(n+1-firstBound, 0), len(latencyBounds))] += count - min(from.Buckets[n], count)
	}
}

// End ends a reading: sources that the kernel has given up are forgotten, and
// series without calls for a while end.
func (l *Latencies) End() {
	maps.DeleteFunc(l.last, func(_ LatencySource, seen *latencySeen) bool { return seen.reading != l.reading })
	l.order = slices.DeleteFunc(l.order, func(k resourceKey) bool {
		calls := l.services[k]
		maps.DeleteFunc(calls, func(_ string, s *latencySeries) bool { return l.reading-s.fed > idleReadings })
		if len(calls) == 0 {
			delete(l.services, k)
		}
		return len(calls) == 0
	})
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
		for name, s := range l.services[k] {
			s.fill(h.DataPoints().AppendEmpty(), name, l.now)
		}
	}
}

func (s *latencySeries) fill(dp pmetric.HistogramDataPoint, name string, now pcommon.Timestamp) {
	dp.SetStartTimestamp(s.start)
	dp.SetTimestamp(now)
	dp.SetCount(s.count)
	dp.SetSum(float64(s.sum) / 1e9)
	dp.ExplicitBounds().FromRaw(latencyBounds)
	dp.BucketCounts().FromRaw(s.counts)
	dp.Attributes().PutStr(schema.SyscallName, name)
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
