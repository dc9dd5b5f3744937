package record

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
)

// Processes knows about the processes that records refer to by key. It is
// *process.Table.
type Processes interface {
	// Ancestor is the process n steps above the one with this key; 0 is that
	// process itself.
	Ancestor(k process.Key, n int) (*process.Process, bool)
	// Image is what the process with this key was n execs ago; 0 is what it is.
	Image(k process.Key, n int) (*process.Process, bool)
	// LookupPID is the process that has a thread group id now.
	LookupPID(tgid uint32) (*process.Process, bool)
	// LookupVPID is the same in the pid namespace with this inode.
	LookupVPID(namespace, pid uint32) (*process.Process, bool)
}

// clockEvery is how long the boot time is believed; the clocks drift against
// each other, and the wall clock is set.
const clockEvery = 10 * time.Second

// UseShared makes the view ask the process table of the receiver that runs in
// this program, if one does. Call it before each batch.
func (v *View) UseShared(now time.Time) {
	table := process.Shared()
	if table == nil {
		v.SetProcesses(nil, 0)
		return
	}
	if now.Sub(v.clockRead) >= clockEvery {
		v.clockRead, v.bootTime = now, bootTime()
	}
	v.SetProcesses(table, v.bootTime)
}

// bootTime is the wall-clock time of the boot, ns since 1970; 0 when the
// clocks cannot be read.
func bootTime() int64 {
	var wall, boot unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME, &wall) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return 0
	}
	return wall.Nano() - boot.Nano()
}

// staleAfter is how much younger or older than the event an exec may look, because
// two clocks were read at different times.
const staleAfter = int64(time.Millisecond)

// self is the acting process in the table as the program that it was at the time
// of the event, nil when it is not there.
func (v *View) self() *process.Process {
	if !v.selfKnown {
		v.selfKnown, v.selfProcess = true, v.findSelf()
	}
	return v.selfProcess
}

func (v *View) findSelf() *process.Process {
	if v.processes == nil {
		return nil
	}
	key, ok := v.key(ownProcessKey)
	if !ok {
		return nil
	}
	for n := 0; ; n++ {
		p, ok := v.processes.Image(key, n)
		if !ok {
			return nil
		}
		age := v.age(p)
		if age < -staleAfter {
			continue
		}
		if v.isNamed(p) {
			return p
		}
		if age > staleAfter {
			return nil // this program did it, under another name
		}
	}
}

// age is how long before the event a process has executed its program; that is
// long when the exec was not seen.
func (v *View) age(p *process.Process) int64 {
	if p.Executed == 0 || v.bootTime == 0 {
		return math.MaxInt64
	}
	return v.Time() - v.bootTime - int64(p.Executed)
}

// isNamed reports whether the record has nothing against this being its process.
func (v *View) isNamed(p *process.Process) bool {
	if name, ok := v.recorded(field.AttrProcName); ok && name != p.Name {
		return false
	}
	path, ok := v.recorded(field.AttrProcPath)
	return !ok || path == p.Path
}

// recorded is a text of the record itself.
func (v *View) recorded(a field.Attr) (string, bool) {
	val, ok := v.value(int(a))
	if !ok {
		return "", false
	}
	return textOf(val)
}

// key reads one of the view's own attributes as the key of a process.
func (v *View) key(own int) (process.Key, bool) {
	val, ok := v.value(slotOf(own))
	if !ok {
		return process.Key{}, false
	}
	s, _ := textOf(val)
	return process.ParseKey(s)
}

// textOfSelf, intOfSelf and listOfSelf answer what a record of an agent with a
// processor leaves out, because the process table has it.
func (v *View) textOfSelf(a field.Attr) (string, bool) {
	var of func(p *process.Process) string
	switch a {
	case field.AttrProcName:
		of = func(p *process.Process) string { return p.Name }
	case field.AttrProcPath:
		of = func(p *process.Process) string { return p.Path }
	case field.AttrProcCwd:
		of = func(p *process.Process) string { return p.Cwd }
	default:
		return "", false
	}
	p := v.self()
	if p == nil {
		return "", false
	}
	s := of(p)
	return s, s != ""
}

func (v *View) listOfSelf(a field.Attr) ([]string, bool) {
	if a != field.AttrProcArgs && a != field.AttrProcEnv {
		return nil, false
	}
	p := v.self()
	if p == nil {
		return nil, false
	}
	list := p.Args
	if a == field.AttrProcEnv {
		list = p.Env
	}
	return list, list != nil
}

func (v *View) intOfSelf(a field.Attr) (int64, bool) {
	switch a {
	case field.AttrProcStart:
		key, ok := v.key(ownProcessKey)
		return v.bootTime + int64(key.Start), ok && v.bootTime != 0
	case field.AttrExeUpper:
		return v.fileFlag(event.FileUpper)
	case field.AttrExeLower:
		return v.fileFlag(event.FileLower)
	case field.AttrExeMemfd:
		return v.fileFlag(event.FileMemfd)
	case field.AttrExeWritable:
		return v.fileFlag(event.FileWritable)
	case field.AttrPGID, field.AttrExeInode, field.AttrExeCtime, field.AttrExeMtime, field.AttrSID, field.AttrVPGID, field.AttrPIDNSStart,
		field.AttrCapInheritable, field.AttrCapPermitted, field.AttrCapEffective:
		if p := v.self(); p != nil {
			return v.fact(p, a)
		}
	default:
	}
	return 0, false
}

// fact is a number that the process table has; false when it is not known.
func (v *View) fact(p *process.Process, a field.Attr) (int64, bool) {
	id := &p.Identity
	switch a {
	case field.AttrPGID:
		return int64(p.PGID), p.PGID != 0
	case field.AttrExeInode:
		return int64(p.File.Inode), p.File.Inode != 0
	case field.AttrExeCtime:
		return int64(p.Ctime), p.Ctime != 0
	case field.AttrExeMtime:
		return int64(p.Mtime), p.Mtime != 0
	case field.AttrSID:
		return int64(id.SID), id.Known
	case field.AttrVPGID:
		return int64(id.VPGID), id.Known
	case field.AttrPIDNSStart:
		return v.bootTime + int64(id.PIDNSStart), id.Known && id.PIDNSStart != 0 && v.bootTime != 0
	case field.AttrCapInheritable:
		return int64(id.CapInheritable), id.Known
	case field.AttrCapPermitted:
		return int64(id.CapPermitted), id.Known
	case field.AttrCapEffective:
		return int64(id.CapEffective), id.Known
	default:
		return 0, false
	}
}

func (v *View) fileFlag(flag event.FileFlags) (int64, bool) {
	if p := v.self(); p != nil && p.File.Flags&flag != 0 {
		return 1, true
	}
	return 0, false
}
