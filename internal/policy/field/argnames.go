package field

// argNames are the names of the arguments of all events, as rules spell them
// in evt.arg.NAME.
var argNames = [...]string{
	"addr", "advice", "arg", "arg2_int", "arg2_str", "args", "backlog", "cap_effective",
	"cap_inheritable", "cap_permitted", "cgroups", "cmd", "comm", "core", "creat_flags",
	"cwd", "data", "dev", "dir", "dirfd", "domain", "egid", "env", "euid", "exe", "exe_ino",
	"exe_ino_ctime", "exe_ino_mtime", "fd", "fd1", "fd2", "fdlimit", "filename", "flags",
	"gid", "how", "img", "ino", "initval", "length", "level", "linkdirfd", "linkpath",
	"loginuid", "mask", "mode", "mountfd", "msgcontrol", "name", "newdir", "newdirfd",
	"newfd", "newpath", "nstype", "offset", "olddir", "olddirfd", "oldfd", "oldpath",
	"option", "optlen", "optname", "path", "peer", "pgft_maj", "pgft_min", "pgid", "pid",
	"pidns_init_start_ts", "proto", "prot", "ptid", "quota", "queuelen", "queuemax",
	"queuepct", "reaper_tid", "request", "res", "resolve", "resource", "ret", "rgid",
	"ruid", "sgid", "sid", "sig", "size", "source", "status", "suid", "target", "tid",
	"trusted_exepath", "tty", "tuple", "type", "uargs", "uid", "usdata", "val", "vm_rss",
	"vm_size", "vm_swap", "vpgid", "vpid", "vtid",
}
