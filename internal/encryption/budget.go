package encryption

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// Meter is an Attacher that tells how often probes are hit, and can probe single
// processes; bpf.Agent is one.
type Meter interface {
	AttachTLSTo(path string, pid uint32, probes []bpf.TLSProbe) (io.Closer, error)
	TLSRuns() (map[uint32]uint64, error)
	ForgetTLS(pid uint32) error
	PauseTLS(pid uint32, until time.Time) error
}

// What a run of a program costs beside the exception, about, and how much of a CPU
// probes have to take from a process before its share is looked at, or less where
// less than that is the budget.
const (
	programTime = 250 * time.Nanosecond
	leastShare  = 0.01
)

// How long a process goes without probes that had taken too much of its time: twice
// as long each time.
const (
	firstPause = time.Minute
	lastPause  = time.Hour
)

// spending is how much a process had run, and how often into probes, at a time.
type spending struct {
	at   time.Time
	runs uint64
	cpu  time.Duration
}

// share is which part of the CPU time of a process probes took between two looks,
// if one costs that much; 0 when they took less than this part of a CPU.
func (s spending) share(now spending, price time.Duration, least float64) float64 {
	probes := time.Duration(now.runs-min(s.runs, now.runs)) * price
	if cpu := now.cpu - s.cpu; cpu > 0 && probes > time.Duration(least*float64(now.at.Sub(s.at))) {
		return float64(probes) / float64(cpu)
	}
	return 0
}

// pause is a process's time without probes.
type pause struct {
	until time.Time
	last  time.Duration
}

func (p pause) is(now time.Time) bool { return now.Before(p.until) }

// next is the pause that follows.
func (p pause) next(now time.Time) pause {
	last := firstPause
	if p.last > 0 {
		last = min(2*p.last, lastPause)
	}
	return pause{until: now.Add(last), last: last}
}

// budget has the probes of processes detached that take more than MaxCPU of their
// time, and attached again after a pause.
func (f *Finder) budget(now time.Time) {
	if f.meter == nil || f.cfg.MaxCPU <= 0 {
		return
	}
	runs, err := f.meter.TLSRuns()
	if err != nil {
		return // there are no probes
	}
	price := f.cfg.Prices.Of(probesite.Emulated) + programTime
	spent := make(map[uint32]spending, len(runs))
	changed := map[*file]bool{}
	for pid, n := range runs {
		cpu, err := cpuTime(f.cfg.Proc, pid)
		if err != nil || len(f.users[pid]) == 0 {
			continue
		}
		spent[pid] = spending{at: now, runs: n, cpu: cpu}
		before, known := f.spent[pid]
		if !known || f.pauses[pid].is(now) {
			continue
		}
		if share := before.share(spent[pid], price, min(leastShare, f.cfg.MaxCPU)); share > f.cfg.MaxCPU {
			f.rest(pid, share, now, changed)
		}
	}
	f.spent = spent
	f.resume(now, changed)
	for u := range changed {
		f.arrange(u, now)
	}
}

// rest begins the pause of a process.
func (f *Finder) rest(pid uint32, share float64, now time.Time, changed map[*file]bool) {
	f.pauses[pid] = f.pauses[pid].next(now)
	for _, u := range f.users[pid] {
		changed[u] = true
	}
	f.mu.Lock()
	f.why[pid] = ReasonBudget
	f.mu.Unlock()
	f.notePause(pid, f.pauses[pid].until)
	if f.cfg.Paused != nil {
		f.cfg.Paused(pid)
	}
	f.cfg.Log.Warn("Probes take too much of a process's CPU time: its requests over TLS are not followed for a while.",
		zap.Uint32("process.pid", pid), zap.String("share", fmt.Sprintf("%.0f%%", 100*share)), zap.Duration("for", f.pauses[pid].last))
}

// resume ends the pauses that are over, and those of processes that are no more.
func (f *Finder) resume(now time.Time, changed map[*file]bool) {
	for pid, p := range f.pauses {
		uses := f.users[pid]
		if p.is(now) && len(uses) > 0 {
			continue
		}
		f.notePause(pid, time.Time{})
		for _, u := range f.files {
			if u.paused[pid] {
				changed[u] = true
				f.mu.Lock()
				delete(f.why, pid)
				f.mu.Unlock()
			}
		}
		if len(uses) == 0 || now.Sub(p.until) > p.last { // it has kept to the budget for as long
			delete(f.pauses, pid)
		}
	}
}

