// Package acts tells which matches of rules are steps of one act, so that the act
// is told once: docs/adr/0013-one-detection-per-act.md.
//
//	match + who did it -> Acts.Step -> a detection, a step of one, or nothing
package acts

import (
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/rules"
	"github.com/sightglass/sightglass/internal/process"
)

// Several rules see one act from several sides: a reverse shell is a shell that
// connects, a connection that becomes the standard input, and an interactive
// shell without a terminal. Rules say so by a tag that they share.
const tagPrefix = "act_"

const (
	// pauses is how long nothing may happen until an act is over, and lasts
	// how long it is told once, in the time of the events.
	pauses, lasts = 10 * time.Second, 5 * time.Minute
	// maxActs bounds the memory of acts. Beyond it, every match is told.
	maxActs = 4096
	// maxSteps is how many further steps of an act get a record; the others are
	// counted.
	maxSteps = 32
)

// Acts remembers which acts were told, and by whom they were done. Only matches
// ask it. It is safe for concurrent use.
type Acts struct {
	mu   sync.Mutex
	told map[doing]*act

	// lookup finds a process that lives or has ended recently.
	lookup func(process.Key) (*process.Process, bool)
}

// doing is an act and who does it: a process and all that it starts or, with a
// group, what a shell runs at the same time in one process group, a pipeline; or,
// with a root and nobody, the programs of a directory that run with that as their
// root.
type doing struct {
	tag, host string
	who       process.Key
	group     uint32
	root      string
	rootNS    uint32
}

// tagProgram is the act of running a program from where none belongs. Who builds a
// system in a directory runs hundreds from there, each by a chroot of its own.
const tagProgram = tagPrefix + "program"

// rootOf is the directory in which a process has its root, if its program lies
// there, too: not one from memory or from outside.
func rootOf(p *process.Process) (path string, mountNS uint32) {
	if p == nil || p.Root == "" || !strings.HasPrefix(p.Path, p.Root+"/") {
		return "", 0
	}
	return p.Root, p.RootNS
}

// act is one that was told.
type act struct {
	who      process.Key
	rule     string
	priority rules.Priority
	at, last int64 // when it was told and when its last step was, ns since 1970
	steps    int
	silent   bool // the rate limit kept what should have told it
}

// New makes a memory of acts that asks the process table of this program's
// receiver, if one runs.
func New() *Acts {
	return &Acts{told: map[doing]*act{}, lookup: func(k process.Key) (*process.Process, bool) {
		if table := process.Shared(); table != nil {
			return table.Lookup(k)
		}
		return nil, false
	}}
}

// About reports whether a rule is about an act.
func About(r *policy.Rule) bool { return len(tagsOf(r)) > 0 }

