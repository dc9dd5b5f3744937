package process

import (
	"path"
	"strings"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
)

// Change is what an event did to the process that it is about.
type Change struct {
	// Process is the process after the event; nil for events without one.
	Process *Process
	// Before is what it was before; nil when the event made it known, and
	// Process itself when nothing changed.
	Before *Process
}

// Apply brings the table up to date with one event, in the ring's order. It
// keeps nothing of ev. Only events that change the table allocate.
func (t *Table) Apply(ev *event.Event) Change {
	if t.lookAgain.Load() {
		t.readDirectories()
	}
	e := t.entries[ev.Key] // this goroutine is the only writer
	switch ev.Type {
	case event.TypeFork:
		return t.fork(e, ev)
	case event.TypeExec:
		return t.exec(e, ev)
	case event.TypeExit:
		return t.exit(e, ev)
	case event.TypeProcess:
		return t.seed(e, ev)
	case event.TypeSyscall:
		if e == nil {
			return t.repair(ev)
		}
		return t.call(e, ev)
	case event.TypeCgroupMkdir, event.TypeCgroupRmdir, event.TypeData, event.TypeSocketClose:
	}
	return Change{}
}

// call takes what a system call tells about its process.
func (t *Table) call(e *entry, ev *event.Event) Change {
	before := e.p
	if ev.Identity.Known && ev.Identity != before.Identity {
		p := *before
		p.Identity, p.PGID = ev.Identity, ev.Task.PGID
		t.replace(e, &p)
	}
	if ev.Syscall.Index == setpgid && ev.Syscall.Return == 0 {
		t.regroup(ev)
	}
	if path := ev.Syscall.Result.Path; len(path) > 0 && ev.Syscall.Return == 0 && moves(ev.Syscall.Index) {
		t.move(e, path)
	}
	if e.p.Root != "" && ev.Syscall.Return == 0 && leavesRoot(ev.Syscall.Index) {
		t.setRoot(e, "", 0)
	}
	if t.keepEnv.Load() && !e.envRead {
		t.readEnvs(e)
	}
	return Change{Process: e.p, Before: before}
}

// setpgid is the row of the call by which a process, mostly a shell, puts
// another one into a process group.
var setpgid = rowOf("setpgid")

// regroup notes the process group that a process has given another one. Numbers
// of other pid namespaces than the host's are left alone: the next exec tells.
func (t *Table) regroup(ev *event.Event) {
	pid, group := uint32(ev.Syscall.Args[0].Number), uint32(ev.Syscall.Args[1].Number)
	e, ok := t.byPID[pid]
	if !ok || pid == ev.Key.TGID || ev.Task.VPID != ev.Key.TGID || e.p.VPID != pid {
		return
	}
	if group == 0 {
		group = pid
	}
	p := *e.p
	p.PGID = group
	if p.Identity.Known {
		p.Identity.VPGID = group
	}
	t.replace(e, &p)
}

// replace exchanges what is known about a process.
func (t *Table) replace(e *entry, p *Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.p = p
}

// readEnvs reads what is missing of the environments of a process and of those
// above it: who ran before the agent may never make a call that is captured. Each
// is read once, and so are all above it.
func (t *Table) readEnvs(e *entry) {
	for range MaxAncestors {
		if e == nil || e.envRead {
			return
		}
		e.envRead = true
		if e.p.Env == nil && !e.p.Kernel && e.p.Alive() {
			t.readEnv(e)
		}
		e = t.entries[e.p.Parent]
	}
}

// readEnv reads the environment of a process whose exec did not tell it.
func (t *Table) readEnv(e *entry) {
	env, ok := t.proc.environ(e.p.Key, e.p.Executed)
	if !ok {
		return
	}
	p := *e.p
	p.Env = splitArgs(env[:min(len(env), maxArgs)])
	t.replace(e, &p)
}

// KeepEnvironments tells whether processes have their environments from now on:
// those of execs, if the kernel side tells them, and of processes that run
// already when they next make a call that is captured.
func (t *Table) KeepEnvironments(on bool) { t.keepEnv.Store(on) }

