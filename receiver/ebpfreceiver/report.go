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
	"github.com/sightglass/sightglass/internal/event"
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
	reasonDecode     = "decode"      // the record could not be read
	reasonUnknown    = "unknown"     // of a type that this build does not know
	reasonRecursion  = "recursion"   // the hook was running already on that CPU
	reasonShutdown   = "end_of_life" // records and spans that came after the end
	reasonRefused    = "refused"     // records and spans, at most, that a next component did not take: a full disk or queue
	reasonNoState    = "no_state"    // connections that the kernel's table had no place for
	reasonUnreadable = "unreadable"  // calls whose bytes could not be read
	reasonGap        = "gap"         // times that bytes of a connection were missing
	reasonLate       = "late"        // records that came after their bytes were taken for missing
	reasonEvicted    = "evicted"     // connections that gave way to others
	reasonExcess     = "excess"      // calls of which not all messages are followed
	reasonUnfollowed = "unfollowed"  // connections that were used in ways that are not followed
	reasonUnbound    = "unbound"     // reads of plain text whose connection is not known
	reasonForeignTLS = "foreign_tls" // sends of cipher text that does not fit what was written
	reasonDisplaced  = "displaced"   // calls into TLS libraries whose thread gave way to another one
)

// Reasons for requests to be left out.
const (
	reasonExcluded   = "port"        // at a port that is left out
	reasonService    = "service"     // of a service that is left out
	reasonNotEnough  = "no_request"  // a response without its request
	reasonForeign    = "foreign"     // connections of no protocol that is understood
	reasonNoProtocol = "no_protocol" // records of such, or without a known beginning
)

// reporter tells how the agent stands: to the metrics pipeline on a timer, and
// to the collector's own telemetry when that asks.
type reporter struct {
	kernel    kernel
	activity  *activityStage
	requests  *requestStage // nil when requests are not captured
	refused   *refusals
	enrich    *enricher
	clock     *bpf.Clock
	host      translate.Host
	version   string
	interval  time.Duration
	started   time.Time
	out       func(pmetric.Metrics) // nil without a metrics pipeline
	telemetry *metadata.TelemetryBuilder
	log       *zap.Logger
	calls     *translate.Latencies // run's alone
	strays    strays               // run's alone

	mu     sync.Mutex // guards what follows
	last   counters
	lastAt time.Time
}

// counters are the kernel's.
type counters struct {
	bpf.Stats
	sockets bpf.RequestStats
	tls     bpf.TLSStats
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
			r.tellStrays()
			if r.out != nil {
				r.out(r.collect())
			}
		case <-quit:
			return
		}
	}
}

// tellStrays says which processes the request capture does not follow.
func (r *reporter) tellStrays() {
	if r.requests == nil {
		return
	}
	all, err := r.kernel.Strays()
	if err != nil {
		r.log.Debug("What is not followed cannot be listed.", zap.Error(err))
		return
	}
	fresh := r.strays.tell(all, func(k event.ProcessKey) string {
		if p, ok := r.enrich.processes.Lookup(k); ok {
			return p.Name
		}
		return ""
	}, r.log)
	r.requests.noteStrays(fresh)
}

// collect makes one set of metrics.
func (r *reporter) collect() pmetric.Metrics {
	s := r.snapshot(r.stats())
	m := translate.Metrics(r.host, r.version, s)
	r.latencies(m, s)
	if r.requests != nil {
		if active := r.requests.actives.Swap(nil); active != nil {
			active.ResourceMetrics().MoveAndAppendTo(m.ResourceMetrics())
		}
		if opaque := r.requests.opaques.Swap(nil); opaque != nil {
			opaque.ResourceMetrics().MoveAndAppendTo(m.ResourceMetrics())
		}
	}
	return m
}

// statsAge is how old the kernel's counters may be when several of the
// collector's callbacks ask for them at once.
const statsAge = 100 * time.Millisecond

// stats reads the kernel's counters.
func (r *reporter) stats() counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.lastAt) < statsAge {
		return r.last
	}
	s, err := r.kernel.Stats()
	sockets, err2 := r.kernel.RequestStats()
	tls, err3 := r.kernel.TLSStats()
	if err = errors.Join(err, err2, err3); err != nil {
		r.log.Debug("The kernel's counters cannot be read.", zap.Error(err))
		return r.last
	}
	r.last, r.lastAt = counters{Stats: s, sockets: sockets, tls: tls}, time.Now()
	return r.last
}

