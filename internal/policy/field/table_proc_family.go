package field

import "strings"

// procAncestorFields are the fields of the processes above the acting one.
var procAncestorFields = []Field{
	{Name: "proc.pname", Type: CharBuf, Doc: "name of the parent", From: []Attr{AttrParentName}, Get: parent(processName)},
	{Name: "proc.pexe", Type: CharBuf, Doc: "first argument of the parent", From: []Attr{AttrParentCommand}, Get: parent(processExe)},
	{Name: "proc.pexepath", Type: CharBuf, Doc: "program file of the parent", From: []Attr{AttrParentPath}, Get: parent(processPath)},
	{Name: "proc.pcmdline", Type: CharBuf, Doc: "name and arguments of the parent", From: []Attr{AttrParentCommand}, Get: parent(processCommand)},
	{Name: "proc.aname", Type: CharBuf, Arg: ArgIndex, Flags: NoCompare | Ancestors, Doc: "name of an ancestor: [0] the process, [1] its parent; without number any", From: []Attr{AttrAncestors}, Get: ancestor(processName)},
	{Name: "proc.aexe", Type: CharBuf, Arg: ArgIndex, Flags: NoCompare | Ancestors, Doc: "first argument of an ancestor", From: []Attr{AttrAncestors}, Get: ancestor(processExe)},
	{Name: "proc.aexepath", Type: CharBuf, Arg: ArgIndex, Flags: NoCompare | Ancestors, Doc: "program file of an ancestor", From: []Attr{AttrAncestors}, Get: ancestor(processPath)},
	{Name: "proc.acmdline", Type: CharBuf, Arg: ArgIndex, Flags: NoCompare | Ancestors, Doc: "name and arguments of an ancestor", From: []Attr{AttrAncestors}, Get: ancestor(processCommand)},
	{Name: "proc.aargs", Type: CharBuf, Arg: ArgIndex, Flags: NoCompare, Doc: "arguments of an ancestor without the first; without number those of all, joined", From: []Attr{AttrAncestors}, Get: func(c *Context, a *Arg, v *Value) {
		getAncestorArgs(c, a, v)
		if v.Kind == List {
			v.SetText(c.joined(v.List, " "))
		}
	}},
	{Name: "proc.aenv", Type: CharBuf, Arg: ArgKey, Flags: NoCompare | Ancestors, Doc: "environment of an ancestor by number, or a variable's value nearest first", From: []Attr{AttrProcEnv}, Get: getAncestorEnv},
	{Name: "proc.apid", Type: Int64, Arg: ArgIndex, Flags: NoCompare | Ancestors, Doc: "process id of an ancestor", From: []Attr{AttrParentPID}, Get: getAncestorPID},
	{Name: "proc.ppid", Type: Int64, Doc: "process id of the parent", From: []Attr{AttrParentPID}, Get: getInt(AttrParentPID)},
	{Name: "proc.pvpid", Type: Int64, Doc: "process id of the parent in its pid namespace", Get: func(c *Context, _ *Arg, v *Value) {
		if p := c.Process(1); p != nil && p.VPID != 0 {
			v.SetInt(p.VPID)
		}
	}},
	{Name: "proc.ppid.ts", Type: AbsTime, Doc: "start of the parent", Get: func(c *Context, _ *Arg, v *Value) {
		if p := c.Process(1); p != nil && p.Start != 0 {
			v.SetUint(uint64(p.Start))
		}
	}},
	{Name: "proc.ppid.duration", Type: RelTime, Doc: "age of the parent", Get: func(c *Context, _ *Arg, v *Value) {
		if p := c.Process(1); p != nil && p.Start != 0 {
			v.SetUint(c.since(p.Start))
		}
	}},
	{Name: "proc.loginshellid", Type: Int64, Doc: "process id of the eldest shell among the process and its ancestors", From: []Attr{AttrAncestors}, Get: getLoginShell},
	{Name: "proc.sname", Type: CharBuf, Doc: "name of the session's leader", Get: leaderText(Session, processName)},
	{Name: "proc.sid.exe", Type: CharBuf, Doc: "first argument of the session's leader", Get: leaderText(Session, processExe)},
	{Name: "proc.sid.exepath", Type: CharBuf, Doc: "program file of the session's leader", Get: leaderText(Session, processPath)},
	{Name: "proc.vpgid.name", Type: CharBuf, Doc: "name of the process group's leader, by the innermost pid namespace", Get: leaderText(VirtualProcGroup, processName)},
	{Name: "proc.vpgid.exe", Type: CharBuf, Doc: "first argument of that leader", Get: leaderText(VirtualProcGroup, processExe)},
	{Name: "proc.vpgid.exepath", Type: CharBuf, Doc: "program file of that leader", Get: leaderText(VirtualProcGroup, processPath)},
	{Name: "proc.pgid.name", Type: CharBuf, Doc: "name of the process group's leader", Get: leaderText(ProcessGroup, processName)},
	{Name: "proc.pgid.exe", Type: CharBuf, Doc: "first argument of the process group's leader", Get: leaderText(ProcessGroup, processExe)},
	{Name: "proc.pgid.exepath", Type: CharBuf, Doc: "program file of the process group's leader", Get: leaderText(ProcessGroup, processPath)},
}

