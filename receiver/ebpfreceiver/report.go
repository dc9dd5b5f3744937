//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadata"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// clockInterval is how often the distance between the kernel's clock and the
// wall clock is taken anew.
const clockInterval = 10 * time.Second

// Reasons for losses that the kernel side does not know of.
const (
	reasonDecode    = "decode"      // the record could not be read
	reasonUnknown   = "unknown"     // of a type that this build does not know
	reasonRecursion = "recursion"   // the hook was running already on that CPU
	reasonExcluded  = "port"        // requests at a port that is left out
	reasonNotEnough = "no_request"  // a response without its request
	reasonShutdown  = "end_of_life" // batches that came after the end
)

// reporter tells how the agent stands: to the metrics pipeline on a timer, and
// to the collector's own telemetry when that asks.
type reporter struct {
	kernel    kernel
	activity  *activityStage
	requests  *requestStage // nil when requests are not captured
	enrich    *enricher
	clock     *bpf.Clock
	host      translate.Host
	version   string
	interval  time.Duration
	started   time.Time
	out       func(pmetric.Metrics) // nil without a metrics pipeline
	telemetry *metadata.TelemetryBuilder
	log       *zap.Logger

	mu     sync.Mutex // guards what follows
	last   bpf.Stats
	lastAt time.Time
}

// run reports until quit is closed.
func (r *reporter) run(quit <-chan struct{}) {
	clock := time.NewTicker(clockInterval)
	defer clock.Stop()
	report := time.NewTicker(r.interval)
	defer report.Stop()
	for {
		select {
		case <-clock.C:
			r.clock.Refresh()
		case <-report.C:
			if r.out != nil {
				r.out(r.collect())
			}
		case <-quit:
			return
		}
	}
}

// collect makes one set of metrics.
func (r *reporter) collect() pmetric.Metrics {
	s := r.snapshot(r.stats())
	m := translate.Metrics(r.host, r.version, s)
	r.latencies(m, s)
	return m
}

// statsAge is how old the kernel's counters may be when several of the
// collector's callbacks ask for them at once.
const statsAge = 100 * time.Millisecond

// stats reads the kernel's counters.
func (r *reporter) stats() bpf.Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.lastAt) < statsAge {
		return r.last
	}
	s, err := r.kernel.Stats()
	if err != nil {
		r.log.Debug("The kernel's counters cannot be read.", zap.Error(err))
		return r.last
	}
	r.last, r.lastAt = s, time.Now()
	return s
}

// snapshot puts together what the kernel and the stages have counted.
func (r *reporter) snapshot(st bpf.Stats) *translate.Snapshot {
	s := &translate.Snapshot{
		Start: r.started, Time: time.Now(),
		Processes: r.enrich.processes.Stats().Alive, Containers: r.containers(),
	}
	for _, class := range bpf.Classes {
		if class == bpf.Requests && r.requests == nil {
			continue
		}
		c := &st.Classes[class]
		s.Received = append(s.Received, translate.Count{Class: class.String(), N: c.Received})
		s.Filtered = append(s.Filtered, r.filtered(class, c)...)
		s.Lost = append(s.Lost, r.lost(class, c)...)
	}
	var recursion uint64
	for _, n := range st.Skipped {
		recursion += n
	}
	s.Lost = append(s.Lost, translate.Loss{Reason: reasonRecursion, CPU: -1, N: recursion})
	for _, h := range r.kernel.Hooks() {
		hook := translate.Hook{Name: h.Name}
		if !h.Attached {
			hook.Reason = reasonOf(h.Err)
		}
		s.Hooks = append(s.Hooks, hook)
	}
	if r.requests != nil {
		stats := r.requests.stats.Load()
		for why, n := range stats.Exchanges {
			s.Requests = append(s.Requests, translate.Count{Reason: exchange.Reason(why).String(), N: n})
		}
	}
	return s
}

