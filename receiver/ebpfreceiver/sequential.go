//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"debug/buildinfo"
	"debug/elf"
	"go/version"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Bounds of threadJudge.
const (
	maxJudged    = 16384 // threads in each of two generations
	maxPrograms  = 1024
	judgingQueue = 256
	maxTasks     = 1024 // of a process
)

// schedulers are what the names of threads begin with that run many tasks in
// turns: virtual threads and coroutines, whose waiting no system call shows.
var schedulers = []string{
	"ForkJoinPool",   // virtual threads and work stealing of Java
	"DefaultDispatc", // coroutines of Kotlin
	".NET",
	"tokio",
	"async-std",
	"erts_", // Erlang
}

// scheduling is what runs a thread's work.
type scheduling uint8

const (
	unknown    scheduling = iota
	sequential            // the thread runs one piece of code to its end
	goroutines            // goroutines do, whichever thread they are on
	scheduled             // many tasks in turns, which nothing tells apart
)

// goroutineVersion is the first version of Go whose goroutines are told by a
// register.
const goroutineVersion = "go1.17"

// threadJudge tells which threads, or goroutines, run one piece of code to its
// end, so that what they send while they serve a request is sent for that request.
// It looks at a thread in a goroutine of its own, since a program's file may lie
// on a disk that does not answer.
type threadJudge struct {
	proc string
	ask  chan requests.Thread
	done chan struct{} // closed when run has ended

	start sync.Once // at the first question

	mu             sync.Mutex
	recent, before map[requests.Thread]scheduling
	pending        map[requests.Thread]struct{}
	programs       map[[2]uint64]scheduling // by device and inode; the goroutine's alone
}

func newThreadJudge(proc string) *threadJudge {
	return &threadJudge{
		proc: proc, ask: make(chan requests.Thread, judgingQueue), done: make(chan struct{}),
		recent: make(map[requests.Thread]scheduling), pending: make(map[requests.Thread]struct{}), programs: make(map[[2]uint64]scheduling),
	}
}

// run judges whom it is asked for until stop.
func (j *threadJudge) run() {
	defer close(j.done)
	for t := range j.ask {
		j.note(t, j.judge(t))
	}
}

// stop ends the goroutine, or leaves it behind when it is stuck.
func (j *threadJudge) stop() { close(j.ask) }

// serves is a requests.Config.Serves: it has a new thread judged.
func (j *threadJudge) serves(t requests.Thread) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.recent[t]; known {
		return
	}
	if _, asked := j.pending[t]; asked {
		return
	}
	if verdict, known := j.before[t]; known {
		j.keep(t, verdict)
		return
	}
	j.start.Do(func() { go j.run() })
	select {
	case j.ask <- t:
		j.pending[t], j.pending[requests.Thread{Process: t.Process}] = struct{}{}, struct{}{}
	default: // too many; the next request will ask again
	}
}

// of tells what runs a thread's work; of a thread that nobody has asked about,
// only whether goroutines do. While that is being found out, pending is true.
func (j *threadJudge) of(t requests.Thread) (verdict scheduling, pending bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, t := range []requests.Thread{t, {Process: t.Process}} {
		if _, pending = j.pending[t]; pending {
			return unknown, true
		}
		if verdict = j.known(t); verdict != unknown {
			return verdict, false
		}
	}
	return unknown, false
}

func (j *threadJudge) known(t requests.Thread) scheduling {
	if verdict := j.recent[t]; verdict != unknown {
		return verdict
	}
	return j.before[t]
}

// parent is the context of the request for which another one was certainly made.
func (j *threadJudge) parent(ex *exchange.Exchange) exchange.Context {
	switch verdict, _ := j.of(requests.Thread{Process: ex.Owner, TID: ex.TID}); verdict {
	case sequential:
		return ex.Parent
	case goroutines:
		return ex.FiberParent
	case unknown, scheduled:
	}
	return exchange.Context{}
}

func (j *threadJudge) note(t requests.Thread, verdict scheduling) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.pending, t)
	delete(j.pending, requests.Thread{Process: t.Process})
	j.keep(t, verdict)
}

// keep remembers a verdict; that goroutines do the work goes for all threads of
// a process.
func (j *threadJudge) keep(t requests.Thread, verdict scheduling) {
	if len(j.recent) >= maxJudged {
		j.recent, j.before = make(map[requests.Thread]scheduling), j.recent
	}
	j.recent[t] = verdict
	if verdict == goroutines {
		j.recent[requests.Thread{Process: t.Process}] = verdict
	}
}

func (j *threadJudge) judge(t requests.Thread) scheduling {
	dir := filepath.Join(j.proc, strconv.FormatUint(uint64(t.Process.TGID), 10))
	program := j.program(filepath.Join(dir, "exe"))
	if program != sequential {
		return program
	}
	names := []string{strconv.FormatUint(uint64(t.TID), 10)}
	if _, err := os.Stat(filepath.Join(dir, "task", names[0])); err != nil {
		names = tasks(dir) // the thread has ended: none of the others may be a scheduler
	}
	for _, name := range names {
		if isScheduler(filepath.Join(dir, "task", name, "comm")) {
			return scheduled
		}
	}
	if len(names) == 0 {
		return scheduled
	}
	return sequential
}

// tasks lists threads of a process.
func tasks(dir string) []string {
	f, err := os.Open(filepath.Join(dir, "task"))
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(maxTasks)
	return names
}

// isScheduler judges by a thread's name; one that is gone is none.
func isScheduler(file string) bool {
	comm, _ := os.ReadFile(file)
	for _, prefix := range schedulers {
		if strings.HasPrefix(string(comm), prefix) {
			return true
		}
	}
	return false
}

// program tells what runs a program's work as far as its file says: Go brings
// goroutines. What cannot be read may bring anything.
func (j *threadJudge) program(exe string) scheduling {
	f, err := os.Open(exe)
	if err != nil {
		return scheduled
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return scheduled
	}
	id := [2]uint64{st.Dev, st.Ino}
	verdict, known := j.programs[id]
	if !known {
		verdict = read(f)
		if len(j.programs) >= maxPrograms {
			clear(j.programs)
		}
		j.programs[id] = verdict
	}
	return verdict
}

// goSections are sections that only Go's linker writes.
var goSections = []string{".go.buildinfo", ".note.go.buildid", ".gopclntab"}

// read judges a program by its file.
func read(f *os.File) scheduling {
	file, err := elf.NewFile(f)
	if err != nil {
		return scheduled
	}
	if !slices.ContainsFunc(goSections, func(name string) bool { return file.Section(name) != nil }) {
		return sequential
	}
	info, err := buildinfo.Read(f)
	if err != nil || !version.IsValid(info.GoVersion) || version.Compare(info.GoVersion, goroutineVersion) < 0 {
		return scheduled
	}
	return goroutines
}
