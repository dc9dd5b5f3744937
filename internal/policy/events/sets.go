package events

// openEntries are the flags of open and its kin.
var openEntries = []Entry{
	{Name: "O_LARGEFILE", Value: 2048, Kernel: arch.largefile},
	{Name: "O_DIRECTORY", Value: OpenDirectory, Kernel: arch.directory},
	{Name: "O_DIRECT", Value: 512, Kernel: arch.direct},
	{Name: "O_TRUNC", Value: 256, Kernel: 0o1000},
	{Name: "O_SYNC", Value: 128, Kernel: 0o4010000},
	{Name: "O_NONBLOCK", Value: 64, Kernel: 0o4000},
	{Name: "O_EXCL", Value: 32, Kernel: 0o200},
	{Name: "O_DSYNC", Value: 16, Kernel: 0o10000},
	{Name: "O_APPEND", Value: 8, Kernel: 0o2000},
	{Name: "O_CREAT", Value: OpenCreate, Kernel: 0o100},
	{Name: "O_RDWR", Value: OpenRead | OpenWrite},
	{Name: "O_WRONLY", Value: OpenWrite},
	{Name: "O_RDONLY", Value: OpenRead},
	{Name: "O_CLOEXEC", Value: 4096, Kernel: 0o2000000},
	{Name: "O_NONE", Value: 0},
	// The reference tests any bit, and the flag contains O_DIRECTORY.
	{Name: "O_TMPFILE", Value: OpenTmpfile, Kernel: 0o20000000 | arch.directory, Any: true},
	{Name: "O_F_CREATED", Value: OpenCreated},
	{Name: "FD_UPPER_LAYER", Value: OpenUpper},
	{Name: "FD_LOWER_LAYER", Value: OpenLower},
}