// procText is a text of a process; ok is false when it is not known.
type procText func(c *Context, p *Process) (s string, ok bool)

func processName(_ *Context, p *Process) (string, bool) { return p.Name, p.Name != "" }
func processPath(_ *Context, p *Process) (string, bool) { return p.Path, p.Path != "" }

func processExe(_ *Context, p *Process) (string, bool) {
	if len(p.Args) > 0 {
		return p.Args[0], true
	}
	return "", p.Args != nil
}

func processArgs(c *Context, p *Process) (string, bool) { return c.args(p.Args, nil), p.Args != nil }

func processCommand(c *Context, p *Process) (string, bool) {
	if p.Args == nil {
		return p.Command, p.Command != ""
	}
	return c.cmdline(p.Name, p.Args), true
}

func parent(text procText) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if p := c.Process(1); p != nil {
			if s, ok := text(c, p); ok {
				v.SetText(s)
			}
		}
	}
}

// ancestor is a text of the ancestor by number; without number those of all
// ancestors as a list, nearest first.
func ancestor(text procText) func(*Context, *Arg, *Value) {
	return func(c *Context, a *Arg, v *Value) {
		if !a.Has {
			c.everyAncestor(text, v)
			return
		}
		if p := c.Process(a.Index); p != nil {
			if s, ok := text(c, p); ok {
				v.SetText(s)
			}
		}
	}
}

var getAncestorArgs = ancestor(processArgs)

func (c *Context) everyAncestor(text procText, v *Value) {
	start := len(c.names)
	for n := 1; ; n++ {
		p := c.Process(n)
		if p == nil {
			break
		}
		if s, ok := text(c, p); ok {
			c.names = append(c.names, s)
		}
	}
	if len(c.names) > start {
		v.SetList(c.names[start:len(c.names):len(c.names)])
	}
}

// getAncestorEnv takes a number, or the name of a variable.
func getAncestorEnv(c *Context, a *Arg, v *Value) {
	if a.Has && a.Index >= 0 {
		if p := c.Process(a.Index); p != nil && p.Env != nil {
			v.SetText(c.joined(p.Env, " "))
		}
		return
	}
	c.everyAncestor(func(c *Context, p *Process) (string, bool) {
		if p.Env == nil {
			return "", false
		}
		s := c.env(p.Env, a)
		return s, !a.Has || s != ""
	}, v)
	switch {
	case a.Has && v.Kind == List:
		v.SetText(v.List[0])
	case a.Has:
		v.SetText("")
	}
}

func getAncestorPID(c *Context, a *Arg, v *Value) {
	if !a.Has {
		c.signed(AttrPID, v)
		return
	}
	if p := c.Process(a.Index); p != nil {
		v.SetInt(p.PID)
	}
}

func leaderText(of Group, text procText) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if p := c.leader(of); p != nil {
			if s, ok := text(c, p); ok {
				v.SetText(s)
			}
		}
	}
}

// isShell goes by the end of the name, as Falco does: bash, -zsh, rbash, pwsh.
func isShell(name string) bool { return strings.HasSuffix(name, "sh") }

func getLoginShell(c *Context, _ *Arg, v *Value) {
	for n := 0; ; n++ {
		p := c.Process(n)
		if p == nil {
			return
		}
		if isShell(p.Name) {
			v.SetInt(p.PID)
		}
	}
}
