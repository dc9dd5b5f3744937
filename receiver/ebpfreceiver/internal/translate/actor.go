package translate

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// maxAncestors bounds the list of names in a record.
const maxAncestors = 16

// actor writes who did it.
func (l *Logs) actor(attrs pcommon.Map, a *Activity) {
	task, p := &a.Event.Task, a.Process
	attrs.PutInt(schema.ProcessPID, int64(a.Event.Key.TGID))
	if a.Event.TID != a.Event.Key.TGID {
		attrs.PutInt(schema.ProcessTID, int64(a.Event.TID))
	}
	if task.VTID != 0 && task.VTID != a.Event.TID {
		attrs.PutInt(schema.ProcessVTID, int64(task.VTID))
	}
	if task.VPID != 0 && task.VPID != a.Event.Key.TGID {
		attrs.PutInt(schema.ProcessVPID, int64(task.VPID))
	}
	attrs.PutStr(schema.ProcessKey, l.key(a.Event.Key))
	parent := task.Parent
	if p != nil && p.Parent != (process.Key{}) {
		parent = p.Parent
	}
	if parent.TGID != 0 {
		attrs.PutInt(schema.ProcessParentPID, int64(parent.TGID))
		attrs.PutStr(schema.ProcessParentKey, l.key(parent))
	}
	if p != nil {
		put(attrs, schema.ProcessName, p.Name)
		put(attrs, schema.ProcessPath, p.Path)
		if a.Directory {
			put(attrs, schema.ProcessWorkingDirectory, p.MovedTo)
		}
	} else if len(task.Comm) > 0 {
		attrs.PutStr(schema.ProcessName, l.texts.text(task.Comm))
	}
	l.credentials(attrs, a)
}

func (l *Logs) credentials(attrs pcommon.Map, a *Activity) {
	task := &a.Event.Task
	attrs.PutInt(schema.ProcessUserID, int64(task.EUID))
	put(attrs, schema.ProcessUserName, a.User.Name)
	if a.Account {
		put(attrs, schema.ProcessUserHome, a.User.Home)
		put(attrs, schema.ProcessUserShell, a.User.Shell)
	}
	if task.UID != task.EUID {
		attrs.PutInt(schema.ProcessRealUserID, int64(task.UID))
	}
	if a.Event.Type != event.TypeSyscall || a.Arguments {
		attrs.PutInt(schema.ProcessGroupID, int64(task.EGID))
		put(attrs, schema.ProcessGroupName, a.Group.Name)
	}
	if task.LoginUID != event.NoID {
		attrs.PutInt(schema.ProcessLoginUID, int64(task.LoginUID))
		put(attrs, schema.ProcessLoginUserName, a.LoginUser.Name)
	}
	if task.Session != event.NoID {
		attrs.PutInt(schema.ProcessSessionID, int64(task.Session))
	}
	if task.TTY != 0 {
		attrs.PutInt(schema.ProcessTTY, int64(task.TTY))
		attrs.PutBool(schema.ProcessInteractive, true)
	}
}

// program writes what an exec started.
func (l *Logs) program(attrs pcommon.Map, a *Activity) {
	l.command(attrs, a)
	x := &a.Event.Exec
	if a.Event.Task.PGID != 0 {
		attrs.PutInt(schema.ProcessPGID, int64(a.Event.Task.PGID))
	}
	put(attrs, schema.ProcessReplaced, a.Replaced)
	put(attrs, schema.ProcessStdinFrom, a.StdinFrom)
	put(attrs, schema.ProcessStdoutTo, a.StdoutTo)
	putList(attrs, schema.ProcessScriptFrom, a.ScriptFrom)
	put(attrs, schema.ProcessScriptTo, a.ScriptTo)
	if len(x.Filename) > 0 && (a.Process == nil || string(x.Filename) != a.Process.Path) {
		attrs.PutStr(execFilename, l.texts.text(x.Filename))
	}
	if len(x.Cwd) > 0 {
		attrs.PutStr(schema.ProcessWorkingDirectory, l.texts.text(x.Cwd))
	}
	if x.File.Flags&event.FileUpper != 0 {
		attrs.PutBool(schema.ProcessUpperLayer, true)
	}
	if x.File.Flags&event.FileLower != 0 {
		attrs.PutBool(schema.ProcessLowerLayer, true)
	}
	if x.File.Flags&event.FileMemfd != 0 {
		attrs.PutBool(schema.ProcessMemfd, true)
	}
	if x.File.Inode != 0 {
		attrs.PutInt(schema.ProcessExecutableInode, int64(x.File.Inode))
	}
	if a.Full {
		l.identity(attrs, a.Process)
	}
	l.mark(x.PathFlag, schema.ProcessPath)
	l.mark(x.CwdFlag, schema.ProcessWorkingDirectory)
}

