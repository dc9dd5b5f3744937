//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
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

// goSections are sections that only Go's linker writes.
var goSections = []string{".go.buildinfo", ".note.go.buildid", ".gopclntab"}

// threadJudge tells which threads run one piece of code to its end, so that what
// they send while they serve a request is sent for that request. It looks at a
// thread in a goroutine of its own, since a program's file may lie on a disk
// that does not answer.
type threadJudge struct {
	proc string
	ask  chan requests.Thread
	done chan struct{} // closed when run has ended

	start sync.Once // at the first question

	mu             sync.Mutex
	recent, before map[requests.Thread]bool
	pending        map[requests.Thread]struct{}
	programs       map[[2]uint64]bool // by device and inode; the goroutine's alone
}

func newThreadJudge(proc string) *threadJudge {
	return &threadJudge{
		proc: proc, ask: make(chan requests.Thread, judgingQueue), done: make(chan struct{}),
		recent: make(map[requests.Thread]bool), pending: make(map[requests.Thread]struct{}), programs: make(map[[2]uint64]bool),
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
		j.pending[t] = struct{}{}
	default: // too many; the next request will ask again
	}
}

// sequential tells whether a thread runs one piece of code to its end. While
// that is being found out, pending is true.
func (j *threadJudge) sequential(t requests.Thread) (verdict, pending bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, pending = j.pending[t]; pending {
		return false, true
	}
	verdict, known := j.recent[t]
	if !known {
		verdict = j.before[t]
	}
	return verdict, false
}

func (j *threadJudge) note(t requests.Thread, verdict bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.pending, t)
	j.keep(t, verdict)
}

func (j *threadJudge) keep(t requests.Thread, verdict bool) {
	if len(j.recent) >= maxJudged {
		j.recent, j.before = make(map[requests.Thread]bool), j.recent
	}
	j.recent[t] = verdict
}

func (j *threadJudge) judge(t requests.Thread) bool {
	dir := filepath.Join(j.proc, strconv.FormatUint(uint64(t.Process.TGID), 10))
	names := []string{strconv.FormatUint(uint64(t.TID), 10)}
	if _, err := os.Stat(filepath.Join(dir, "task", names[0])); err != nil {
		names = tasks(dir) // the thread has ended: none of the others may be a scheduler
	}
	for _, name := range names {
		if isScheduler(filepath.Join(dir, "task", name, "comm")) {
			return false
		}
	}
	return len(names) > 0 && !j.hasScheduler(filepath.Join(dir, "exe"))
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

// hasScheduler tells whether a program brings a scheduler of its own: whether it
// is written in Go. What cannot be read may be.
func (j *threadJudge) hasScheduler(exe string) bool {
	f, err := os.Open(exe)
	if err != nil {
		return true
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return true
	}
	id := [2]uint64{st.Dev, st.Ino}
	is, known := j.programs[id]
	if !known {
		is = isGo(f)
		if len(j.programs) >= maxPrograms {
			clear(j.programs)
		}
		j.programs[id] = is
	}
	return is
}

func isGo(f *os.File) bool {
	file, err := elf.NewFile(f)
	if err != nil {
		return true
	}
	for _, name := range goSections {
		if file.Section(name) != nil {
			return true
		}
	}
	return false
}