// sets are the tables by the names that layouts use.
var sets = map[string]*Set{
	"open": {Entries: openEntries, Always: accessMode},
	// Descriptor flags alone, of calls that have no access mode.
	"fdflags": {Entries: openEntries},
	"creat": {Entries: []Entry{
		{Name: "FD_UPPER_LAYER_CREAT", Value: 1}, {Name: "FD_LOWER_LAYER_CREAT", Value: 2},
	}},
	"exec":  {Entries: bits("EXE_WRITABLE", "EXE_UPPER_LAYER", "EXE_FROM_MEMFD", "EXE_LOWER_LAYER")},
	"clone": {Entries: cloneEntries},
	"resolve": {Entries: []Entry{
		{Name: "RESOLVE_BENEATH", Value: 1, Kernel: 8},
		{Name: "RESOLVE_IN_ROOT", Value: 2, Kernel: 16},
		{Name: "RESOLVE_NO_MAGICLINKS", Value: 4, Kernel: 2},
		{Name: "RESOLVE_NO_SYMLINKS", Value: 8, Kernel: 4},
		{Name: "RESOLVE_NO_XDEV", Value: 16, Kernel: 1},
		{Name: "RESOLVE_CACHED", Value: 32, Kernel: 32},
	}},
	"unlinkat": {Entries: []Entry{{Name: "AT_REMOVEDIR", Value: 1, Kernel: 0x200}}},
	"linkat": {Entries: []Entry{
		{Name: "AT_SYMLINK_FOLLOW", Value: 1, Kernel: 0x400}, {Name: "AT_EMPTY_PATH", Value: 2, Kernel: 0x1000},
	}},
	"fchownat": {Entries: []Entry{
		{Name: "AT_SYMLINK_NOFOLLOW", Value: 1, Kernel: 0x100}, {Name: "AT_EMPTY_PATH", Value: 2, Kernel: 0x1000},
	}},
	"statat": {Entries: []Entry{
		{Name: "AT_EMPTY_PATH", Value: 1, Kernel: 0x1000},
		{Name: "AT_NO_AUTOMOUNT", Value: 2, Kernel: 0x800},
		{Name: "AT_SYMLINK_NOFOLLOW", Value: 4, Kernel: 0x100},
	}},
	"rename":     {Entries: bits("RENAME_NOREPLACE", "RENAME_EXCHANGE", "RENAME_WHITEOUT")},
	"module":     {Entries: bits("MODULE_INIT_IGNORE_MODVERSIONS", "MODULE_INIT_IGNORE_VERMAGIC", "MODULE_INIT_COMPRESSED_FILE")},
	"delmodule":  {Entries: []Entry{{Name: "O_NONBLOCK", Value: 1, Kernel: 0o4000}, {Name: "O_TRUNC", Value: 2, Kernel: 0o1000}}},
	"memfd":      {Entries: bits("MFD_CLOEXEC", "MFD_ALLOW_SEALING", "MFD_HUGETLB")},
	"epoll":      {Entries: []Entry{{Name: "EPOLL_CLOEXEC", Value: 1, Kernel: 0o2000000}}},
	"closerange": {Entries: []Entry{{Name: "CLOSE_RANGE_UNSHARE", Value: 1, Kernel: 2}, {Name: "CLOSE_RANGE_CLOEXEC", Value: 2, Kernel: 4}}},
	"umount":     {Entries: bits("FORCE", "DETACH", "EXPIRE", "NOFOLLOW")},
	"access": {Entries: []Entry{
		{Name: "F_OK", Value: 0, same: true},
		{Name: "R_OK", Value: 4, same: true},
		{Name: "W_OK", Value: 2, same: true},
		{Name: "X_OK", Value: 1, same: true},
	}},
	"mount": {Entries: bits("RDONLY", "NOSUID", "NODEV", "NOEXEC", "SYNCHRONOUS", "REMOUNT", "MANDLOCK", "DIRSYNC",
		"NOSYMFOLLOW", "", "NOATIME", "NODIRATIME", "BIND", "MOVE", "REC", "SILENT", "POSIXACL", "UNBINDABLE",
		"PRIVATE", "SLAVE", "SHARED", "RELATIME", "KERNMOUNT", "I_VERSION", "STRICTATIME", "LAZYTIME")},
	"flock":  {Entries: bits("LOCK_SH", "LOCK_EX", "LOCK_NB", "LOCK_UN")},
	"prot":   {Entries: append(bits("PROT_READ", "PROT_WRITE", "PROT_EXEC", "PROT_SEM"), Entry{Name: "PROT_NONE", same: true})},
	"splice": {Entries: bits("SPLICE_F_MOVE", "SPLICE_F_NONBLOCK", "SPLICE_F_MORE", "SPLICE_F_GIFT")},
	"mmap": {Entries: []Entry{
		{Name: "MAP_SHARED", Value: 1, same: true},
		{Name: "MAP_PRIVATE", Value: 2, same: true},
		{Name: "MAP_FIXED", Value: 4, Kernel: 0x10},
		{Name: "MAP_ANONYMOUS", Value: 8, Kernel: 0x20},
		{Name: "MAP_NORESERVE", Value: 64, Kernel: 0x4000},
		{Name: "MAP_POPULATE", Value: 128, Kernel: 0x8000},
		{Name: "MAP_NONBLOCK", Value: 256, Kernel: 0x10000},
		{Name: "MAP_GROWSDOWN", Value: 512, Kernel: 0x100},
		{Name: "MAP_DENYWRITE", Value: 1024, Kernel: 0x800},
		{Name: "MAP_LOCKED", Value: 4096, Kernel: 0x2000},
	}},

	"uringsetup":    {Entries: uringSetupEntries},
	"uringfeatures": {Entries: uringFeatureEntries},
	"uringenter":    {Entries: uringEnterEntries},
	"pidfd":         {Entries: []Entry{{Name: "PIDFD_NONBLOCK", Value: 1, Kernel: 0o4000}}},
	"mlockall":      {Entries: bits("MCL_CURRENT", "MCL_FUTURE", "MCL_ONFAULT")},

	"rlimit":        {Enum: true, Entries: rlimitEntries},
	"fsconfig":      {Enum: true, Entries: fsconfigEntries},
	"uringregister": {Enum: true, Entries: uringRegisterEntries},

	"family":    {Enum: true, Entries: familyEntries},
	"ptrace":    {Enum: true, Entries: ptraceEntries},
	"bpf":       {Enum: true, Entries: bpfEntries},
	"prctl":     {Enum: true, Entries: prctlEntries},
	"fcntl":     {Enum: true, Entries: fcntlEntries},
	"shutdown":  {Enum: true, Entries: values("SHUT_RD", "SHUT_WR", "SHUT_RDWR")},
	"whence":    {Enum: true, Entries: values("SEEK_SET", "SEEK_CUR", "SEEK_END")},
	"socklevel": {Enum: true, Entries: []Entry{{Name: "SOL_SOCKET", Value: 1, same: true}, {Name: "SOL_TCP", Value: 2, Kernel: 6}}},
	"sockopt":   {Enum: true, Entries: sockoptEntries},
	// The types of files come last, and those with more bits first: a block
	// device has the bit of a character device too.
	"mode": {Entries: append(bits("S_IXOTH", "S_IWOTH", "S_IROTH", "S_IXGRP", "S_IWGRP", "S_IRGRP",
		"S_IXUSR", "S_IWUSR", "S_IRUSR", "S_ISVTX", "S_ISGID", "S_ISUID"),
		Entry{Name: "S_IFSOCK", Value: 0o140000}, Entry{Name: "S_IFREG", Value: 0o100000}, Entry{Name: "S_IFBLK", Value: 0o060000},
		Entry{Name: "S_IFCHR", Value: 0o020000}, Entry{Name: "S_IFIFO", Value: 0o010000})},
}