// notePause has others told of a pause, or of its end when until is zero.
func (f *Finder) notePause(pid uint32, until time.Time) {
	if err := f.meter.PauseTLS(pid, until); err != nil {
		f.cfg.Log.Debug("That a process goes without probes is told by the log alone.", zap.Uint32("process.pid", pid), zap.Error(err))
	}
}

// forAll says whether the probes of a file are for all processes.
func (u *file) forAll() bool { return len(u.paused) == 0 }

// arrange has a file probed for those of its users that have no pause: for all
// processes when none has, else for each of them. The streams of those for whom
// this changes end: bytes may have passed unseen.
func (f *Finder) arrange(u *file, now time.Time) {
	if u.content == nil {
		return
	}
	paused, others := f.usersOf(u, now)
	switch {
	case len(paused) == 0 && u.forAll():
		return
	case len(paused) == 0:
		_ = u.detach()
		f.hold(u, 0, func(path string) (io.Closer, error) { return f.attach.AttachTLS(path, u.sites) })
		u.paused = nil
		f.forgetStreams(others)
		return
	case u.forAll():
		_ = u.detach()
		f.forgetStreams(others)
	}
	for pid, probes := range u.probes {
		if !others[pid] {
			_ = probes.Close()
			delete(u.probes, pid)
		}
	}
	u.paused = paused
	f.forgetStreams(paused)
	for pid := range others {
		if u.probes[pid] == nil {
			f.hold(u, pid, func(path string) (io.Closer, error) { return f.meter.AttachTLSTo(path, pid, u.sites) })
		}
	}
}

// usersOf are the processes that use a file, apart from each other.
func (f *Finder) usersOf(u *file, now time.Time) (paused, others map[uint32]bool) {
	paused, others = map[uint32]bool{}, map[uint32]bool{}
	for pid, uses := range f.users {
		if !slices.Contains(uses, u) {
			continue
		}
		if f.pauses[pid].is(now) {
			paused[pid] = true
		} else {
			others[pid] = true
		}
	}
	return paused, others
}

func (f *Finder) forgetStreams(pids map[uint32]bool) {
	for pid := range pids {
		if err := f.meter.ForgetTLS(pid); err != nil {
			f.cfg.Log.Debug("The streams of a process go on.", zap.Uint32("process.pid", pid), zap.Error(err))
		}
	}
}

// hold has a file probed again for a process, 0 for all.
func (f *Finder) hold(u *file, pid uint32, attach func(path string) (io.Closer, error)) {
	probes, err := attach(pathOf(u.content))
	if errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrNotExist) { // the agent ends, or the process has
		return
	}
	if err != nil {
		told := f.cfg.Log.Warn
		if u.again.after > 0 {
			told = f.cfg.Log.Debug
		}
		u.again = u.again.failed(err, time.Now())
		told("A TLS library cannot be probed again.", zap.String("file", u.Path), zap.Error(err), u.again.field())
		return
	}
	u.probes[pid] = probes
}

// userTicks is the unit of CPU time in /proc/PID/stat: USER_HZ, 100 on all
// architectures that Go runs on.
const userTicks = 10 * time.Millisecond

// cpuTime is what a process has run so far (proc_pid_stat(5)).
func cpuTime(proc string, pid uint32) (time.Duration, error) {
	stat, err := os.ReadFile(filepath.Join(proc, strconv.FormatUint(uint64(pid), 10), "stat"))
	if err != nil {
		return 0, err
	}
	return parseCPUTime(string(stat))
}

func parseCPUTime(stat string) (time.Duration, error) {
	const user, system = 14 - 3, 15 - 3 // fields are counted from behind the name, which may hold anything
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("stat has only %d fields behind the name", len(fields))
	}
	var sum time.Duration
	for _, field := range []string{fields[user], fields[system]} {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", err)
		}
		sum += time.Duration(ticks) * userTicks
	}
	return sum, nil
}
