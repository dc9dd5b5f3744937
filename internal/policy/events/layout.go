package events

import "strings"

// layout is one row of the table. args lists the arguments in order, each as
//
//	name:kind             path without a directory argument, number, ...
//	name:path@arg         path relative to the descriptor in that argument
//	name:flags=set        bits or values with names
//
// fd names the argument that is the event's own descriptor, empty for none.
type layout struct {
	name     string
	category Category
	fd       string
	args     string
	kernel   bool // not a system call
}

const (
	execArgs = "res:errno exe:text args:bytes tid:pid pid:pid ptid:pid cwd:text fdlimit:u64 pgft_maj:u64 " +
		"pgft_min:u64 vm_size:u32 vm_rss:u32 vm_swap:u32 comm:text cgroups:bytes env:bytes tty:u32 vpgid:pid " +
		"loginuid:uid flags:flags=exec cap_inheritable:hex64 cap_permitted:hex64 cap_effective:hex64 " +
		"exe_ino:u64 exe_ino_ctime:abstime exe_ino_mtime:abstime uid:uid trusted_exepath:path pgid:pid gid:gid"
	cloneArgs = "res:pid exe:text args:bytes tid:pid pid:pid ptid:pid cwd:text fdlimit:i64 pgft_maj:u64 " +
		"pgft_min:u64 vm_size:u32 vm_rss:u32 vm_swap:u32 comm:text cgroups:bytes flags:flags=clone uid:u32 " +
		"gid:u32 vtid:pid vpid:pid pidns_init_start_ts:u64"
	resOnly   = "res:errno"
	resFD     = "res:errno fd:fd"
	resPath   = "res:errno path:path"
	rwArgs    = "res:errno data:bytes fd:fd size:u32"
	prwArgs   = "res:errno data:bytes fd:fd size:u32 pos:u64"
	vecArgs   = "res:errno size:u32 data:bytes fd:fd"
	memory    = " vm_size:u32 vm_rss:u32 vm_swap:u32"
	acceptArg = "fd:fd tuple:tuple queuepct:u8 queuelen:u32 queuemax:u32"
)

func (l *layout) event() Event {
	e := Event{
		Name: l.name, Syscall: !l.kernel, Layout: true, Category: l.category, FD: -1, Result: -1,
	}
	for text := range strings.FieldsSeq(l.args) {
		e.Args = append(e.Args, parseArg(&e, text))
	}
	if l.fd != "" {
		e.FD = int8(e.ArgIndex(l.fd))
	}
	if len(e.Args) > 0 && e.Syscall && (e.Args[0].Name == "res" || e.FD == 0) {
		e.Result = 0
	}
	return e
}

func parseArg(e *Event, text string) Arg {
	name, kind, _ := strings.Cut(text, ":")
	kind, set, _ := strings.Cut(kind, "=")
	kind, dir, hasDir := strings.Cut(kind, "@")
	a := Arg{Name: name, Kind: kindNames[kind], Set: sets[set], Dir: -1}
	if hasDir {
		a.Dir = int8(e.ArgIndex(dir))
	}
	return a
}
