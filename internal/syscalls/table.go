package syscalls

// n lists numbers; it keeps the rows below short.
func n(numbers ...uint16) []uint16 { return numbers }

// Arguments that many rows share.
var (
	argPath     = Arg{Name: "path", Kind: KindPath}
	argName     = Arg{Name: "name", Kind: KindPath}
	argFilename = Arg{Name: "filename", Kind: KindPath}
	argOldPath  = Arg{Name: "oldpath", Kind: KindPath}
	argNewPath  = Arg{Name: "newpath", Kind: KindPath}
	argLinkPath = Arg{Name: "linkpath", Kind: KindPath}
	argTarget   = Arg{Name: "target", Kind: KindText}
	argFD       = Arg{Name: "fd", Kind: KindFD}
	argDirFD    = Arg{Name: "dirfd", Kind: KindDirFD}
	argMode     = Arg{Name: "mode", Kind: KindMode}
	argOpen     = Arg{Name: "flags", Kind: KindFlags, Set: SetOpen}
	argRename   = Arg{Name: "flags", Kind: KindFlags, Set: SetRename}
	argArgv     = Arg{Name: "argv", Kind: KindStrings}
	argEnvp     = Arg{Name: "envp", Kind: KindAddress}
	argAddrLen  = Arg{Name: "addrlen", Kind: KindInt}
	argAddrPtr  = Arg{Name: "addrlen", Kind: KindAddress}
	argAddr     = Arg{Name: "addr", Kind: KindSockaddr}
	argAddrOut  = Arg{Name: "addr", Kind: KindSockaddrOut}
)

