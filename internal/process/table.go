package process

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Table. The zero value has usable defaults.
type Options struct {
	// Proc is a proc file system with the host's pids. Default "/proc".
	Proc string
	// Max bounds the number of processes, ended ones included. Default 32768.
	Max int
	// Keep is how long an ended process stays. Default 60 s.
	Keep time.Duration
}

// MaxAncestors bounds every walk up the ancestry.
const MaxAncestors = 64

// Stats are counts since the Table was made, and its present size.
type Stats struct {
	Alive, Ended int
	Evicted      uint64 // dropped before their time because of Options.Max
	Repaired     uint64 // first seen by something else than their fork
	MissedExits  uint64 // ended by a reuse of their pid
}

// Table holds the processes. Apply may be called by one goroutine at a time;
// all other methods by any.
type Table struct {
	proc procReader
	max  int
	keep uint64 // ns

	mu      sync.RWMutex // guards everything below against readers; Apply's goroutine is the only writer
	entries map[Key]*entry
	byPID   map[uint32]*entry // the youngest process of each pid
	byVPID  map[vpid]*entry   // the same in the pid namespaces that are not the host's
	live    *list.List        // of *entry, first seen first
	ended   *list.List        // of *entry, first ended first
	pinned  *list.List        // of *entry: their time is over, but descendants live
	orphans map[Key]family    // by the parent that is not known, or would make a loop
	formers *list.List        // of former, first left first

	keepEnv     atomic.Bool
	lookAgain   atomic.Bool // working directories may have changed unseen
	alive       atomic.Int64
	evicted     atomic.Uint64
	repaired    atomic.Uint64
	missedExits atomic.Uint64
}

// entry is one process in the table.
type entry struct {
	p       *Process
	formers []*Process // what it was before its last execs, the last one last
	parent  *entry
	refs    int // entries whose parent this is
	in      *list.List
	elem    *list.Element
	gone    bool

	envRead bool // once, be it there or not; only Apply's goroutine asks
	waits   Key  // the parent below which it is among the orphans
}

// family are the entries that wait for one parent.
type family map[*entry]struct{}

// New returns an empty table.
func New(opts Options) *Table {
	if opts.Proc == "" {
		opts.Proc = "/proc"
	}
	if opts.Max <= 0 {
		opts.Max = 32768
	}
	if opts.Keep <= 0 {
		opts.Keep = time.Minute
	}
	return &Table{
		proc:    procReader{root: opts.Proc},
		max:     opts.Max,
		keep:    uint64(opts.Keep),
		entries: make(map[Key]*entry),
		byPID:   make(map[uint32]*entry),
		byVPID:  make(map[vpid]*entry),
		live:    list.New(),
		ended:   list.New(),
		pinned:  list.New(),
		orphans: make(map[Key]family),
		formers: list.New(),
	}
}

// Lookup returns a process that lives or has ended recently.
func (t *Table) Lookup(k Key) (*Process, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e, ok := t.entries[k]; ok {
		return e.p, true
	}
	return nil, false
}

// LookupPID returns the youngest process with a thread group id.
func (t *Table) LookupPID(tgid uint32) (*Process, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e, ok := t.byPID[tgid]; ok {
		return e.p, true
	}
	return nil, false
}

// vpid is a pid of a pid namespace, by the namespace's inode.
type vpid struct{ namespace, pid uint32 }

// hostPIDs is the inode of the pid namespace that the machine starts with, the
// same on every kernel.
const hostPIDs = 0xEFFFFFFC

