//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// lookAround is after how many records of one uninterrupted round the stages
// look at the time, to send on what waits.
const lookAround = 64

// decodeCounts are what became of the records of one ring.
type decodeCounts struct {
	decoded, failed, unknown atomic.Uint64
}

// note counts the outcome of one decoding; it reports whether the event is
// usable.
func (c *decodeCounts) note(err error) bool {
	switch {
	case err == nil:
		c.decoded.Add(1)
		return true
	case errors.Is(err, event.ErrUnknownType):
		c.unknown.Add(1)
	default:
		c.failed.Add(1)
	}
	return false
}

// activityStage reads the security ring: it keeps the tables up to date and
// turns what is wanted into log records. Its goroutine is the table's only
// writer.
type activityStage struct {
	ctx     context.Context // ends when nothing more can be sent
	cfg     *ActivityConfig
	log     *zap.Logger
	enrich  *enricher
	clock   *bpf.Clock
	wanted  atomic.Pointer[wanted]
	drained atomic.Uint64 // every record before this time, in ns since boot, has been handled
	pending func() int    // bytes in the ring that have not; nil when nobody knows

	out    *queue[plog.Logs] // nil without a logs pipeline
	build  *translate.Logs
	logins *logins

	integrity *integrity // nil without a logs pipeline, or when it is off
	names     [translate.MaxNames][]byte
	named     bool               // names are those of the present event
	tls       *encryption.Finder // is told of programs that start; may be nil

	counts         decodeCounts
	self, unwanted atomic.Uint64 // events that became no record
	told           atomic.Uint64 // records made
	ev             event.Event
	activity       translate.Activity
	ancestors      []*process.Process
	since          int // records since the last look around
	lastFlushed    time.Time
}

func newActivityStage(ctx context.Context, cfg *ActivityConfig, log *zap.Logger, e *enricher, clock *bpf.Clock) *activityStage {
	return &activityStage{
		ctx: ctx, cfg: cfg, log: log, enrich: e, clock: clock, lastFlushed: time.Now(),
		logins: newLogins(func(id container.CgroupID) *container.Info { return e.cgroups.Lookup(id, 0) }),
	}
}

// seed learns the control groups and the processes that exist.
func (s *activityStage) seed(k kernel) {
	s.enrich.cgroups.Seed()
	err := k.Seed(func(raw []byte) {
		if err := event.Decode(raw, &s.ev); err != nil {
			s.counts.note(err)
			return
		}
		s.enrich.processes.Apply(&s.ev)
		s.enrich.twins.see(&s.ev)
		s.shim(&s.ev)
	})
	if err != nil && !errors.Is(err, os.ErrClosed) {
		s.log.Warn("Processes that run already are learnt one by one, as they act.", zap.Error(err))
	}
	s.enrich.processes.Link()
	s.enrich.processes.Range(func(p *process.Process) bool {
		s.logins.running(s.logins.cgroup(p.Cgroup))
		return true
	})
}

// handle takes one record of the ring.
func (s *activityStage) handle(raw []byte) {
	if s.counts.note(event.Decode(raw, &s.ev)) {
		s.event(&s.ev)
	}
	if s.since++; s.since >= lookAround {
		// The ring is ordered by reservation; an event's time is taken a
		// moment before.
		s.around(time.Now(), s.ev.Time-min(s.ev.Time, uint64(settleTime)))
	}
}

// settleTime is how much older than its neighbours in the ring a record can be.
const settleTime = 5 * time.Millisecond

// pause is called when the ring was empty.
func (s *activityStage) pause(int) {
	now := time.Now()
	s.around(now, s.settled(now))
}

// around does what is done now and then. Every record before drained, in ns since
// boot, has been handled.
func (s *activityStage) around(now time.Time, drained uint64) {
	s.since = 0
	s.enrich.processes.Learn() // first: who waits for drained looks processes up then
	s.drained.Store(drained)
	s.look(now)
}

// handled is the time, in ns since boot, before which every record has been
// handled; 0 until the tables have been seeded. Any goroutine may ask. The
// stage itself tells that only now and then: it sleeps while there is nothing,
// and others would wait for it.
func (s *activityStage) handled() uint64 {
	drained := s.drained.Load()
	if drained == 0 || s.pending == nil {
		return drained
	}
	now := time.Now() // before the look: whatever comes later is younger
	if s.pending() > 0 {
		return drained
	}
	return max(drained, s.settled(now))
}

// settled is the time, in ns since boot, before which an empty ring at now lacks
// nothing.
func (s *activityStage) settled(now time.Time) uint64 {
	boot := s.clock.Boot(now)
	return boot - min(boot, uint64(settleTime))
}

// look sends on what has waited for long enough.
func (s *activityStage) look(now time.Time) {
	if s.build == nil || now.Sub(s.lastFlushed) < s.cfg.FlushInterval {
		return
	}
	s.flush(now)
}

// flush hands the batch to the next consumer, and waits when that is behind.
func (s *activityStage) flush(now time.Time) {
	if s.build == nil || s.build.Len() == 0 {
		return
	}
	s.lastFlushed = now // so that the first record after a silence does not wait
	s.out.send(s.ctx, s.build.Take())
}