// SetByName is a table by the name that layouts use; nil when there is none.
func SetByName(name string) *Set { return sets[name] }

var cloneEntries = []Entry{
	{Name: "CLONE_FILES", Value: 1, Kernel: 0x400},
	{Name: "CLONE_FS", Value: 2, Kernel: 0x200},
	{Name: "CLONE_IO", Value: 4, Kernel: 0x80000000},
	{Name: "CLONE_NEWIPC", Value: 8, Kernel: 0x08000000},
	{Name: "CLONE_NEWNET", Value: 16, Kernel: 0x40000000},
	{Name: "CLONE_NEWNS", Value: 32, Kernel: 0x00020000},
	{Name: "CLONE_NEWPID", Value: 64, Kernel: 0x20000000},
	{Name: "CLONE_NEWUTS", Value: 128, Kernel: 0x04000000},
	{Name: "CLONE_PARENT", Value: 256, Kernel: 0x8000},
	{Name: "CLONE_PARENT_SETTID", Value: 512, Kernel: 0x00100000},
	{Name: "CLONE_PTRACE", Value: 1024, Kernel: 0x2000},
	{Name: "CLONE_SIGHAND", Value: 2048, Kernel: 0x800},
	{Name: "CLONE_SYSVSEM", Value: 4096, Kernel: 0x00040000},
	{Name: "CLONE_THREAD", Value: 8192, Kernel: 0x10000},
	{Name: "CLONE_UNTRACED", Value: 16384, Kernel: 0x00800000},
	{Name: "CLONE_VM", Value: 32768, Kernel: 0x100},
	{Name: "CLONE_INVERTED", Value: 1 << 16},
	{Name: "NAME_CHANGED", Value: 1 << 17},
	{Name: "CLOSED", Value: 1 << 18},
	{Name: "CLONE_NEWUSER", Value: 1 << 20, Kernel: 0x10000000},
	{Name: "CLONE_CHILD_CLEARTID", Value: 1 << 23, Kernel: 0x00200000},
	{Name: "CLONE_CHILD_SETTID", Value: 1 << 24, Kernel: 0x01000000},
	{Name: "CLONE_SETTLS", Value: 1 << 25, Kernel: 0x00080000},
	{Name: "CLONE_STOPPED", Value: 1 << 26},
	{Name: "CLONE_VFORK", Value: 1 << 27, Kernel: 0x4000},
	{Name: "CLONE_NEWCGROUP", Value: 1 << 28, Kernel: 0x02000000},
	{Name: "CLONE_CHILD_IN_PIDNS", Value: 1 << 29},
}

func enum(name string, value uint32) Entry { return Entry{Name: name, Value: value, same: true} }

var familyEntries = []Entry{
	enum("AF_NFC", 39), enum("AF_ALG", 38), enum("AF_CAIF", 37), enum("AF_IEEE802154", 36),
	enum("AF_PHONET", 35), enum("AF_ISDN", 34), enum("AF_RXRPC", 33), enum("AF_IUCV", 32),
	enum("AF_BLUETOOTH", 31), enum("AF_TIPC", 30), enum("AF_CAN", 29), enum("AF_LLC", 26),
	enum("AF_WANPIPE", 25), enum("AF_PPPOX", 24), enum("AF_IRDA", 23), enum("AF_SNA", 22),
	enum("AF_RDS", 21), enum("AF_ATMSVC", 20), enum("AF_ECONET", 19), enum("AF_ASH", 18),
	enum("AF_PACKET", 17), enum("AF_ROUTE", 16), enum("AF_NETLINK", 16), enum("AF_KEY", 15),
	enum("AF_SECURITY", 14), enum("AF_NETBEUI", 13), enum("AF_DECnet", 12), enum("AF_ROSE", 11),
	enum("AF_INET6", 10), enum("AF_X25", 9), enum("AF_ATMPVC", 8), enum("AF_BRIDGE", 7),
	enum("AF_NETROM", 6), enum("AF_APPLETALK", 5), enum("AF_IPX", 4), enum("AF_AX25", 3),
	enum("AF_INET", 2), enum("AF_LOCAL", 1), enum("AF_UNIX", 1), enum("AF_UNSPEC", 0),
	enum("AF_VSOCK", 40), enum("AF_KCM", 41), enum("AF_QIPCRTR", 42), enum("AF_SMC", 43), enum("AF_XDP", 44),
}

