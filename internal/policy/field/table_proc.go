package field

import "strings"

// procFields are the fields of the acting process' program.
var procFields = []Field{
	{Name: "proc.name", Type: CharBuf, Doc: "name: comm as the last exec set it, at most 15 bytes", From: []Attr{AttrProcName}, Get: getText(AttrProcName)},
	{Name: "proc.exe", Type: CharBuf, Doc: "first element of the argument vector", From: []Attr{AttrProcArgs}, Get: getExe},
	{Name: "proc.exepath", Type: CharBuf, Doc: "the kernel's path of the program file", From: []Attr{AttrProcPath}, Get: getText(AttrProcPath)},
	{Name: "proc.args", Type: CharBuf, Arg: ArgIndex, Doc: "arguments without the first, joined by blanks; with a number that one", From: []Attr{AttrProcArgs}, Get: getProcArgs},
	{Name: "proc.cmdline", Type: CharBuf, Doc: "name and arguments", From: []Attr{AttrProcName, AttrProcArgs, AttrProcCommand}, Get: func(c *Context, _ *Arg, v *Value) {
		name, ok := c.String(AttrProcName)
		args, hasArgs := c.Strings(AttrProcArgs)
		if line, has := c.String(AttrProcCommand); has && !hasArgs {
			v.SetText(line)
			return
		}
		if ok {
			v.SetText(c.cmdline(name, args))
		}
	}},
	{Name: "proc.exeline", Type: CharBuf, Doc: "the whole argument vector", From: []Attr{AttrProcArgs}, Get: func(c *Context, _ *Arg, v *Value) {
		if args, ok := c.Strings(AttrProcArgs); ok && len(args) > 0 {
			v.SetText(c.joined(args, " "))
		}
	}},
	{Name: "proc.cmdnargs", Type: Uint64, Doc: "number of arguments without the first", From: []Attr{AttrProcArgs}, Get: func(c *Context, _ *Arg, v *Value) {
		if args, ok := c.Strings(AttrProcArgs); ok {
			v.SetUint(uint64(max(len(args)-1, 0)))
		}
	}},
	{Name: "proc.cmdlenargs", Type: Uint64, Doc: "length of all arguments without the first", From: []Attr{AttrProcArgs}, Get: func(c *Context, _ *Arg, v *Value) {
		if args, ok := c.Strings(AttrProcArgs); ok {
			n := 0
			for i := 1; i < len(args); i++ {
				n += len(args[i])
			}
			v.SetUint(uint64(n))
		}
	}},
	{Name: "proc.cwd", Type: CharBuf, Doc: "working directory, with a slash at the end", From: []Attr{AttrProcCwd}, Get: func(c *Context, _ *Arg, v *Value) {
		cwd, ok := c.String(AttrProcCwd)
		if !ok {
			return
		}
		if !strings.HasSuffix(cwd, "/") {
			start := len(c.buf)
			c.buf = append(append(c.buf, cwd...), '/')
			cwd = c.own(start)
		}
		v.SetText(cwd)
	}},
	{Name: "proc.env", Type: CharBuf, Arg: ArgKey, Doc: "environment at the exec, joined by blanks; with a name that variable, empty when unset", From: []Attr{AttrProcEnv}, Get: func(c *Context, a *Arg, v *Value) {
		if env, ok := c.Strings(AttrProcEnv); ok {
			v.SetText(c.env(env, a))
		}
	}},
	{Name: "proc.tty", Type: Uint32, Doc: "number of the controlling terminal, 0 for none", From: []Attr{AttrTTY}, Get: func(c *Context, _ *Arg, v *Value) {
		n, _ := c.Int(AttrTTY)
		v.SetUint(uint64(uint32(n)))
	}},
	{Name: "proc.is_exe_writable", Type: Boolean, Doc: "the user may write the program file", From: []Attr{AttrExeWritable}, Get: getFlag(AttrExeWritable)},
	{Name: "proc.stdin.from", Type: CharBuf, Doc: "of an exec whose descriptor 0 is a pipe, the program at the beginning of the pipeline that writes it; not part of Falco", From: []Attr{AttrStdinFrom}, Get: getText(AttrStdinFrom)},
	{Name: "proc.stdout.to", Type: CharBuf, Doc: "of an exec whose descriptor 1 is a pipe, the program at the end of the pipeline that reads it; not part of Falco", From: []Attr{AttrStdoutTo}, Get: getText(AttrStdoutTo)},
	{Name: "proc.replaced", Type: CharBuf, Doc: "of an exec, the name of the program that the process had executed before; no value for the first one after the fork; not part of Falco", From: []Attr{AttrReplaced}, Get: getText(AttrReplaced)},
	{Name: "proc.script.from", Type: CharBuf, List: true, Doc: "of an exec, the programs whose output is run as a script, by <(...) or by \"$(...)\" behind -c, -e or -r, or that were told to download the file which is; not part of Falco", From: []Attr{AttrScriptFrom}, Get: getList(AttrScriptFrom)},
	{Name: "proc.script.to", Type: CharBuf, Doc: "of an exec, the program that was started before to run what this one writes, as its input or by <(...); not part of Falco", From: []Attr{AttrScriptTo}, Get: getText(AttrScriptTo)},
	{Name: "proc.is_agent", Type: Boolean, Doc: "the process is the agent itself, whose looking around policies need not report; not one of Falco's fields", From: []Attr{AttrIsAgent}, Get: getFlag(AttrIsAgent)},
	{Name: "proc.is_exe_upper_layer", Type: Boolean, Doc: "the program file is not part of the image: upper layer of an overlayfs", From: []Attr{AttrExeUpper}, Get: getFlag(AttrExeUpper)},
	{Name: "proc.is_exe_lower_layer", Type: Boolean, Doc: "the program file lies in a lower layer of an overlayfs", From: []Attr{AttrExeLower}, Get: getFlag(AttrExeLower)},
	{Name: "proc.is_exe_from_memfd", Type: Boolean, Doc: "the program runs from memory", From: []Attr{AttrExeMemfd}, Get: getFlag(AttrExeMemfd)},
	{Name: "proc.exe_ino", Type: Int64, Doc: "inode number of the program file", From: []Attr{AttrExeInode}, Get: nonZero(AttrExeInode, Int)},
	{Name: "proc.exe_ino.ctime", Type: AbsTime, Doc: "last change of the program file's inode", From: []Attr{AttrExeCtime}, Get: nonZero(AttrExeCtime, Uint)},
	{Name: "proc.exe_ino.mtime", Type: AbsTime, Doc: "last change of the program file", From: []Attr{AttrExeMtime}, Get: nonZero(AttrExeMtime, Uint)},
	{Name: "proc.exe_ino.ctime_duration_proc_start", Type: RelTime, Doc: "from the inode's change to the start of the process", From: []Attr{AttrExeCtime, AttrProcStart}, Get: sinceCtime(AttrProcStart)},
	{Name: "proc.exe_ino.ctime_duration_pidns_start", Type: RelTime, Doc: "from the start of the pid namespace to the inode's change, when that came later", From: []Attr{AttrExeCtime, AttrPIDNSStart}, Get: getChangedSince},
	{Name: "proc.is_container_healthcheck", Type: Boolean, Flags: Deprecated | NeverValue, Doc: "never a value", Get: noValue},
	{Name: "proc.is_container_liveness_probe", Type: Boolean, Flags: Deprecated | NeverValue, Doc: "never a value", Get: noValue},
	{Name: "proc.is_container_readiness_probe", Type: Boolean, Flags: Deprecated | NeverValue, Doc: "never a value", Get: noValue},
}