// fork adds the child, which has its parent's program until it executes
// another.
func (t *Table) fork(e *entry, ev *event.Event) Change {
	if e != nil { // known by an event of its own or by the seed
		return Change{Process: e.p, Before: e.p}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := fromTask(ev)
	if forker, ok := t.entries[ev.Fork.Parent]; ok {
		p.inherit(forker.p)
	} else {
		p.Repaired = true // the program is not known
	}
	if p.Parent == (Key{}) {
		p.Parent = ev.Fork.Parent
	}
	t.insert(p, ev.Time)
	return Change{Process: p}
}

// exec gives the process its new program.
func (t *Table) exec(e *entry, ev *event.Event) Change {
	var before *Process
	p := fromTask(ev)
	if e != nil {
		before = e.p
		p.Parent, p.Repaired, p.Service, p.Seeded = before.Parent, before.Repaired, before.Service, before.Seeded
		p.Root, p.RootNS = before.Root, before.RootNS
	} else {
		t.repaired.Add(1)
		p.Repaired = true
	}
	p.setProgram(&ev.Exec)
	if p.Path == "" && before != nil && p.File.Inode != 0 && p.File.Inode == before.File.Inode && p.File.Device == before.File.Device {
		p.Path = before.Path // runc runs its own file again, from a mount that is nowhere any more
	}
	p.Executed = ev.Time
	p.ExecSession, p.ExecCgroup = p.Session, p.Cgroup
	if len(ev.Exec.Env) > 0 && t.keepEnv.Load() {
		p.Env = splitArgs(ev.Exec.Env)
	}
	if len(ev.Exec.Env) > 0 && ev.Exec.EnvFlag&event.ArgTruncated == 0 {
		p.setEnvironment(ev.Exec.Env)
	} else if env, ok := t.proc.environ(ev.Key, ev.Time); ok {
		p.setEnvironment(env)
	} else {
		p.LoadsSDK = loadsSDK(nil, p.Args)
	}
	if t.keepEnv.Load() {
		t.readEnvs(t.entries[p.Parent])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e == nil {
		t.insert(p, ev.Time)
		return Change{Process: p}
	}
	if !before.Alive() {
		p.Ended, p.Exit = before.Ended, before.Exit
	}
	t.leaveProgram(e, ev.Time)
	e.p = p
	t.adopt(e)
	return Change{Process: p, Before: before}
}

func (t *Table) exit(e *entry, ev *event.Event) Change {
	var before *Process
	t.mu.Lock()
	defer t.mu.Unlock()
	if e == nil {
		t.repaired.Add(1)
		p := fromTask(ev)
		p.Repaired = true
		e = t.insert(p, ev.Time)
	} else {
		before = e.p
	}
	t.end(e, ev.Time, &ev.Exit)
	t.expire(ev.Time)
	return Change{Process: e.p, Before: before}
}

// end marks a process as ended. The caller holds mu.
func (t *Table) end(e *entry, now uint64, how *event.Exit) {
	if !e.p.Alive() {
		return
	}
	p := *e.p
	p.Ended = max(now, 1)
	if how != nil {
		p.Exit = *how
	}
	e.p = &p
	t.alive.Add(-1)
	t.place(e, t.ended)
}

// seed adds a process that ran before the agent did.
func (t *Table) seed(e *entry, ev *event.Event) Change {
	if e != nil && !e.p.Repaired {
		return Change{Process: e.p, Before: e.p}
	}
	p := fromTask(ev)
	p.Seeded = true
	p.setProgram(&ev.Exec)
	t.proc.fill(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if e == nil {
		t.insert(p, ev.Time)
		return Change{Process: p}
	}
	before := e.p
	p.Ended, p.Exit, p.Executed = before.Ended, before.Exit, before.Executed
	e.p = p
	t.adopt(e)
	return Change{Process: p, Before: before}
}

// repair adds a process whose fork nobody saw, from the event's own task and,
// while it lives, from /proc. An unknown parent is added likewise.
func (t *Table) repair(ev *event.Event) Change {
	p := fromTask(ev)
	p.Repaired = true
	filled := t.proc.fill(p)
	parent, known := t.entries[p.Parent]
	if !filled && known && parent.p.Name == p.Name {
		p.inherit(parent.p)
		p.Repaired = true
	}
	var missing *Process
	if !known && p.Parent != (Key{}) {
		missing = t.parentFromProc(p.Parent)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.repaired.Add(1)
	if missing != nil {
		t.repaired.Add(1)
		t.insert(missing, ev.Time)
	}
	t.insert(p, ev.Time)
	return Change{Process: p}
}

// parentFromProc describes a living process of which only the key is known.
func (t *Table) parentFromProc(k Key) *Process {
	p := &Process{Key: k, LoginUID: event.NoID, Session: event.NoID, ExecSession: event.NoID, Repaired: true}
	name, ppid, ok := t.proc.stat(k)
	if !ok || !t.proc.fill(p) {
		return nil
	}
	p.Name = name
	if above, ok := t.byPID[ppid]; ok {
		p.Parent = above.p.Key
	}
	return p
}

// fromTask makes a Process of what every event tells about its task.
func fromTask(ev *event.Event) *Process {
	k := &ev.Task
	cgroup := container.CgroupID{Hierarchy: k.CgroupHierarchy, ID: k.CgroupID}
	return &Process{
		Key: ev.Key, Parent: k.Parent, Name: string(k.Comm),
		UID: k.UID, GID: k.GID, EUID: k.EUID, EGID: k.EGID,
		LoginUID: k.LoginUID, Session: k.Session, TTY: k.TTY, VPID: k.VPID, PGID: k.PGID,
		MountNS: k.MountNS, PIDNS: k.PIDNS, Cgroup: cgroup,
		ExecSession: k.Session, ExecCgroup: cgroup, Kernel: k.Kthread, Identity: ev.Identity,
	}
}

// setProgram takes what an exec or the seed tells about the program.
func (p *Process) setProgram(x *event.Exec) {
	p.Path = string(x.Path)
	p.Cwd = string(x.Cwd)
	p.File, p.Ctime, p.Mtime = x.File, x.Ctime, x.Mtime
	if len(x.Args) > 0 {
		p.Args = splitArgs(x.Args)
		p.ArgsTruncated = x.ArgFlag&event.ArgTruncated != 0
	}
	if p.isApplet() {
		p.Name = appletName(p.Args[0])
	}
}

// selfExecuted is what the kernel calls programs that were started by
// /proc/self/exe, maxComm how many bytes of a name it keeps.
const (
	selfExecuted = "exe"
	busybox      = "/busybox"
	maxComm      = 15
)

// isApplet tells whether a shell of BusyBox started one of its own programs by
// /proc/self/exe. BusyBox goes by the first argument.
func (p *Process) isApplet() bool {
	return p.Name == selfExecuted && len(p.Args) > 0 && strings.HasSuffix(p.Path, busybox)
}

// appletName is what the kernel would call the applet if it had a file.
func appletName(arg string) string {
	name := path.Base(strings.TrimPrefix(arg, "-")) // of a login shell
	return bound(name[:min(len(name), maxComm)])
}

// setEnvironment keeps what the environment tells. The arguments must be known.
func (p *Process) setEnvironment(env []byte) {
	p.Service = ServiceOf(env)
	p.LoadsSDK = loadsSDK(env, p.Args)
}

// inherit takes over the parent's program.
func (p *Process) inherit(from *Process) {
	if p.Name == selfExecuted && strings.HasSuffix(from.Path, busybox) {
		p.Name = from.Name
	}
	p.Path, p.Args, p.ArgsTruncated = from.Path, from.Args, from.ArgsTruncated
	p.Cwd, p.File, p.Service, p.LoadsSDK = from.Directory(), from.File, from.Service, from.LoadsSDK
	p.Root, p.RootNS = from.Root, from.RootNS
	p.ExecSession, p.ExecCgroup = from.ExecSession, from.ExecCgroup
	p.Ctime, p.Mtime, p.Env = from.Ctime, from.Mtime, from.Env
	if !p.Identity.Known {
		p.Identity = from.Identity
	}
	p.Repaired = from.Repaired && from.Path == ""
}