// tagsOf are the names of the acts that a rule is about.
func tagsOf(r *policy.Rule) []string {
	var tags []string
	for _, tag := range r.Tags {
		if strings.HasPrefix(tag, tagPrefix) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// Verdict is what becomes of a match.
type Verdict uint8

// What can become of it.
const (
	Told       Verdict = iota // a detection
	Suppressed                // the rate limit keeps it
	Step                      // a record of a step
	Follows                   // a step that is only counted
)

// Step decides about the match of a rule at a time of the event. A further step of
// an act that was told by a rule at least as severe is none of its own; first is
// the name of that rule. Any other match is told, and remembered, if the rate limit
// allows it. What it keeps takes the lesser steps along; and what is worse than
// what was told of the act is told in any case: else only the lesser part of an act
// would leave. kin are the acting process and those above it, the nearest first.
// allow asks the rate limit, or, for what must be told, tells it.
func (a *Acts) Step(r *policy.Rule, host string, at int64, kin iter.Seq[*process.Process], allow func(must bool) bool) (first string, v Verdict) {
	var tags []string
	if a != nil {
		tags = tagsOf(r)
	}
	if len(tags) == 0 {
		return "", toldIf(allow(false))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.find(tags, host, at, kin)
	if before == nil {
		before = a.inRoot(r, tags, host, at, kin)
	}
	if before != nil && before.priority <= r.Priority {
		before.steps++
		before.last = max(before.last, at)
		if before.silent || before.steps > maxSteps {
			return before.rule, Follows
		}
		return before.rule, Step
	}
	told := allow(before != nil && !before.silent)
	if before != nil { // worse than what was told: it speaks for the act from now on
		before.rule, before.priority, before.at, before.last, before.silent = r.Name, r.Priority, at, at, !told
	}
	a.remember(host, &act{rule: r.Name, priority: r.Priority, at: at, last: at, silent: !told}, tags, kin)
	return "", toldIf(told)
}

func toldIf(allowed bool) Verdict {
	if allowed {
		return Told
	}
	return Suppressed
}

// find returns the most severe act that one of the processes is known for.
func (a *Acts) find(tags []string, host string, at int64, kin iter.Seq[*process.Process]) *act {
	var worst *act
	try := func(who process.Key, group uint32, belongs func(*act) bool) {
		for _, tag := range tags {
			if t := a.told[doing{tag: tag, host: host, who: who, group: group}]; t != nil && !t.isOver(at) && (worst == nil || t.priority < worst.priority) && belongs(t) {
				worst = t
			}
		}
	}
	var below *process.Process
	for p := range kin {
		commanded := below != nil && isShell(p)
		// What somebody types into a shell is one act after the other.
		try(p.Key, 0, func(*act) bool { return !commanded || p.TTY == 0 })
		if commanded && below.PGID != 0 {
			try(p.Key, below.PGID, func(t *act) bool { return a.besides(t.who, below) })
		}
		below = p
	}
	return worst
}

// inRoot returns the act of a rule that was told of another program of the same
// root directory. Any other rule tells its own.
func (a *Acts) inRoot(r *policy.Rule, tags []string, host string, at int64, kin iter.Seq[*process.Process]) *act {
	root, ns := rootOf(actor(kin))
	if root == "" || !slices.Contains(tags, tagProgram) {
		return nil
	}
	t := a.told[doing{tag: tagProgram, host: host, root: root, rootNS: ns}]
	if t == nil || t.isOver(at) || t.rule != r.Name {
		return nil
	}
	return t
}

// actor is the acting process; nil when it is not known.
func actor(kin iter.Seq[*process.Process]) *process.Process {
	for p := range kin {
		return p
	}
	return nil
}

// besides reports whether the process that did an act still ran when p began: the
// next command of a script is another act.
func (a *Acts) besides(who process.Key, p *process.Process) bool {
	other, ok := a.lookup(who)
	return ok && (other.Alive() || other.Ended > p.Key.Start)
}

// isOver reports whether a match at this time is too late or too early to belong
// to the act; events of two processors of the machine may come in either order.
func (t *act) isOver(at int64) bool {
	return at-t.last > int64(pauses) || at-t.at > int64(lasts) || t.at-at > int64(pauses)
}

// remember notes an act under the process that did it and, when a shell started
// that process, under the pipeline that it is part of.
func (a *Acts) remember(host string, t *act, tags []string, kin iter.Seq[*process.Process]) {
	var who *process.Process
	for p := range kin {
		if who == nil {
			who, t.who = p, p.Key
			a.put(host, t, tags, p.Key, 0)
			a.putRoot(host, t, tags, p)
			continue
		}
		if isShell(p) && who.PGID != 0 {
			a.put(host, t, tags, p.Key, who.PGID)
		}
		return
	}
}

func (a *Acts) put(host string, t *act, tags []string, who process.Key, group uint32) {
	for _, tag := range tags {
		a.keep(doing{tag: tag, host: host, who: who, group: group}, t)
	}
}

func (a *Acts) putRoot(host string, t *act, tags []string, p *process.Process) {
	if root, ns := rootOf(p); root != "" && slices.Contains(tags, tagProgram) {
		a.keep(doing{tag: tagProgram, host: host, root: root, rootNS: ns}, t)
	}
}

func (a *Acts) keep(d doing, t *act) {
	if len(a.told) >= maxActs {
		a.forget(t.at)
	}
	if len(a.told) < maxActs {
		a.told[d] = t
	}
}

// forget drops what is over.
func (a *Acts) forget(at int64) {
	for k, t := range a.told {
		if t.isOver(at) {
			delete(a.told, k)
		}
	}
}

// isShell reports whether a process runs commands that somebody wrote, so that
// those of one process group are one command.
func isShell(p *process.Process) bool {
	switch p.Name {
	case "sh", "bash", "dash", "zsh", "ash", "ksh", "mksh", "fish", "busybox":
		return true
	default:
		return false
	}
}