func getExe(c *Context, _ *Arg, v *Value) {
	if args, ok := c.Strings(AttrProcArgs); ok {
		v.SetText("")
		if len(args) > 0 {
			v.SetText(args[0])
		}
	}
}

func getProcArgs(c *Context, a *Arg, v *Value) {
	args, ok := c.Strings(AttrProcArgs)
	if !ok {
		return
	}
	v.SetText(c.args(args, a))
}

// args are the arguments behind the first, joined, or one of them.
func (c *Context) args(args []string, a *Arg) string {
	switch {
	case a != nil && a.Has && a.Index+1 < len(args):
		return args[a.Index+1]
	case a != nil && a.Has, len(args) < 2:
		return ""
	default:
		return c.joined(args[1:], " ")
	}
}

// cmdline is Falco's form: the name, then each argument behind the first.
func (c *Context) cmdline(name string, args []string) string {
	if len(args) < 2 {
		return name
	}
	start := len(c.buf)
	c.buf = append(c.buf, name...)
	for _, a := range args[1:] {
		c.buf = append(append(c.buf, ' '), a...)
	}
	return c.own(start)
}

// env is the environment joined, or one variable.
func (c *Context) env(env []string, a *Arg) string {
	if !a.Has {
		return c.joined(env, " ")
	}
	for _, entry := range env {
		if rest, ok := strings.CutPrefix(entry, a.Text); ok && strings.HasPrefix(rest, "=") {
			return strings.TrimSpace(rest[1:])
		}
	}
	return ""
}

// nonZero is a number that has no value when it is zero.
func nonZero(a Attr, kind Kind) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.Int(a); ok && n != 0 {
			v.Kind, v.Num = kind, uint64(n)
		}
	}
}

// sinceCtime is the time from the change of the program file to a moment.
func sinceCtime(moment Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		changed, ok := c.Int(AttrExeCtime)
		then, known := c.Int(moment)
		if ok && known && changed != 0 && then != 0 {
			v.SetUint(uint64(max(then-changed, 0)))
		}
	}
}

// getChangedSince is how long after the start of its pid namespace the program
// file was changed; no value for one that was there before.
func getChangedSince(c *Context, _ *Arg, v *Value) {
	changed, ok := c.Int(AttrExeCtime)
	start, known := c.Int(AttrPIDNSStart)
	if ok && known && start != 0 && changed > start {
		v.SetUint(uint64(changed - start))
	}
}
