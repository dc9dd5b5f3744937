package record

import (
	"math"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/process"
)

// maxDepth bounds the walk to the leader of a session.
const maxDepth = 64

// Ancestor implements field.Source. What the record says about a process was
// true when the event happened and is preferred; the process table adds what
// the record leaves out.
func (v *View) Ancestor(n int, p *field.Process) bool {
	*p = field.Process{}
	inTable := v.fromTable(n, p)
	switch n {
	case 0:
		v.fillSelf(p)
		return true
	case 1:
		return v.fillParent(p) || inTable
	default:
		return v.fillAncestor(n, p) || inTable
	}
}

// Leader implements field.Source. A session's leader is an ancestor unless it
// has ended; that of a group may be a sibling, which only the host's pid finds.
func (v *View) Leader(of field.Group, p *field.Process) bool {
	switch of {
	case field.Session:
		return v.ancestorByVPID(field.AttrSID, p)
	case field.ProcessGroup, field.VirtualProcGroup:
		return v.groupLeader(p) || v.ancestorByVPID(field.AttrVPGID, p)
	default:
		return false
	}
}

// NameOf implements field.Source. A pid may be that of another process by now.
func (v *View) NameOf(pid int64, own bool) (string, bool) {
	if v.processes == nil || pid <= 0 || pid > math.MaxUint32 {
		return "", false
	}
	found, ok := (*process.Process)(nil), false
	if !own {
		found, ok = v.processes.LookupPID(uint32(pid))
	} else if p := v.self(); p != nil {
		found, ok = v.processes.LookupVPID(p.PIDNS, uint32(pid))
	}
	if !ok {
		return "", false
	}
	return found.Name, true
}

func (v *View) groupLeader(p *field.Process) bool {
	pgid, ok := v.Int(field.AttrPGID)
	if !ok || v.processes == nil || pgid <= 0 || pgid > 1<<32-1 {
		return false
	}
	found, ok := v.processes.LookupPID(uint32(pgid))
	if ok {
		v.fill(found, p)
	}
	return ok
}

// ancestorByVPID finds the process itself or the nearest ancestor whose pid in
// the innermost pid namespace is the one in a.
func (v *View) ancestorByVPID(a field.Attr, p *field.Process) bool {
	*p = field.Process{}
	want, ok := v.Int(a)
	if !ok || want == 0 {
		return false
	}
	for n := range maxDepth {
		if !v.Ancestor(n, p) {
			break
		}
		if p.VPID == want {
			return true
		}
	}
	*p = field.Process{}
	return false
}

// fromTable fills p from the process table. The acting process may have ended
// and be forgotten before its parent is.
func (v *View) fromTable(n int, p *field.Process) bool {
	if v.processes == nil {
		return false
	}
	if n == 0 {
		if found := v.self(); found != nil {
			v.fill(found, p)
			return true
		}
		return false
	}
	if key, ok := v.key(ownProcessKey); ok {
		if found, ok := v.processes.Ancestor(key, n); ok {
			v.fill(found, p)
			return true
		}
	}
	if key, ok := v.key(ownParentKey); ok {
		if found, ok := v.processes.Ancestor(key, n-1); ok {
			v.fill(found, p)
			return true
		}
	}
	return false
}

func (v *View) fill(from *process.Process, p *field.Process) {
	*p = field.Process{
		PID:  int64(from.Key.TGID),
		VPID: int64(from.VPID),
		Name: from.Name,
		Path: from.Path,
		Args: from.Args,
		Env:  from.Env,
	}
	if v.bootTime != 0 {
		p.Start = v.bootTime + int64(from.Key.Start)
	}
}

func (v *View) fillSelf(p *field.Process) {
	setInt(v, field.AttrPID, &p.PID)
	setInt(v, field.AttrVPID, &p.VPID)
	setInt(v, field.AttrProcStart, &p.Start)
	setText(v, field.AttrProcName, &p.Name)
	setText(v, field.AttrProcPath, &p.Path)
	setText(v, field.AttrProcCommand, &p.Command)
	if args, ok := v.Strings(field.AttrProcArgs); ok {
		p.Args = args
	}
	if env, ok := v.Strings(field.AttrProcEnv); ok {
		p.Env = env
	}
}

func (v *View) fillParent(p *field.Process) bool {
	name, ok := v.String(field.AttrParentName)
	if !ok {
		name, ok = v.ancestorName(1)
	}
	if ok {
		rename(p, name)
	}
	setInt(v, field.AttrParentPID, &p.PID)
	setText(v, field.AttrParentPath, &p.Path)
	if cmd, ok := v.String(field.AttrParentCommand); ok && p.Args == nil {
		p.Command = cmd
	}
	return ok
}

func (v *View) fillAncestor(n int, p *field.Process) bool {
	name, ok := v.ancestorName(n)
	if ok {
		rename(p, name)
	}
	return ok
}

// ancestorName reads the list of ancestors, whose first is the parent.
func (v *View) ancestorName(n int) (string, bool) {
	names, ok := v.Strings(field.AttrAncestors)
	if !ok || n > len(names) {
		return "", false
	}
	return names[n-1], true
}

// rename sets the name that a process had at the time of the event. When the
// process has become another program since, nothing else about it holds.
func rename(p *field.Process, name string) {
	if p.Name != name {
		*p = field.Process{PID: p.PID, VPID: p.VPID, Start: p.Start, Name: name}
	}
}

func setInt(v *View, a field.Attr, to *int64) {
	if n, ok := v.Int(a); ok {
		*to = n
	}
}

func setText(v *View, a field.Attr, to *string) {
	if s, ok := v.String(a); ok {
		*to = s
	}
}
