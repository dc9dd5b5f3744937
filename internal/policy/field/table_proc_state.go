package field

import (
	"strconv"

	"github.com/sightglass/sightglass/internal/policy/events"
)

const (
	reasonMemory = "memory, faults and CPU time of a process are metrics, not part of its events"
	reasonCount  = "the counts of a process' threads, children and descriptors are not kept"
)

// procStateFields are the ids, times and resources of the acting process.
var procStateFields = []Field{
	{Name: "proc.pid", Type: Int64, Doc: "process id as the host sees it", From: []Attr{AttrPID}, Get: getInt(AttrPID)},
	{Name: "proc.vpid", Type: Int64, Doc: "process id in the innermost pid namespace", From: []Attr{AttrVPID}, Get: orPID(AttrVPID)},
	{Name: "proc.sid", Type: Int64, Doc: "session id", From: []Attr{AttrSID}, Get: getInt(AttrSID)},
	{Name: "proc.pgid", Type: Int64, Doc: "process group id as the host sees it", From: []Attr{AttrPGID}, Get: getInt(AttrPGID)},
	{Name: "proc.vpgid", Type: Int64, Doc: "process group id in the innermost pid namespace", From: []Attr{AttrVPGID}, Get: getInt(AttrVPGID)},
	{Name: "proc.is_sid_leader", Type: Boolean, Doc: "leads its session", From: []Attr{AttrSID, AttrVPID}, Get: sameID(AttrSID, AttrVPID)},
	{Name: "proc.is_vpgid_leader", Type: Boolean, Doc: "leads its process group, by the innermost pid namespace", From: []Attr{AttrVPGID, AttrVPID, AttrPGID, AttrPID}, Get: leadsGroup},
	{Name: "proc.is_pgid_leader", Type: Boolean, Doc: "leads its process group", From: []Attr{AttrPGID, AttrPID}, Get: sameID(AttrPGID, AttrPID)},
	{Name: "proc.duration", Type: RelTime, Doc: "age of the process", From: []Attr{AttrProcStart}, Get: func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.Int(AttrProcStart); ok && n != 0 {
			v.SetUint(c.since(n))
		}
	}},
	{Name: "proc.pid.ts", Type: AbsTime, Doc: "start of the process", From: []Attr{AttrProcStart}, Get: nonZero(AttrProcStart, Uint)},
	{Name: "proc.pidns_init_start_ts", Type: AbsTime, Doc: "start of the pid namespace", From: []Attr{AttrPIDNSStart}, Get: nonZero(AttrPIDNSStart, Uint)},
	{Name: "proc.fdopencount", Type: Uint64, Unsupported: reasonCount, Doc: "number of open descriptors"},
	{Name: "proc.fdlimit", Type: Int64, Unsupported: reasonCount, Doc: "limit of open descriptors"},
	{Name: "proc.fdusage", Type: Float64, Unsupported: reasonCount, Doc: "share of the limit in use"},
	{Name: "proc.nthreads", Type: Uint64, Unsupported: reasonCount, Doc: "number of threads"},
	{Name: "proc.nchilds", Type: Uint64, Unsupported: reasonCount, Doc: "number of children"},
	{Name: "proc.vmsize", Type: Uint64, Unsupported: reasonMemory, Doc: "virtual memory in kB"},
	{Name: "proc.vmrss", Type: Uint64, Unsupported: reasonMemory, Doc: "resident memory in kB"},
	{Name: "proc.vmswap", Type: Uint64, Unsupported: reasonMemory, Doc: "swapped memory in kB"},
	{Name: "proc.stdin.type", Type: CharBuf, Unsupported: reasonTable, Doc: "type of descriptor 0"},
	{Name: "proc.stdin.name", Type: CharBuf, Unsupported: reasonTable, Doc: "name of descriptor 0"},
	{Name: "proc.stdout.type", Type: CharBuf, Unsupported: reasonTable, Doc: "type of descriptor 1"},
	{Name: "proc.stdout.name", Type: CharBuf, Unsupported: reasonTable, Doc: "name of descriptor 1"},
	{Name: "proc.stderr.type", Type: CharBuf, Unsupported: reasonTable, Doc: "type of descriptor 2"},
	{Name: "proc.stderr.name", Type: CharBuf, Unsupported: reasonTable, Doc: "name of descriptor 2"},
}