// event brings the tables up to date and tells of the event, if it is wanted.
func (s *activityStage) event(ev *event.Event) {
	switch ev.Type {
	case event.TypeCgroupMkdir:
		s.enrich.cgroups.Made(container.CgroupID{Hierarchy: ev.Cgroup.Hierarchy, ID: ev.Cgroup.ID}, string(ev.Cgroup.Path))
		return
	case event.TypeCgroupRmdir:
		s.enrich.cgroups.Removed(container.CgroupID{Hierarchy: ev.Cgroup.Hierarchy, ID: ev.Cgroup.ID})
		return
	case event.TypeExec:
		s.shim(ev)
		if s.tls != nil {
			s.tls.Started(ev.Key.TGID)
		}
	case event.TypeSyscall:
		s.named = false
		if s.build != nil && ev.Syscall.Return >= 0 {
			s.enrich.unmask(&ev.Syscall.Result)
		}
	case event.TypeExit:
		s.enrich.pipes.ended(ev)
	case event.TypeFork, event.TypeProcess, event.TypeData, event.TypeSocketClose:
	}
	s.enrich.twins.see(ev)
	change := s.enrich.processes.Apply(ev)
	if s.build == nil {
		return
	}
	if ev.Type == event.TypeSyscall {
		s.enrich.named.reroot(ev)
	}
	if s.enrich.twins.reads(ev) {
		s.self.Add(1)
		return
	}
	wanted := s.wanted.Load()
	if ev.Flags&event.FlagSelf != 0 && s.guards(ev) {
		s.self.Add(1)
		return
	}
	if s.integrity != nil && ev.Type == event.TypeSyscall && wanted.modified {
		s.touch(ev, change)
	}
	switch wanted.refuses(ev, change.Process, s.cfg) {
	case reasonSelf:
		s.self.Add(1)
	case reasonUnwanted:
		s.leaveOut(ev, change)
	default:
		s.tell(ev, change)
	}
}

// guards reports whether the agent looked after critical files: in threads in
// which nothing else of it acts. Policies would tell of that every 10 s.
func (s *activityStage) guards(ev *event.Event) bool {
	return ev.Type == event.TypeSyscall &&
		(s.enrich.critical.Reads(ev.TID) || s.integrity != nil && s.integrity.watch.Reads(ev.TID))
}

// leaveOut counts a call or an exit that nobody wants. The end of a session is
// told all the same: it has a record of its own.
func (s *activityStage) leaveOut(ev *event.Event, change process.Change) {
	switch ev.Type {
	case event.TypeExit:
		if s.logins.ends(ev.Key) && s.cfg.Logins {
			s.prepare(ev, change)
			s.append(schema.EventLoginEnd)
			return
		}
		s.unwanted.Add(1)
	case event.TypeSyscall:
		s.unwanted.Add(1)
	default: // they are for the tables
	}
}

var shimName = []byte("containerd-shim")

// shim lets the resolver learn from a containerd's shim where that containerd
// keeps its state.
func (s *activityStage) shim(ev *event.Event) {
	if bytes.HasPrefix(ev.Task.Comm, shimName) {
		s.enrich.cgroups.Shim(ev.Key.TGID)
	}
}

// tell makes the record of an event, and that of a session that it begins or
// ends.
func (s *activityStage) tell(ev *event.Event, change process.Change) {
	a := s.prepare(ev, change)
	switch ev.Type {
	case event.TypeExec:
		if b := change.Before; b != nil && b.Executed != 0 {
			a.Replaced = b.Name
		}
		facts := s.enrich.pipes.started(ev, change, a.Ancestors)
		if by := s.enrich.loads.started(change.Process, ev.Time); by != "" && len(facts.script) == 0 {
			facts.script = []string{by}
		}
		a.StdinFrom, a.StdoutTo, a.ScriptFrom, a.ScriptTo = facts.from, facts.to, facts.script, facts.runner
		s.append(schema.EventProcessExec)
		if s.cfg.Logins && s.logins.starts(ev, change, a.Cgroup, a.Ancestors) {
			s.append(schema.EventLoginStart)
		}
	case event.TypeExit:
		s.append(schema.EventProcessExit)
		if s.logins.ends(ev.Key) && s.cfg.Logins {
			s.append(schema.EventLoginEnd)
		}
	default:
		s.append(translate.SyscallEventName(&ev.Syscall))
	}
}

// prepare makes the present activity of an event.
func (s *activityStage) prepare(ev *event.Event, change process.Change) *translate.Activity {
	wanted := s.wanted.Load()
	registered := wanted.registered
	a := &s.activity
	*a = translate.Activity{
		Owner: translate.Owner{Process: change.Process, Cgroup: s.enrich.cgroup(ev)},
		Event: ev, Full: !registered, Arguments: registered, Account: wanted.accounts, Mounts: wanted.mounts, Directory: wanted.directory, Redact: s.cfg.Redact, Seal: registered,
	}
	if ev.Type == event.TypeExec || a.Full {
		s.ancestors = s.enrich.processes.AppendAncestors(s.ancestors[:0], ev.Key, process.MaxAncestors)
		a.Ancestors = s.ancestors
	}
	s.enrich.name(a)
	if ev.Type == event.TypeSyscall {
		a.Resolved = s.resolve(ev)
	}
	return a
}

// resolve finds out once where the names of the present event lead.
func (s *activityStage) resolve(ev *event.Event) [translate.MaxNames][]byte {
	if !s.named {
		s.named, s.names = true, s.enrich.named.resolve(ev)
	}
	return s.names
}

// append adds a record of the present activity to the batch.
func (s *activityStage) append(name string) {
	s.activity.Name = name
	now := time.Now()
	s.build.Append(&s.activity, s.clock.Offset(), now)
	s.told.Add(1)
	if s.build.Len() >= s.cfg.BatchSize {
		s.flush(now)
	}
}
