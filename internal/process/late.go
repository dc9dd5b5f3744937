package process

// maxLate bounds the environments that are waited for.
const maxLate = 64

// late is an environment that was not read in time: on a busy machine the process may
// hold its memory while others run, most of all when it has just begun.
type late struct {
	key      Key
	executed uint64  // when the program began whose it is
	reading  *memory // nil: too many were being read
}

// await notes that the environment of a process was not read, if it may yet be.
func (r *procReader) await(k Key, executed uint64) {
	if r.memory.unread && len(r.late) < maxLate {
		r.late = append(r.late, late{key: k, executed: executed, reading: r.memory.slow})
	}
	r.memory.unread, r.memory.slow = false, nil
}

// Learn takes note of the environments that have been read meanwhile. Call it now and
// then, in Apply's goroutine.
func (t *Table) Learn() {
	if len(t.proc.late) == 0 {
		return
	}
	kept := t.proc.late[:0]
	for _, l := range t.proc.late {
		if t.learn(&l) {
			kept = append(kept, l)
		}
	}
	clear(t.proc.late[len(kept):])
	t.proc.late = kept
}

// learn reports whether an environment is still to come.
func (t *Table) learn(l *late) bool {
	e := t.entries[l.key]
	wanted := e != nil && e.p.Executed == l.executed
	if l.reading == nil {
		if wanted = wanted && e.p.Alive(); wanted {
			l.reading = t.proc.memory.begin(t.proc.environment(l.key), maxEnviron)
		}
		return wanted
	}
	select {
	case <-l.reading.done:
	default:
		return true
	}
	if wanted && l.reading.ok {
		t.tellEnvironment(e, l.reading.raw)
	}
	t.proc.memory.free.Put(l.reading)
	return false
}

// tellEnvironment gives a process its environment, and the children that run its
// program what they have of it.
func (t *Table) tellEnvironment(e *entry, env []byte) {
	before, p := e.p, *e.p
	p.setEnvironment(env)
	if t.keepEnv.Load() && p.Env == nil {
		p.Env = splitArgs(env[:min(len(env), maxArgs)])
	}
	t.replace(e, &p)
	for _, child := range t.entries {
		if child.parent != e || child.p.Executed != 0 || child.p.Seeded || child.p.Service != before.Service {
			continue
		}
		c := *child.p
		c.Service, c.LoadsSDK = p.Service, p.LoadsSDK
		t.replace(child, &c)
	}
}