// threadFields are the fields of the acting thread.
var threadFields = []Field{
	{Name: "thread.cap_permitted", Type: CharBuf, Doc: "names of the permitted capabilities", From: []Attr{AttrCapPermitted}, Get: getCaps(AttrCapPermitted)},
	{Name: "thread.cap_effective", Type: CharBuf, Doc: "names of the effective capabilities", From: []Attr{AttrCapEffective}, Get: getCaps(AttrCapEffective)},
	{Name: "thread.cap_inheritable", Type: CharBuf, Doc: "names of the inheritable capabilities", From: []Attr{AttrCapInheritable}, Get: getCaps(AttrCapInheritable)},
	{Name: "thread.tid", Type: Int64, Doc: "thread id as the host sees it", From: []Attr{AttrTID}, Get: orPID(AttrTID)},
	{Name: "thread.vtid", Type: Int64, Doc: "thread id in the innermost pid namespace", From: []Attr{AttrVTID, AttrTID, AttrVPID}, Get: getVTID},
	{Name: "thread.ismain", Type: Boolean, Doc: "is the process' first thread", From: []Attr{AttrTID, AttrPID}, Get: sameID(AttrTID, AttrPID)},
	{Name: "thread.cgroups", Type: CharBuf, Doc: "control group, as unified=path", From: []Attr{AttrCgroupPath}, Get: func(c *Context, _ *Arg, v *Value) {
		if s, ok := c.String(AttrCgroupPath); ok {
			start := len(c.buf)
			c.buf = append(append(c.buf, "unified="...), s...)
			v.SetText(c.own(start))
		}
	}},
	{Name: "thread.cgroup", Type: CharBuf, Arg: ArgKeyDotted, Doc: "path of the control group", From: []Attr{AttrCgroupPath}, Get: getText(AttrCgroupPath)},
	{Name: "thread.cpu", Type: Float64, Unsupported: reasonMemory, Doc: "CPU time in the last second, in percent"},
	{Name: "thread.cpu.user", Type: Float64, Unsupported: reasonMemory, Doc: "CPU time in user space"},
	{Name: "thread.cpu.system", Type: Float64, Unsupported: reasonMemory, Doc: "CPU time in the kernel"},
	{Name: "thread.exectime", Type: RelTime, Unsupported: reasonMemory, Doc: "CPU time of the last time slice"},
	{Name: "thread.totexectime", Type: RelTime, Unsupported: reasonMemory, Doc: "CPU time since the start"},
	{Name: "thread.pfmajor", Type: Uint64, Unsupported: reasonMemory, Doc: "major page faults"},
	{Name: "thread.pfminor", Type: Uint64, Unsupported: reasonMemory, Doc: "minor page faults"},
	{Name: "thread.nametid", Type: CharBuf, Doc: "name of the process and id of the thread in one", From: []Attr{AttrProcName, AttrTID}, Get: func(c *Context, _ *Arg, v *Value) {
		name, ok := c.String(AttrProcName)
		if tid, known := c.idOrPID(AttrTID); ok && known {
			start := len(c.buf)
			c.buf = strconv.AppendInt(append(c.buf, name...), tid, 10)
			v.SetText(c.own(start))
		}
	}},
	{Name: "thread.vmsize.b", Type: Uint64, Unsupported: reasonMemory, Doc: "virtual memory in bytes"},
	{Name: "thread.vmrss.b", Type: Uint64, Unsupported: reasonMemory, Doc: "resident memory in bytes"},
	{Name: "thread.vmsize", Type: Uint64, Unsupported: reasonMemory, Doc: "virtual memory in kB"},
	{Name: "thread.vmrss", Type: Uint64, Unsupported: reasonMemory, Doc: "resident memory in kB"},
}

// orPID is an id that records leave out where it equals the process id.
func orPID(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.idOrPID(a); ok {
			v.SetInt(n)
		}
	}
}

func (c *Context) idOrPID(a Attr) (int64, bool) {
	if n, ok := c.Int(a); ok || a != AttrVPID && a != AttrTID {
		return n, ok
	}
	return c.Int(AttrPID)
}

func getVTID(c *Context, _ *Arg, v *Value) {
	if n, ok := c.vtid(); ok {
		v.SetInt(n)
	}
}

// vtid is the thread's id in the innermost pid namespace: records leave it out
// where it equals the host's, and say nothing of threads of first threads.
func (c *Context) vtid() (int64, bool) {
	for _, a := range [...]Attr{AttrVTID, AttrTID, AttrVPID, AttrPID} {
		if n, ok := c.Int(a); ok {
			return n, true
		}
	}
	return 0, false
}

// sameID compares two ids; no value when one is missing.
func sameID(a, b Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		x, ok1 := c.idOrPID(a)
		y, ok2 := c.idOrPID(b)
		if ok1 && ok2 {
			v.SetBool(x == y)
		}
	}
}

// leadsGroup compares the ids of the innermost pid namespace, or else the
// host's: a leader is one in both.
func leadsGroup(c *Context, a *Arg, v *Value) {
	if sameVirtual(c, a, v); v.Kind == None {
		sameHost(c, a, v)
	}
}

var (
	sameVirtual = sameID(AttrVPGID, AttrVPID)
	sameHost    = sameID(AttrPGID, AttrPID)
)

func getCaps(a Attr) func(*Context, *Arg, *Value) {
	return func(c *Context, _ *Arg, v *Value) {
		if n, ok := c.Int(a); ok {
			start := len(c.buf)
			c.buf = events.AppendCapabilities(c.buf, uint64(n))
			v.SetText(c.own(start))
		}
	}
}