// filtered lists what was left out on purpose, by the kernel and here.
func (r *reporter) filtered(class bpf.Class, c *bpf.ClassStats) []translate.Count {
	by := make(map[string]uint64, len(bpf.FilterReasons)+2)
	total := c.Total()
	order := append([]string(nil), bpf.FilterReasons...)
	for i, reason := range bpf.FilterReasons {
		by[reason] += total.Filtered[i]
	}
	add := func(reason string, n uint64) {
		if _, ok := by[reason]; !ok {
			order = append(order, reason)
		}
		by[reason] += n
	}
	if class == bpf.Security {
		add(reasonSelf, r.activity.self.Load())
		add(reasonUnwanted, r.activity.unwanted.Load())
	} else {
		add(reasonExcluded, r.requests.excluded.Load())
		add(reasonNotEnough, r.requests.untold.Load())
	}
	out := make([]translate.Count, 0, len(order))
	for _, reason := range order {
		out = append(out, translate.Count{Class: class.String(), Reason: reason, N: by[reason]})
	}
	return out
}

// lost lists what should have come and did not. The first CPU is always there,
// so that a zero can be told from nothing; others when they have lost.
func (r *reporter) lost(class bpf.Class, c *bpf.ClassStats) []translate.Loss {
	var out []translate.Loss
	for i, reason := range bpf.LossReasons {
		for cpu := range c.CPUs {
			if n := c.CPUs[cpu].Lost[i]; n > 0 || cpu == 0 {
				out = append(out, translate.Loss{Class: class.String(), Reason: reason, CPU: cpu, N: n})
			}
		}
	}
	counts := r.counts(class)
	return append(out,
		translate.Loss{Class: class.String(), Reason: reasonDecode, CPU: -1, N: counts.failed.Load()},
		translate.Loss{Class: class.String(), Reason: reasonUnknown, CPU: -1, N: counts.unknown.Load()},
		translate.Loss{Class: class.String(), Reason: reasonShutdown, CPU: -1, N: r.undelivered(class)},
	)
}

func (r *reporter) counts(class bpf.Class) *decodeCounts {
	if class == bpf.Requests && r.requests != nil {
		return &r.requests.counts
	}
	return &r.activity.counts
}

func (r *reporter) undelivered(class bpf.Class) uint64 {
	switch {
	case class == bpf.Security && r.activity.out != nil:
		return r.activity.out.dropped.Load()
	case class == bpf.Requests && r.requests != nil:
		return r.requests.out.dropped.Load()
	default:
		return 0
	}
}

// containers counts the containers that have a process. A pod's pause
// container is none.
func (r *reporter) containers() int {
	groups := make(map[container.CgroupID]uint32)
	r.enrich.processes.Range(func(p *process.Process) bool {
		if p.Alive() && !p.Kernel {
			groups[p.Cgroup] = p.Key.TGID
		}
		return true
	})
	ids := make(map[string]struct{})
	for id, tgid := range groups {
		if c := r.enrich.cgroups.Lookup(id, tgid); c.State == container.Container && !c.Names.Sandbox {
			ids[c.Ref.ContainerID] = struct{}{}
		}
	}
	return len(ids)
}

// reasonOf shortens an error to what groups well: the last of its chain.
func reasonOf(err error) string {
	if err == nil {
		return "not attached"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// latencies adds the durations of system calls, when they are measured.
func (r *reporter) latencies(m pmetric.Metrics, s *translate.Snapshot) {
	b := translate.NewLatencies(r.host, r.version, s.Start, s.Time)
	err := r.kernel.Latencies(func(l *bpf.Latency) {
		id := container.CgroupID{Hierarchy: l.Hierarchy, ID: l.CgroupID}
		b.Add(r.enrich.cgroups.Lookup(id, 0), translate.Latency{
			Number: l.Number, Compat: l.Compat, Count: l.Count, Sum: l.Sum, Buckets: l.Buckets[:],
		})
	})
	if err != nil && !errors.Is(err, bpf.ErrLatencyOff) {
		r.log.Debug("The durations of system calls cannot be read.", zap.Error(err))
	}
	b.AppendTo(m)
}