// LookupVPID returns the youngest process with a thread group id of its own pid
// namespace.
func (t *Table) LookupVPID(namespace, pid uint32) (*Process, bool) {
	if namespace == hostPIDs {
		return t.LookupPID(pid)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if e, ok := t.byVPID[vpid{namespace, pid}]; ok {
		return e.p, true
	}
	return nil, false
}

// Ancestor returns the process n steps above k; n 0 is k itself. It does not
// allocate.
func (t *Table) Ancestor(k Key, n int) (*Process, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e := t.entries[k]
	for range min(max(n, 0), MaxAncestors) {
		if e == nil {
			break
		}
		e = e.parent
	}
	if e == nil || n < 0 || n > MaxAncestors {
		return nil, false
	}
	return e.p, true
}

// AppendAncestors appends the ancestors of k, the parent first, at most n and
// at most MaxAncestors.
func (t *Table) AppendAncestors(dst []*Process, k Key, n int) []*Process {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.entries[k]
	if !ok {
		return dst
	}
	e = e.parent
	for range min(n, MaxAncestors) {
		if e == nil {
			break
		}
		dst = append(dst, e.p)
		e = e.parent
	}
	return dst
}

// Range calls f for each process, in no order, until it returns false. f must
// not call the table.
func (t *Table) Range(f func(*Process) bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, e := range t.entries {
		if !f(e.p) {
			return
		}
	}
}

// Stats returns the counters.
func (t *Table) Stats() Stats {
	t.mu.RLock()
	total := len(t.entries)
	t.mu.RUnlock()
	alive := int(t.alive.Load())
	return Stats{
		Alive: alive, Ended: total - alive,
		Evicted: t.evicted.Load(), Repaired: t.repaired.Load(), MissedExits: t.missedExits.Load(),
	}
}

// insert adds a process. The caller holds mu.
func (t *Table) insert(p *Process, now uint64) *entry {
	t.expire(now)
	t.makeRoom()
	if old, ok := t.byPID[p.Key.TGID]; ok && old.p.Alive() && old.p.Key.Start < p.Key.Start {
		t.missedExits.Add(1)
		t.end(old, now, nil)
	}
	e := &entry{p: p}
	t.entries[p.Key] = e
	if old, ok := t.byPID[p.Key.TGID]; !ok || old.p.Key.Start <= p.Key.Start {
		t.byPID[p.Key.TGID] = e
	}
	if p.PIDNS != hostPIDs && p.VPID != 0 {
		t.byVPID[vpid{p.PIDNS, p.VPID}] = e
	}
	t.place(e, t.live)
	t.alive.Add(1)
	t.adopt(e)
	t.adoptChildren(e)
	return e
}

// adopt links an entry to its parent's, if that is known by now; else it waits
// among the orphans.
func (t *Table) adopt(e *entry) {
	t.leave(e)
	if e.parent != nil || e.p.Parent == (Key{}) || e.p.Parent == e.p.Key {
		return
	}
	parent, ok := t.entries[e.p.Parent]
	if !ok || e.refs > 0 && descends(parent, e) {
		t.await(e)
		return
	}
	e.parent = parent
	parent.refs++
}

// adoptChildren links the processes that were seen before their parent.
func (t *Table) adoptChildren(parent *entry) {
	for e := range t.orphans[parent.p.Key] {
		t.adopt(e)
	}
}

// await puts an entry among the orphans.
func (t *Table) await(e *entry) {
	e.waits = e.p.Parent
	f := t.orphans[e.waits]
	if f == nil {
		f = make(family)
		t.orphans[e.waits] = f
	}
	f[e] = struct{}{}
}

// leave takes an entry out of the orphans, if it is one.
func (t *Table) leave(e *entry) {
	if e.waits == (Key{}) {
		return
	}
	f := t.orphans[e.waits]
	if delete(f, e); len(f) == 0 {
		delete(t.orphans, e.waits)
	}
	e.waits = Key{}
}

// Link connects the processes that became known before their parents did. Call
// it after the last seed; Apply's goroutine only.
func (t *Table) Link() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.entries {
		t.adopt(e)
	}
}

// descends guards the ancestry against loops, which contradictory events could
// make.
func descends(e, from *entry) bool {
	for ; e != nil; e = e.parent {
		if e == from {
			return true
		}
	}
	return false
}

func (t *Table) place(e *entry, in *list.List) {
	if e.in != nil {
		e.in.Remove(e.elem)
	}
	e.in, e.elem = in, nil
	if in != nil {
		e.elem = in.PushBack(e)
	}
}

// expire drops the ended processes and the former programs whose time is over. The caller holds mu.
func (t *Table) expire(now uint64) {
	t.forget(now)
	for el := t.ended.Front(); el != nil; el = t.ended.Front() {
		e := el.Value.(*entry)
		if e.p.Ended+t.keep > now {
			return
		}
		if e.refs > 0 {
			t.place(e, t.pinned)
			continue
		}
		t.remove(e)
	}
}

// makeRoom drops processes before their time when the table is full: those
// that ended first, in the end even living ones. The caller holds mu.
func (t *Table) makeRoom() {
	for len(t.entries) >= t.max {
		for _, l := range []*list.List{t.pinned, t.ended, t.live} {
			if el := l.Front(); el != nil {
				t.evicted.Add(1)
				t.remove(el.Value.(*entry))
				break
			}
		}
	}
}

// remove takes an entry out of the table and lets go of its ancestors, as far
// as nothing else holds them.
func (t *Table) remove(e *entry) {
	for e != nil && !e.gone {
		if e.p.Alive() {
			t.alive.Add(-1)
		}
		e.gone = true
		t.place(e, nil)
		t.leave(e)
		delete(t.entries, e.p.Key)
		if t.byPID[e.p.Key.TGID] == e {
			delete(t.byPID, e.p.Key.TGID)
		}
		if inside := (vpid{e.p.PIDNS, e.p.VPID}); t.byVPID[inside] == e {
			delete(t.byVPID, inside)
		}
		parent := e.parent
		e.parent = nil // a descendant that still points here must not hold the whole line
		if parent == nil {
			return
		}
		parent.refs--
		if parent.refs > 0 || parent.in != t.pinned {
			return
		}
		e = parent
	}
}
