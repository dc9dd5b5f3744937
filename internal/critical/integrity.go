package critical

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of watching.
const (
	settleTime   = 500 * time.Millisecond // after the last deed, for the next one of the same edit
	authorsKept  = time.Minute            // how long a later change is put down to who touched the file
	maxAuthors   = 4                      // of one change
	maxDeeds     = 256                    // that wait to be looked at
	hashedAtOnce = 16 << 20               // bytes that are read between two full looks
)

// Change is what became of a file.
type Change struct {
	Path          string // below the host's root
	Kinds         []string
	Before, After State
}

// Integrity tells what becomes of the critical files, and who did it: A is
// whatever the caller knows of a deed. It compares each file with its last
// known state half a second after somebody has worked on it, and all of them
// now and then: what was changed without a deed that was seen is told too.
//
//	Touched(path, A) ─> settle ─> stat, hash ─> told(Change, []A)
//	every 10 s: all files ──────────────────────┘
//
// Reading files is bounded in bytes and by their size, and goes on in a thread
// of its own.
type Integrity[A any] struct {
	root    string
	told    func(Change, []A)
	same    func(a, b A) bool
	deeds   chan deed[A]
	dropped atomic.Uint64
	thread  atomic.Int64

	states  map[string]*State // by path below the root
	authors map[string]*authors[A]
	budget  int64
	first   bool
}

type deed[A any] struct {
	path string
	by   A
	at   time.Time
}

// authors are those who have touched a file since it was last the same.
type authors[A any] struct {
	by      []A
	last    time.Time
	waiting bool // for the look that follows the last deed
	told    bool // by is known of a change that was told; who comes now is about another
}

// NewIntegrity watches the files below a root that is seen at a path, "/" on
// the host, once Run is called. told is called by Run's goroutine; without
// authors nobody was seen. It may get the same authors again, who have written on.
// same tells whether two deeds are of one process, of which the last counts.
func NewIntegrity[A any](root string, same func(a, b A) bool, told func(c Change, by []A)) *Integrity[A] {
	return &Integrity[A]{
		root: root, told: told, same: same, deeds: make(chan deed[A], maxDeeds),
		states: make(map[string]*State), authors: make(map[string]*authors[A]), first: true,
	}
}

// Touched notes that somebody may have changed a file. It does not wait: what
// is too much is counted, and found by the next look at all files. Safe for
// concurrent use.
func (g *Integrity[A]) Touched(path string, by A) {
	select {
	case g.deeds <- deed[A]{path, by, time.Now()}:
	default:
		g.dropped.Add(1)
	}
}

// Dropped is how many deeds were too many.
func (g *Integrity[A]) Dropped() uint64 { return g.dropped.Load() }

// Reads reports whether a thread is the one that reads files here.
func (g *Integrity[A]) Reads(tid uint32) bool { return g.thread.Load() == int64(tid) }

// Run watches until quit is closed, and then looks once more at what was
// touched.
func (g *Integrity[A]) Run(quit <-chan struct{}) {
	runtime.LockOSThread() // its reads are told from everything else the agent does
	defer runtime.UnlockOSThread()
	g.thread.Store(int64(unix.Gettid()))
	defer g.thread.Store(0)
	all := time.NewTicker(interval)
	defer all.Stop()
	var settle <-chan time.Time
	g.look(time.Now())
	for {
		select {
		case d := <-g.deeds:
			g.note(d)
			if settle == nil {
				settle = time.After(settleTime)
			}
		case <-settle:
			settle = nil
			if g.settle(time.Now()) {
				settle = time.After(settleTime)
			}
		case <-all.C:
			g.look(time.Now())
		case <-quit:
			g.finish()
			return
		}
	}
}

// finish looks at everything that was touched.
func (g *Integrity[A]) finish() {
	for len(g.deeds) > 0 {
		g.note(<-g.deeds)
	}
	g.settle(time.Now().Add(settleTime))
}

func (g *Integrity[A]) note(d deed[A]) {
	a := g.authors[d.path]
	if a == nil {
		if len(g.authors) >= maxFiles {
			return // the next look finds the change
		}
		a = &authors[A]{}
		g.authors[d.path] = a
	}
	if a.told || d.at.Sub(a.last) > authorsKept {
		a.by, a.told = nil, false
	}
	a.by = slices.DeleteFunc(a.by, func(by A) bool { return g.same(by, d.by) })
	if len(a.by) == maxAuthors {
		a.by = slices.Delete(a.by, 1, 2) // the first and the last ones say most
	}
	a.by, a.last, a.waiting = append(a.by, d.by), d.at, true
}

// settle compares the files that nobody has touched for a while. It reports
// whether others wait.
func (g *Integrity[A]) settle(now time.Time) (more bool) {
	for path, a := range g.authors {
		switch {
		case !a.waiting:
		case now.Sub(a.last) < settleTime:
			more = true
		default:
			a.waiting = false
			g.compare(path)
		}
	}
	return more
}

// look compares all files. The first time there is nothing to compare with.
func (g *Integrity[A]) look(now time.Time) {
	g.budget = hashedAtOnce
	for path, a := range g.authors {
		if !a.waiting && now.Sub(a.last) > authorsKept {
			delete(g.authors, path)
		}
	}
	seen := make(map[string]bool, len(g.states))
	for _, pattern := range patterns {
		found, _ := filepath.Glob(filepath.Join(g.root, pattern)) // the test finds patterns that are none
		for _, path := range found {
			if rel, err := filepath.Rel(g.root, path); err == nil && len(seen) < maxFiles {
				seen[filepath.Join("/", rel)] = true
			}
		}
	}
	for path := range g.states {
		seen[path] = true
	}
	for path := range seen {
		if a := g.authors[path]; a == nil || !a.waiting {
			g.compare(path)
		}
	}
	g.first = false
}

// compare tells of a file if it has changed.
func (g *Integrity[A]) compare(path string) {
	full := filepath.Join(g.root, path)
	before, known := g.states[path]
	if !known {
		before = &State{}
	}
	after := look(full)
	if after.Mode&unix.S_IFMT == unix.S_IFDIR || known && after.same(before) {
		return
	}
	if g.budget > 0 {
		g.budget -= after.read(full)
	}
	if after.Exists {
		g.states[path] = &after
	} else {
		delete(g.states, path)
	}
	what := kinds(before, &after)
	if g.first || len(what) == 0 {
		return
	}
	var by []A
	if a := g.authors[path]; a != nil {
		by, a.told = a.by, true // more of it may come
	}
	g.told(Change{Path: path, Kinds: what, Before: *before, After: after}, by)
}

// Watched reports whether a path, below the host's root, is that of a critical
// file, be there one or not.
func Watched(path string) bool {
	if !slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(path, b) }) {
		return false
	}
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := filepath.Match(p, path)
		return ok
	})
}

// Beginnings are texts with one of which every critical path begins, sorted.
func Beginnings() []string { return beginnings }

var beginnings = func() []string {
	var out []string
	for _, p := range patterns {
		begin, _, _ := strings.Cut(p, "*")
		out = append(out, begin)
	}
	slices.Sort(out)
	kept := out[:0]
	for _, b := range out {
		if len(kept) == 0 || !strings.HasPrefix(b, kept[len(kept)-1]) {
			kept = append(kept, b)
		}
	}
	return kept
}()