// Table lists the captured calls. A call's position is its index in records of
// the same build; nothing may depend on it beyond that. Arguments have the
// names by which rules know them (evt.arg.NAME).
var Table = []Spec{
	{
		Name:    "execve",
		Numbers: Numbers{AMD64: n(59), ARM64: n(221), X32: n(520), I386: n(11), ARM: n(11)},
		Args:    []Arg{argFilename, argArgv, argEnvp},
	},
	{
		Name:    "execveat",
		Numbers: Numbers{AMD64: n(322), ARM64: n(281), X32: n(545), I386: n(358), ARM: n(387)},
		Args:    []Arg{argDirFD, argFilename, argArgv, argEnvp, {Name: "flags", Kind: KindFlags, Set: SetExecAt}},
	},
	{
		Name:    "open",
		Numbers: Numbers{AMD64: n(2), I386: n(5), ARM: n(5)},
		Args:    []Arg{argName, argOpen, argMode},
		Result:  ResultFile,
	},
	{
		Name:    "openat",
		Numbers: Numbers{AMD64: n(257), ARM64: n(56), I386: n(295), ARM: n(322)},
		Args:    []Arg{argDirFD, argName, argOpen, argMode},
		Result:  ResultFile,
	},
	{
		Name:    "openat2",
		Numbers: Numbers{AMD64: n(437), ARM64: n(437), I386: n(437), ARM: n(437)},
		Args:    []Arg{argDirFD, argName, {Name: "how", Kind: KindOpenHow}, {Name: "size", Kind: KindUint64}},
		Result:  ResultFile,
	},
	{
		Name:    "creat",
		Numbers: Numbers{AMD64: n(85), I386: n(8), ARM: n(8)},
		Args:    []Arg{argName, argMode},
		Result:  ResultFile,
	},
	{
		Name:    "unlink",
		Numbers: Numbers{AMD64: n(87), I386: n(10), ARM: n(10)},
		Args:    []Arg{argPath},
	},
	{
		Name:    "unlinkat",
		Numbers: Numbers{AMD64: n(263), ARM64: n(35), I386: n(301), ARM: n(328)},
		Args:    []Arg{argDirFD, argName, {Name: "flags", Kind: KindFlags, Set: SetUnlinkAt}},
	},
	{
		Name:    "rename",
		Numbers: Numbers{AMD64: n(82), I386: n(38), ARM: n(38)},
		Args:    []Arg{argOldPath, argNewPath},
	},
	{
		Name:    "renameat",
		Numbers: Numbers{AMD64: n(264), ARM64: n(38), I386: n(302), ARM: n(329)},
		Args: []Arg{
			{Name: "olddirfd", Kind: KindDirFD},
			argOldPath,
			{Name: "newdirfd", Kind: KindDirFD},
			argNewPath,
		},
	},
	{
		Name:    "renameat2",
		Numbers: Numbers{AMD64: n(316), ARM64: n(276), I386: n(353), ARM: n(382)},
		Args: []Arg{
			{Name: "olddirfd", Kind: KindDirFD},
			argOldPath,
			{Name: "newdirfd", Kind: KindDirFD},
			argNewPath, argRename,
		},
	},
	{
		Name:    "link",
		Numbers: Numbers{AMD64: n(86), I386: n(9), ARM: n(9)},
		Args:    []Arg{argOldPath, argNewPath},
	},
	{
		Name:    "linkat",
		Numbers: Numbers{AMD64: n(265), ARM64: n(37), I386: n(303), ARM: n(330)},
		Args: []Arg{
			{Name: "olddir", Kind: KindDirFD},
			argOldPath,
			{Name: "newdir", Kind: KindDirFD},
			argNewPath,
			{Name: "flags", Kind: KindFlags, Set: SetLinkAt},
		},
	},
	{
		Name:    "symlink",
		Numbers: Numbers{AMD64: n(88), I386: n(83), ARM: n(83)},
		Args:    []Arg{argTarget, argLinkPath},
	},
	{
		Name:    "symlinkat",
		Numbers: Numbers{AMD64: n(266), ARM64: n(36), I386: n(304), ARM: n(331)},
		Args:    []Arg{argTarget, {Name: "linkdirfd", Kind: KindDirFD}, argLinkPath},
	},
	{
		Name:    "mkdir",
		Numbers: Numbers{AMD64: n(83), I386: n(39), ARM: n(39)},
		Args:    []Arg{argPath, argMode},
	},
	{
		Name:    "mkdirat",
		Numbers: Numbers{AMD64: n(258), ARM64: n(34), I386: n(296), ARM: n(323)},
		Args:    []Arg{argDirFD, argPath, argMode},
	},
	{
		Name:    "rmdir",
		Numbers: Numbers{AMD64: n(84), I386: n(40), ARM: n(40)},
		Args:    []Arg{argPath},
	},
	{
		Name:    "chmod",
		Numbers: Numbers{AMD64: n(90), I386: n(15), ARM: n(15)},
		Args:    []Arg{argFilename, argMode},
	},
	{
		Name:    "fchmod",
		Numbers: Numbers{AMD64: n(91), ARM64: n(52), I386: n(94), ARM: n(94)},
		Args:    []Arg{argFD, argMode},
	},
	{
		Name:    "fchmodat",
		Numbers: Numbers{AMD64: n(268), ARM64: n(53), I386: n(306), ARM: n(333)},
		Args:    []Arg{argDirFD, argFilename, argMode},
	},
	{
		Name:    "fchmodat2", // Linux 6.6
		Numbers: Numbers{AMD64: n(452), ARM64: n(452), I386: n(452), ARM: n(452)},
		Args:    []Arg{argDirFD, argFilename, argMode, {Name: "flags", Kind: KindFlags, Set: SetChmodAt}},
	},
	{
		Name:    "connect",
		Numbers: Numbers{AMD64: n(42), ARM64: n(203), I386: n(362), ARM: n(283), SocketCall: 3},
		Args:    []Arg{argFD, argAddr, argAddrLen},
		Timed:   true,
	},
	{
		Name:    "accept",
		Numbers: Numbers{AMD64: n(43), ARM64: n(202), ARM: n(285), SocketCall: 5},
		Args:    []Arg{argFD, argAddrOut, argAddrPtr},
		Result:  ResultSocket,
		Timed:   true,
	},
	{
		Name:    "accept4",
		Numbers: Numbers{AMD64: n(288), ARM64: n(242), I386: n(364), ARM: n(366), SocketCall: 18},
		Args:    []Arg{argFD, argAddrOut, argAddrPtr, {Name: "flags", Kind: KindFlags, Set: SetAccept}},
		Result:  ResultSocket,
		Timed:   true,
	},
	{
		Name:    "bind",
		Numbers: Numbers{AMD64: n(49), ARM64: n(200), I386: n(361), ARM: n(282), SocketCall: 2},
		Args:    []Arg{argFD, {Name: "addr", Kind: KindSockaddr, Local: true}, argAddrLen},
	},
	{
		Name:    "listen",
		Numbers: Numbers{AMD64: n(50), ARM64: n(201), I386: n(363), ARM: n(284), SocketCall: 4},
		Args:    []Arg{argFD, {Name: "backlog", Kind: KindInt}},
	},
	{
		Name:    "socket",
		Numbers: Numbers{AMD64: n(41), ARM64: n(198), I386: n(359), ARM: n(281), SocketCall: 1},
		Args: []Arg{
			{Name: "domain", Kind: KindEnum, Set: SetFamily},
			{Name: "type", Kind: KindFlags, Set: SetSocketType},
			{Name: "proto", Kind: KindInt},
		},
		Result: ResultSocket,
	},
	{
		Name:    "setuid",
		Numbers: Numbers{AMD64: n(105), ARM64: n(146), I386: n(23, 213), ARM: n(23, 213)},
		Args:    []Arg{{Name: "uid", Kind: KindUID}},
	},
	{
		Name:    "setgid",
		Numbers: Numbers{AMD64: n(106), ARM64: n(144), I386: n(46, 214), ARM: n(46, 214)},
		Args:    []Arg{{Name: "gid", Kind: KindGID}},
	},
	{
		Name:    "setresuid",
		Numbers: Numbers{AMD64: n(117), ARM64: n(147), I386: n(164, 208), ARM: n(164, 208)},
		Args:    []Arg{{Name: "ruid", Kind: KindUID}, {Name: "euid", Kind: KindUID}, {Name: "suid", Kind: KindUID}},
	},
	{
		Name:    "setresgid",
		Numbers: Numbers{AMD64: n(119), ARM64: n(149), I386: n(170, 210), ARM: n(170, 210)},
		Args:    []Arg{{Name: "rgid", Kind: KindGID}, {Name: "egid", Kind: KindGID}, {Name: "sgid", Kind: KindGID}},
	},
	{
		Name:    "ptrace",
		Numbers: Numbers{AMD64: n(101), ARM64: n(117), X32: n(521), I386: n(26), ARM: n(26)},
		Args: []Arg{
			{Name: "request", Kind: KindEnum, Set: SetPtrace},
			{Name: "pid", Kind: KindPID},
			{Name: "addr", Kind: KindAddress},
			{Name: "data", Kind: KindAddress},
		},
		Result: ResultCount,
	},
	{
		Name:    "mount",
		Numbers: Numbers{AMD64: n(165), ARM64: n(40), I386: n(21), ARM: n(21)},
		Args: []Arg{
			{Name: "dev", Kind: KindText},
			{Name: "dir", Kind: KindPath},
			{Name: "type", Kind: KindText},
			{Name: "flags", Kind: KindFlags, Set: SetMount},
			{Name: "data", Kind: KindAddress},
		},
	},
	{
		Name:    "unshare",
		Numbers: Numbers{AMD64: n(272), ARM64: n(97), I386: n(310), ARM: n(337)},
		Args:    []Arg{{Name: "flags", Kind: KindFlags, Set: SetClone}},
	},
	{
		Name:    "setns",
		Numbers: Numbers{AMD64: n(308), ARM64: n(268), I386: n(346), ARM: n(375)},
		Args:    []Arg{argFD, {Name: "nstype", Kind: KindFlags, Set: SetClone}},
	},
	{
		Name:    "kill",
		Numbers: Numbers{AMD64: n(62), ARM64: n(129), I386: n(37), ARM: n(37)},
		Args:    []Arg{{Name: "pid", Kind: KindPID}, {Name: "sig", Kind: KindSignal}},
	},
	{
		Name:    "chdir",
		Numbers: Numbers{AMD64: n(80), ARM64: n(49), I386: n(12), ARM: n(12)},
		Args:    []Arg{argPath},
		Result:  ResultCwd,
	},
	{
		Name:    "fchdir",
		Numbers: Numbers{AMD64: n(81), ARM64: n(50), I386: n(133), ARM: n(133)},
		Args:    []Arg{argFD},
	},
}
