package critical

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// Bounds of watching.
const (
	settleTime   = 500 * time.Millisecond // after the last deed, for the next one of the same edit
	longest      = 5 * time.Second        // that deeds put a look off which do not end
	deedKept     = 100 * time.Millisecond // how long a deed stands for the same one again
	authorsKept  = time.Minute            // how long a later change is put down to who touched the file
	maxAuthors   = 4                      // of one change
	hashedAtOnce = 16 << 20               // bytes that are read between two full looks
)

// Author tells deeds apart. Of those of one process the last counts.
type Author struct {
	Process event.ProcessKey
	Image   uint64 // tells the programs that a process has been apart
	Call    uint16 // tells the calls apart
}

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
//	Touched(path, Author, A) ─> settle ─> stat, hash ─> told(Change, []A)
//	every 10 s: all files ──────────────────────────────┘
//
// Reading files is bounded in bytes and by their size, and goes on in a thread
// of its own.
type Integrity[A any] struct {
	root    string
	told    func(Change, []A)
	touched chan struct{} // that files wait to be looked at
	dropped atomic.Uint64
	thread  atomic.Int64

	states map[string]*State // by path below the root
	budget int64
	first  bool

	mu      sync.Mutex
	authors map[string]*authors[A]
}

type deed[A any] struct {
	by Author
	is A
	at time.Time // when is was made
}

// authors are those who have touched a file since it was last the same.
type authors[A any] struct {
	deeds   []deed[A]
	since   time.Time // the first deed that waits
	last    time.Time
	waiting bool // for the look that follows the last deed
	told    bool // deeds are known of a change that was told; who comes now is about another
}

// NewIntegrity watches the files below a root that is seen at a path, "/" on
// the host, once Run is called. told is called by Run's goroutine; without
// authors nobody was seen. It may get the same authors again, who have written on.
func NewIntegrity[A any](root string, told func(c Change, by []A)) *Integrity[A] {
	return &Integrity[A]{
		root: root, told: told, touched: make(chan struct{}, 1),
		states: make(map[string]*State), authors: make(map[string]*authors[A]), first: true,
	}
}

// Touched notes that somebody may have changed a file. what makes what is known
// of the deed; it is not called while the same deed is known, as that of a program
// that writes a file again and again. Touched does not wait. What is too much is
// counted, and found by the next look at all files. Safe for concurrent use.
func (g *Integrity[A]) Touched(path string, by Author, what func() A) {
	g.note(path, by, time.Now(), what)
	select {
	case g.touched <- struct{}{}:
	default: // Run has it to come
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
	touched := g.touched // nil while settle is not: a timer runs
	var settle <-chan time.Time
	g.look(time.Now())
	for {
		select {
		case <-touched:
			touched, settle = nil, time.After(settleTime)
		case <-settle:
			touched, settle = g.touched, nil
			if g.settle(time.Now()) {
				touched, settle = nil, time.After(settleTime)
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
func (g *Integrity[A]) finish() { g.settle(time.Now().Add(settleTime)) }

func (g *Integrity[A]) note(path string, by Author, now time.Time, what func() A) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.authors[path]
	if a == nil {
		if len(g.authors) >= maxFiles {
			g.dropped.Add(1)
			return // the next look finds the change
		}
		a = &authors[A]{}
		g.authors[path] = a
	}
	if a.told || now.Sub(a.last) > authorsKept {
		a.deeds, a.told = nil, false
	}
	if !a.waiting {
		a.waiting, a.since = true, now
	}
	a.last = now
	a.add(by, now, what)
}

// add puts a deed behind the others, in place of the one of the same process.
func (a *authors[A]) add(by Author, now time.Time, what func() A) {
	d := deed[A]{by: by}
	if i := slices.IndexFunc(a.deeds, func(d deed[A]) bool { return d.by.Process == by.Process }); i >= 0 {
		d = a.deeds[i]
		a.deeds = slices.Delete(a.deeds, i, i+1)
	}
	if d.by != by || d.at.IsZero() || now.Sub(d.at) > deedKept {
		d = deed[A]{by, what(), now}
	}
	if len(a.deeds) == maxAuthors {
		a.deeds = slices.Delete(a.deeds, 1, 2) // the first and the last ones say most
	}
	a.deeds = append(a.deeds, d)
}

// settle compares the files that nobody has touched for a while, or that have
// been touched for too long. It reports whether others wait.
func (g *Integrity[A]) settle(now time.Time) (more bool) {
	due, more := g.due(now)
	for _, path := range due {
		g.compare(path)
	}
	return more
}

func (g *Integrity[A]) due(now time.Time) (due []string, more bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for path, a := range g.authors {
		switch {
		case !a.waiting:
		case now.Sub(a.last) < settleTime && now.Sub(a.since) < longest:
			more = true
		default:
			a.waiting = false
			due = append(due, path)
		}
	}
	return due, more
}

// others takes out of the paths those that wait to settle, and forgets authors
// of long ago.
func (g *Integrity[A]) others(paths map[string]bool, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for path, a := range g.authors {
		switch {
		case a.waiting:
			delete(paths, path)
		case now.Sub(a.last) > authorsKept:
			delete(g.authors, path)
		}
	}
}

// by is who has touched a file. It is about this change from now on.
func (g *Integrity[A]) by(path string) []A {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.authors[path]
	if a == nil {
		return nil
	}
	a.told = true // more of it may come
	var by []A
	for i := range a.deeds {
		by = append(by, a.deeds[i].is)
	}
	return by
}

// look compares all files. The first time there is nothing to compare with.
func (g *Integrity[A]) look(now time.Time) {
	g.budget = hashedAtOnce
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
	g.others(seen, now)
	for path := range seen {
		g.compare(path)
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
	g.told(Change{Path: path, Kinds: what, Before: *before, After: after}, g.by(path))
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