// ptraceEntries have Falco's numbers in order from one; zero is unknown.
var ptraceEntries = func() []Entry {
	rows := []struct {
		name   string
		kernel uint64
	}{
		{"TRACEME", 0},
		{"PEEKTEXT", 1},
		{"PEEKDATA", 2},
		{"PEEKUSR", 3},
		{"POKETEXT", 4},
		{"POKEDATA", 5},
		{"POKEUSR", 6},
		{"CONT", 7},
		{"KILL", 8},
		{"SINGLESTEP", 9},
		{"ATTACH", 16},
		{"DETACH", 17},
		{"SYSCALL", 24},
		{"SETOPTIONS", 0x4200},
		{"GETEVENTMSG", 0x4201},
		{"GETSIGINFO", 0x4202},
		{"SETSIGINFO", 0x4203},
		{"GETREGSET", 0x4204},
		{"SETREGSET", 0x4205},
		{"SEIZE", 0x4206},
		{"INTERRUPT", 0x4207},
		{"LISTEN", 0x4208},
		{"PEEKSIGINFO", 0x4209},
		{"GETSIGMASK", 0x420a},
		{"SETSIGMASK", 0x420b},
		{"GETREGS", 12},
		{"SETREGS", 13},
		{"GETFPREGS", 14},
		{"SETFPREGS", 15},
		{"GETFPXREGS", 18},
		{"SETFPXREGS", 19},
		{"OLDSETOPTIONS", 21},
		{"GET_THREAD_AREA", 25},
		{"SET_THREAD_AREA", 26},
		{"ARCH_PRCTL", 30},
		{"SYSEMU", 31},
		{"SYSEMU_SINGLESTEP", 32},
		{"SINGLEBLOCK", 33},
	}
	out := make([]Entry, 0, len(rows)+1)
	for i, r := range rows {
		out = append(out, Entry{Name: "PTRACE_" + r.name, Value: uint32(i + 1), Kernel: r.kernel})
	}
	return append(out, Entry{Name: "PTRACE_UNKNOWN", Value: 0, Kernel: ^uint64(0)})
}()

var bpfEntries = append(values("BPF_MAP_CREATE", "BPF_MAP_LOOKUP_ELEM", "BPF_MAP_UPDATE_ELEM", "BPF_MAP_DELETE_ELEM",
	"BPF_MAP_GET_NEXT_KEY", "BPF_PROG_LOAD", "BPF_OBJ_PIN", "BPF_OBJ_GET", "BPF_PROG_ATTACH", "BPF_PROG_DETACH",
	"BPF_PROG_TEST_RUN", "BPF_PROG_GET_NEXT_ID", "BPF_MAP_GET_NEXT_ID", "BPF_PROG_GET_FD_BY_ID",
	"BPF_MAP_GET_FD_BY_ID", "BPF_OBJ_GET_INFO_BY_FD", "BPF_PROG_QUERY", "BPF_RAW_TRACEPOINT_OPEN", "BPF_BTF_LOAD",
	"BPF_BTF_GET_FD_BY_ID", "BPF_TASK_FD_QUERY", "BPF_MAP_LOOKUP_AND_DELETE_ELEM", "BPF_MAP_FREEZE",
	"BPF_BTF_GET_NEXT_ID", "BPF_MAP_LOOKUP_BATCH", "BPF_MAP_LOOKUP_AND_DELETE_BATCH", "BPF_MAP_UPDATE_BATCH",
	"BPF_MAP_DELETE_BATCH", "BPF_LINK_CREATE", "BPF_LINK_UPDATE", "BPF_LINK_GET_FD_BY_ID", "BPF_LINK_GET_NEXT_ID",
	"BPF_ENABLE_STATS", "BPF_ITER_CREATE", "BPF_LINK_DETACH", "BPF_PROG_BIND_MAP"), enum("BPF_PROG_RUN", 10))

