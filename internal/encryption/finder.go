package encryption

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// Attacher attaches probes; bpf.Agent is one.
type Attacher interface {
	AttachTLS(path string, probes []bpf.TLSProbe) (io.Closer, error)
}

// preparer is an Attacher that has something to do before it can attach for the first
// time, which may take as long as looking for libraries does.
type preparer interface{ PrepareTLS() }

// Config of a Finder.
type Config struct {
	Proc   string // the directory of processes: /proc
	Root   string // the host's file system: /
	Kernel probesite.Kernel
	Prices Prices // where Of is nil, Run measures all but Most, and what Kernel is
	// MaxCPU is the part of a process's CPU time that probes may take; 0 for any.
	MaxCPU float64
	// Paused, unless it is nil, is told by Run's goroutine of processes that begin to
	// go without probes because of MaxCPU.
	Paused func(pid uint32)
	Log    *zap.Logger
}

// Bounds and intervals.
const (
	maxFiles     = 1024 // that are known, probed or not
	maxProcesses = 16384
	maxAsked     = 1024
	execDelay    = 100 * time.Millisecond // by when a program has loaded its libraries
	sweepEvery   = 10 * time.Second
	unusedFor    = 30 * time.Second // then a library is let go
)

// Finder finds libraries and has them probed. Its methods may be called from any
// goroutine; Run does the work in one.
type Finder struct {
	cfg    Config
	attach Attacher
	meter  Meter // the same, if it is one
	asked  chan question
	missed atomic.Uint64 // questions that were not taken

	closing sync.WaitGroup

	// Of Run alone.
	files map[identity]*file
	users map[uint32][]*file // by process
	roots map[identity]*root // by what is there
	// without are programs in which nothing encrypts that is known.
	without map[identity]version
	foreign map[identity]foreign // of those, what encrypts in the ones that were seen to
	inodes  map[uint64]bool      // of shared objects that may have a library in them
	later   []question           // in the order of their times
	placed  map[copied]placed    // what is known of the content of files
	spent   map[uint32]spending  // by process, at the last look
	pauses  map[uint32]pause     // by process, also those that are over

	mu     sync.Mutex
	report []Library
	why    map[uint32]string // by process, what is not followed there
}

// question is a process to look at.
type question struct {
	pid     uint32
	at      time.Time
	program bool // the program alone
}

// file is an executable file, probed or not.
type file struct {
	Library
	kind    *library
	version version
	content *os.File             // open as long as it has probes
	sites   []bpf.TLSProbe       // where they are
	probes  map[uint32]io.Closer // by process; 0: for all
	paused  map[uint32]bool      // its users that have a pause
	again   retry                // of probing it
	used    time.Time            // when it was last seen used, or where systems have theirs
	users   int
}

// New returns a finder that attaches nothing before Run.
func New(cfg Config, attach Attacher) *Finder {
	meter, _ := attach.(Meter)
	return &Finder{
		cfg: cfg, attach: attach, meter: meter, pauses: map[uint32]pause{}, asked: make(chan question, maxAsked),
		files: map[identity]*file{}, users: map[uint32][]*file{}, why: map[uint32]string{}, without: map[identity]version{},
		roots: map[identity]*root{}, foreign: map[identity]foreign{}, inodes: map[uint64]bool{}, placed: map[copied]placed{},
	}
}

// Started asks to look at a process that executes a new program: at the program
// and the system that it has at once, at its libraries when they are loaded.
func (f *Finder) Started(pid uint32) {
	now := time.Now()
	f.ask(question{pid: pid, at: now, program: true})
	f.ask(question{pid: pid, at: now.Add(execDelay)})
}

// Encrypts asks to look at once at a process that was seen to encrypt.
func (f *Finder) Encrypts(pid uint32) { f.ask(question{pid: pid, at: time.Now()}) }

func (f *Finder) ask(q question) {
	select {
	case f.asked <- q:
	default:
		f.missed.Add(1)
	}
}

// Run looks for libraries until quit is closed, and then detaches everything. It
// calls settled once, when it has looked at all that there was when it began.
func (f *Finder) Run(quit <-chan struct{}, settled func()) {
	defer f.release()
	if p, ok := f.attach.(preparer); ok {
		f.closing.Go(p.PrepareTLS)
	}
	f.calibrate()
	f.system(time.Now())
	f.everything(quit)
	f.publish()
	settled()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	wake := time.NewTimer(sweepEvery)
	defer wake.Stop()
	for {
		select {
		case <-quit:
			return
		case q := <-f.asked:
			f.take(q)
		case <-wake.C:
		case now := <-sweep.C:
			f.sweep(now)
			f.budget(now)
			f.publish()
		}
		f.work(time.Now())
		if len(f.later) > 0 {
			wake.Reset(time.Until(f.later[0].at))
		}
	}
}

// calibrate measures what probes cost, if nobody has.
func (f *Finder) calibrate() {
	if f.cfg.Prices.Of != nil {
		return
	}
	most := f.cfg.Prices.Most
	var err error
	if f.cfg.Kernel, f.cfg.Prices, err = Calibrate(); err != nil {
		f.cfg.Log.Debug("What probes cost is assumed, not measured.", zap.Error(err))
	}
	f.cfg.Prices.Most = most
}

