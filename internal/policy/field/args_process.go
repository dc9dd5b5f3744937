package field

import "github.com/sightglass/sightglass/internal/policy/events"

// execArgs are the arguments of an exec event that are facts of the process.
var execArgs = map[string]Attr{
	"tid": AttrTID, "pid": AttrPID, "ptid": AttrParentPID, "comm": AttrProcName, "tty": AttrTTY,
	"vpgid": AttrVPGID, "loginuid": AttrLoginUID, "cap_inheritable": AttrCapInheritable,
	"cap_permitted": AttrCapPermitted, "cap_effective": AttrCapEffective, "exe_ino": AttrExeInode,
	"exe_ino_ctime": AttrExeCtime, "exe_ino_mtime": AttrExeMtime, "uid": AttrUserID,
	"trusted_exepath": AttrProcPath, "pgid": AttrPGID, "gid": AttrGroupID, "vtid": AttrVTID, "vpid": AttrVPID,
}

// execAttrs has the process' attribute of every argument of the exec and clone
// events, and of capset, whose sets are what the process has behind it; zero
// where there is none.
var execAttrs = func() map[events.ID][]Attr {
	out := map[events.ID][]Attr{}
	for _, name := range []string{"execve", "execveat", "clone", "clone3", "fork", "vfork", "capset"} {
		e, _ := events.ByName(name)
		row := make([]Attr, len(e.Args))
		for i := range e.Args {
			row[i] = execArgs[e.Args[i].Name]
		}
		out[e.ID] = row
	}
	return out
}()

// processNumber is a fact of the process among the arguments of an exec or clone.
func (c *Context) processNumber(a Attr) (int64, bool) {
	if a == AttrVTID {
		return c.vtid()
	}
	n, ok := c.idOrPID(a)
	switch {
	case ok && (a != AttrLoginUID || n != noID):
		return n, true
	case a == AttrLoginUID: // unset
		return -1, true
	case a == AttrTTY: // none
		return 0, true
	default:
		return 0, false
	}
}

// exitNumber is an argument of procexit: how the process ended, taken apart.
// Records give those that a signal ended the code that shells give them.
func (c *Context) exitNumber(name string) (int64, bool) {
	code, ok := c.Int(AttrExitCode)
	if !ok {
		return 0, false
	}
	signal, killed := c.Int(AttrExitSignal)
	switch name {
	case "sig":
		return signal, true
	case "ret":
		if killed {
			code = 0
		}
		return code, true
	case "status":
		if killed {
			return signal, true
		}
		return code << 8, true
	}
	return 0, false
}

// execText is an argument of an exec that stems from vectors: those that the
// call was given, where it failed, else those of the program that runs.
func (c *Context) execText(name string) (string, bool) {
	argv, ok := c.Strings(AttrExecArgv)
	if !ok && (!c.failed() || c.does(actClone)) {
		argv, ok = c.Strings(AttrProcArgs)
	}
	switch name {
	case "exe":
		if ok && len(argv) > 0 {
			return argv[0], true
		}
	case "args":
		if ok && len(argv) > 1 {
			return c.nulEnded(argv[1:]), true
		}
	case "filename":
		if !c.failed() {
			return c.String(AttrProcPath)
		}
	case "env":
		if env, ok := c.Strings(AttrProcEnv); ok {
			return c.nulEnded(env), true
		}
	}
	return "", false
}