// snapshot puts together what the kernel and the stages have counted.
func (r *reporter) snapshot(st counters) *translate.Snapshot {
	s := &translate.Snapshot{
		Start: r.started, Time: time.Now(),
		Processes: r.enrich.processes.Stats().Alive, Containers: r.containers(),
		Filtered: r.allFiltered(&st), Lost: r.allLost(&st),
	}
	for _, class := range r.classes() {
		s.Received = append(s.Received, translate.Count{Class: class.String(), N: st.Classes[class].Received})
	}
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

// classes are those that are captured.
func (r *reporter) classes() []bpf.Class {
	if r.requests == nil {
		return []bpf.Class{bpf.Security}
	}
	return bpf.Classes
}

func (r *reporter) allFiltered(st *counters) (out []translate.Count) {
	for _, class := range r.classes() {
		out = append(out, r.filtered(class, st)...)
	}
	return out
}

func (r *reporter) allLost(st *counters) (out []translate.Loss) {
	for _, class := range r.classes() {
		out = append(out, r.lost(class, st)...)
	}
	var recursion uint64
	for _, n := range st.Skipped {
		recursion += n
	}
	return append(out, translate.Loss{Reason: reasonRecursion, CPU: -1, N: recursion})
}

// filtered lists what was left out on purpose, by the kernel and here.
func (r *reporter) filtered(class bpf.Class, st *counters) []translate.Count {
	by := make(map[string]uint64, len(bpf.FilterReasons)+2)
	total := st.Classes[class].Total()
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
		seen := r.requests.stats.Load()
		add(reasonExcluded, r.requests.spans.excluded.Load())
		add(reasonSelf, r.requests.spans.own.Load())
		add(reasonService, r.requests.spans.otherService.Load())
		add(reasonNotEnough, r.requests.spans.untold.Load()+seen.Bare)
		add(reasonForeign, st.sockets.Boring)
		add(reasonNoProtocol, seen.Unknown)
	}
	out := make([]translate.Count, 0, len(order))
	for _, reason := range order {
		out = append(out, translate.Count{Class: class.String(), Reason: reason, N: by[reason]})
	}
	return out
}

// lost lists what should have come and did not. The first CPU is always there,
// so that a zero can be told from nothing; others when they have lost.
func (r *reporter) lost(class bpf.Class, st *counters) []translate.Loss {
	c := &st.Classes[class]
	var out []translate.Loss
	for i, reason := range bpf.LossReasons {
		for cpu := range c.CPUs {
			if n := c.CPUs[cpu].Lost[i]; n > 0 || cpu == 0 {
				out = append(out, translate.Loss{Class: class.String(), Reason: reason, CPU: cpu, N: n})
			}
		}
	}
	add := func(reason string, n uint64) {
		out = append(out, translate.Loss{Class: class.String(), Reason: reason, CPU: -1, N: n})
	}
	counts := r.counts(class)
	add(reasonDecode, counts.failed.Load())
	add(reasonUnknown, counts.unknown.Load())
	add(reasonShutdown, r.undelivered(class))
	add(reasonRefused, r.refused.of(class))
	if class == bpf.Requests {
		seen := r.requests.stats.Load()
		add(reasonNoState, st.sockets.Full)
		add(reasonUnreadable, st.sockets.Unreadable)
		add(reasonGap, seen.Gaps)
		add(reasonLate, seen.Late)
		add(reasonEvicted, seen.Evicted)
		add(reasonExcess, st.sockets.Excess)
		add(reasonUnfollowed, st.sockets.Unseen)
		add(reasonUnbound, st.tls.Unbound)
		add(reasonForeignTLS, st.tls.Foreign)
		add(reasonDisplaced, st.tls.Displaced)
	}
	return out
}

// counts is what became of the records of a ring; zeros when nobody reads it.
func (r *reporter) counts(class bpf.Class) *decodeCounts {
	switch {
	case class == bpf.Security:
		return &r.activity.counts
	case r.requests != nil:
		return &r.requests.counts
	default:
		return new(decodeCounts)
	}
}

func (r *reporter) undelivered(class bpf.Class) uint64 {
	switch {
	case class == bpf.Security && r.activity.out != nil:
		return r.activity.out.dropped.Load()
	case class == bpf.Requests && r.requests != nil:
		return r.requests.spans.out.dropped.Load()
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
	if r.calls == nil {
		r.calls = translate.NewLatencies(r.host, r.version, s.Start)
	}
	r.calls.Begin(s.Time)
	err := r.kernel.Latencies(func(l *bpf.Latency) {
		id := container.CgroupID{Hierarchy: l.Hierarchy, ID: l.CgroupID}
		source := translate.LatencySource{Cgroup: id, Number: l.Number, Compat: l.Compat}
		r.calls.Add(r.enrich.cgroups.Lookup(id, 0), source, translate.Latency{Count: l.Count, Sum: l.Sum, Buckets: l.Buckets[:]})
	})
	switch {
	case errors.Is(err, bpf.ErrLatencyOff):
		return
	case err != nil:
		r.log.Debug("The durations of system calls cannot be read.", zap.Error(err))
	default:
		r.calls.End()
	}
	r.calls.AppendTo(m)
}