// execFilename is how the caller named the program: a relative name, a symbolic
// link, a script. Without it, that was the path of the program.
const execFilename = schema.SyscallArgPrefix + "filename"

// identity writes what a policy processor elsewhere may ask about the program
// and what it may do.
func (l *Logs) identity(attrs pcommon.Map, p *process.Process) {
	if p == nil {
		return
	}
	if p.File.Flags&event.FileWritable != 0 {
		attrs.PutBool(schema.ProcessExecutableWritable, true)
	}
	if p.Ctime != 0 {
		attrs.PutInt(schema.ProcessExecutableCtime, int64(p.Ctime))
		attrs.PutInt(schema.ProcessExecutableMtime, int64(p.Mtime))
	}
	id := &p.Identity
	if !id.Known {
		return
	}
	attrs.PutInt(schema.ProcessCapInheritable, int64(id.CapInheritable))
	attrs.PutInt(schema.ProcessCapPermitted, int64(id.CapPermitted))
	attrs.PutInt(schema.ProcessCapEffective, int64(id.CapEffective))
	attrs.PutInt(schema.ProcessSID, int64(id.SID))
	attrs.PutInt(schema.ProcessVPGID, int64(id.VPGID))
}

// command writes the argument vector.
func (l *Logs) command(attrs pcommon.Map, a *Activity) {
	if a.Process == nil || len(a.Process.Args) == 0 {
		return
	}
	putList(attrs, schema.ProcessCommandArgs, l.maskArgs(a, schema.ProcessCommandArgs, a.Process.Args))
	if a.Process.ArgsTruncated {
		attrs.PutBool(schema.ProcessArgsTruncated, true)
	}
}

// ancestry writes where the process comes from.
func (l *Logs) ancestry(attrs pcommon.Map, a *Activity) {
	if len(a.Ancestors) == 0 {
		return
	}
	parent := a.Ancestors[0]
	put(attrs, schema.ProcessParentName, parent.Name)
	put(attrs, schema.ProcessParentPath, parent.Path)
	if len(parent.Args) > 0 {
		attrs.PutStr(schema.ProcessParentCommand, l.parentCommand(a, parent.Args))
	}
	names := attrs.PutEmptySlice(schema.ProcessAncestors)
	names.EnsureCapacity(min(len(a.Ancestors), maxAncestors))
	for _, p := range a.Ancestors[:min(len(a.Ancestors), maxAncestors)] {
		names.AppendEmpty().SetStr(valid(p.Name))
	}
}

// exit writes how the process ended.
func (l *Logs) exit(attrs pcommon.Map, a *Activity) {
	l.command(attrs, a)
	x := &a.Event.Exit
	if x.Signal != 0 {
		attrs.PutInt(schema.ProcessExitSignal, int64(x.Signal))
		attrs.PutInt(schema.ProcessExitCode, 128+int64(x.Signal))
	} else {
		attrs.PutInt(schema.ProcessExitCode, int64(x.Code))
	}
}

// mark notes that an attribute was cut, or read too late.
func (l *Logs) mark(f event.ArgFlags, attr string) {
	if f&event.ArgTruncated != 0 {
		l.cut = append(l.cut, attr)
	}
	if f&event.ArgLate != 0 {
		l.late = append(l.late, attr)
	}
}

func (l *Logs) key(k process.Key) string {
	l.buf = process.AppendKey(l.buf[:0], k)
	return l.texts.text(l.buf)
}

func (l *Logs) number(n uint64, base int) string {
	l.buf = strconv.AppendUint(l.buf[:0], n, base)
	return l.texts.text(l.buf)
}