var prctlEntries = []Entry{
	enum("PR_SET_PDEATHSIG", 1), enum("PR_GET_PDEATHSIG", 2), enum("PR_GET_DUMPABLE", 3), enum("PR_SET_DUMPABLE", 4),
	enum("PR_GET_KEEPCAPS", 7), enum("PR_SET_KEEPCAPS", 8), enum("PR_SET_NAME", 15), enum("PR_GET_NAME", 16),
	enum("PR_GET_SECCOMP", 21), enum("PR_SET_SECCOMP", 22), enum("PR_CAPBSET_READ", 23), enum("PR_CAPBSET_DROP", 24),
	enum("PR_GET_SECUREBITS", 27), enum("PR_SET_SECUREBITS", 28), enum("PR_SET_MM", 35),
	enum("PR_SET_CHILD_SUBREAPER", 36), enum("PR_GET_CHILD_SUBREAPER", 37), enum("PR_SET_NO_NEW_PRIVS", 38),
	enum("PR_GET_NO_NEW_PRIVS", 39), enum("PR_MCE_KILL", 33), enum("PR_GET_TID_ADDRESS", 40),
	enum("PR_SET_THP_DISABLE", 41), enum("PR_GET_THP_DISABLE", 42), enum("PR_CAP_AMBIENT", 47), enum("PR_SET_PTRACER", 0x59616d61),
}

var fcntlEntries = []Entry{
	enum("F_DUPFD", 0), enum("F_GETFD", 1), enum("F_SETFD", 2), enum("F_GETFL", 3), enum("F_SETFL", 4),
	enum("F_GETLK", 5), enum("F_SETLK", 6), enum("F_SETLKW", 7), enum("F_SETOWN", 8), enum("F_GETOWN", 9),
	enum("F_SETSIG", 10), enum("F_GETSIG", 11), enum("F_SETOWN_EX", 15), enum("F_GETOWN_EX", 16), enum("F_OFD_GETLK", 36), enum("F_OFD_SETLK", 37),
	enum("F_OFD_SETLKW", 38), enum("F_SETLEASE", 1024), enum("F_GETLEASE", 1025), enum("F_NOTIFY", 1026),
	enum("F_CANCELLK", 1029), enum("F_DUPFD_CLOEXEC", 1030), enum("F_SETPIPE_SZ", 1031), enum("F_GETPIPE_SZ", 1032),
}

var sockoptEntries = []Entry{
	enum("SO_DEBUG", 1), enum("SO_REUSEADDR", 2), enum("SO_TYPE", 3), enum("SO_ERROR", 4), enum("SO_DONTROUTE", 5),
	enum("SO_BROADCAST", 6), enum("SO_SNDBUF", 7), enum("SO_RCVBUF", 8), enum("SO_KEEPALIVE", 9),
	enum("SO_OOBINLINE", 10), enum("SO_LINGER", 13), enum("SO_REUSEPORT", 15), enum("SO_PASSCRED", 16),
	enum("SO_PEERCRED", 17), enum("SO_RCVLOWAT", 18), enum("SO_SNDLOWAT", 19), enum("SO_RCVTIMEO", 20),
	enum("SO_SNDTIMEO", 21), enum("SO_BINDTODEVICE", 25), enum("SO_ATTACH_FILTER", 26), enum("SO_PEERNAME", 28),
	enum("SO_TIMESTAMP", 29), enum("SO_ACCEPTCONN", 30), enum("SO_MARK", 36), enum("SO_PROTOCOL", 38),
	enum("SO_DOMAIN", 39), enum("SO_NO_CHECK", 11), enum("SO_PRIORITY", 12), enum("SO_BSDCOMPAT", 14),
	enum("SO_SECURITY_AUTHENTICATION", 22), enum("SO_SECURITY_ENCRYPTION_TRANSPORT", 23),
	enum("SO_SECURITY_ENCRYPTION_NETWORK", 24), enum("SO_DETACH_FILTER", 27), enum("SO_PEERSEC", 31),
	enum("SO_SNDBUFFORCE", 32), enum("SO_RCVBUFFORCE", 33), enum("SO_PASSSEC", 34), enum("SO_TIMESTAMPNS", 35),
	enum("SO_TIMESTAMPING", 37), enum("SO_RXQ_OVFL", 40), enum("SO_WIFI_STATUS", 41), enum("SO_PEEK_OFF", 42),
	enum("SO_NOFCS", 43), enum("SO_LOCK_FILTER", 44), enum("SO_SELECT_ERR_QUEUE", 45), enum("SO_BUSY_POLL", 46),
	enum("SO_MAX_PACING_RATE", 47), enum("SO_BPF_EXTENSIONS", 48), enum("SO_INCOMING_CPU", 49),
	enum("SO_ATTACH_BPF", 50), enum("SO_MEMINFO", 55), enum("SO_COOKIE", 57), enum("SO_PEERGROUPS", 59),
}
