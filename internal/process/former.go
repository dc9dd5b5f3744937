package process

import "time"

// A shell forks a child that redirects its output and executes another program,
// all in a millisecond; who evaluates what the child did asks a moment later for
// the program that did it. So long are programs kept that processes were before
// their last exec, and so many of all processes.
const (
	keepFormers = uint64(2 * time.Second)
	maxFormers  = 1024
)

// former is a place in the order in which programs were left.
type former struct {
	e    *entry
	left uint64
}

// Image returns what the process was n execs ago; n 0 is what it is. Programs
// that it left a while ago are forgotten.
func (t *Table) Image(k Key, n int) (*Process, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.entries[k]
	if !ok || n < 0 || n > len(e.formers) {
		return nil, false
	}
	if n == 0 {
		return e.p, true
	}
	return e.formers[len(e.formers)-n], true
}

// leaveProgram keeps what a process is before it becomes another program. The
// caller holds mu.
func (t *Table) leaveProgram(e *entry, now uint64) {
	e.formers = append(e.formers, e.p)
	t.formers.PushBack(former{e, now})
	t.forget(now)
}

// forget drops the programs that were left long ago, and more when there are too
// many. The caller holds mu.
func (t *Table) forget(now uint64) {
	for el := t.formers.Front(); el != nil; el = t.formers.Front() {
		f := el.Value.(former)
		if t.formers.Len() <= maxFormers && f.left+keepFormers > now {
			return
		}
		t.formers.Remove(el)
		f.e.formers[0] = nil
		if f.e.formers = f.e.formers[1:]; len(f.e.formers) == 0 {
			f.e.formers = nil
		}
	}
}