// take notes a question. Those for later come with growing times; those for now
// go before them.
func (f *Finder) take(q question) {
	if q.program {
		if q.pid != f.self() {
			f.root(q.pid, time.Now())
			f.program(q.pid)
		}
		return
	}
	if !q.at.After(time.Now()) {
		f.look(q.pid)
		f.explain(q.pid)
		f.publish()
		return
	}
	if len(f.later) < maxAsked {
		f.later = append(f.later, q)
	} else {
		f.missed.Add(1)
	}
}

// work looks at the processes whose time has come.
func (f *Finder) work(now time.Time) {
	n := 0
	for n < len(f.later) && !f.later[n].at.After(now) {
		f.look(f.later[n].pid)
		n++
	}
	if n > 0 {
		f.later = append(f.later[:0], f.later[n:]...)
		f.publish()
	}
}

// everything looks at all processes that there are.
func (f *Finder) everything(quit <-chan struct{}) {
	entries, err := os.ReadDir(f.cfg.Proc)
	if err != nil {
		f.cfg.Log.Warn("Processes that encrypt are not looked for.", zap.Error(err))
		return
	}
	for _, e := range entries {
		select {
		case <-quit:
			return
		default:
		}
		if pid, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			f.root(uint32(pid), time.Now())
			f.look(uint32(pid))
		}
	}
}

// look finds out what a process uses.
func (f *Finder) look(pid uint32) {
	maps, err := os.Open(filepath.Join(f.cfg.Proc, strconv.FormatUint(uint64(pid), 10), "maps"))
	if err != nil {
		f.forget(pid)
		return
	}
	mappings := executableFiles(maps)
	_ = maps.Close()
	var uses []*file
	if pid == f.self() {
		return // what the agent itself does is not followed
	}
	if known := f.program(pid); known != nil {
		uses = append(uses, known)
	}
	for i := range mappings {
		m := &mappings[i]
		l := libraryOf(m.path)
		if l == nil && !f.inodes[m.inode] {
			continue
		}
		path, err := m.find(f.cfg.Proc, pid)
		if err != nil {
			continue
		}
		if l == nil {
			if l = f.object(path); l == nil {
				continue
			}
		}
		if known, err := f.know(path, m.path, l); err == nil && known != nil {
			uses = append(uses, known)
		}
	}
	f.use(pid, uses, mappings)
}

// use notes what a process uses, in place of what it used before.
func (f *Finder) use(pid uint32, uses []*file, mappings []mapping) {
	now := time.Now()
	for _, u := range uses {
		u.users++
		u.used = now
	}
	f.forget(pid)
	if len(uses) > 0 && len(f.users) < maxProcesses {
		f.users[pid] = uses
	} else {
		for _, u := range uses {
			u.users--
		}
	}
	for _, u := range uses {
		if !u.forAll() {
			f.arrange(u, now)
		}
	}
	why := reason(uses, mappings)
	if f.pauses[pid].is(now) {
		why = ReasonBudget
	}
	if why == ReasonUnknown {
		why = f.explained(pid)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.why) >= maxProcesses {
		clear(f.why)
	}
	if why != "" {
		f.why[pid] = why
	} else {
		delete(f.why, pid)
	}
}

// self is the agent's own process, as the directory of processes has it.
func (f *Finder) self() uint32 {
	target, err := os.Readlink(filepath.Join(f.cfg.Proc, "self"))
	if err != nil {
		return 0
	}
	pid, _ := strconv.ParseUint(target, 10, 32) // 0 is nobody
	return uint32(pid)
}

// forget notes that a process uses nothing any more.
func (f *Finder) forget(pid uint32) {
	for _, u := range f.users[pid] {
		u.users--
	}
	delete(f.users, pid)
}

// sweep forgets processes that ended, and libraries that nobody uses, and tries again what
// has failed.
func (f *Finder) sweep(now time.Time) {
	for pid := range f.users {
		if _, err := os.Stat(filepath.Join(f.cfg.Proc, strconv.FormatUint(uint64(pid), 10))); err != nil {
			f.forget(pid)
		}
	}
	f.retry(now)
	f.sweepRoots(now)
	for id, known := range f.files {
		if known.users > 0 {
			known.used = now
		} else if now.Sub(known.used) > unusedFor {
			delete(f.files, id)
			f.drop(known)
		}
	}
}

// drop lets go of a file that was forgotten.
func (f *Finder) drop(known *file) {
	if known.content == nil {
		return
	}
	if err := known.detach(); err != nil {
		f.cfg.Log.Warn("Probes in a TLS library may stay.", zap.String("file", known.Path), zap.Error(err))
		return
	}
	_ = known.content.Close()
	f.cfg.Log.Debug("A TLS library is used by nobody any more.", zap.String("file", known.Path))
}

// detach takes all probes out of a file.
func (known *file) detach() error {
	var errs []error
	for pid, probes := range known.probes {
		errs = append(errs, probes.Close())
		delete(known.probes, pid)
	}
	return errors.Join(errs...)
}

// release lets go of everything. Older kernels take a tenth of a second for each
// probe; who wants to wait for that calls Wait.
func (f *Finder) release() {
	for id, known := range f.files {
		delete(f.files, id)
		f.closing.Go(func() { f.drop(known) })
	}
}

// Wait returns when, after Run, the last probe is gone.
func (f *Finder) Wait() { f.closing.Wait() }
