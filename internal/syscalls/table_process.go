package syscalls

// processRows are the calls about processes and who they are.
var processRows = []Spec{
	{
		Name:    "execve",
		Numbers: Numbers{AMD64: n(59), ARM64: n(221), X32: n(520), I386: n(11), ARM: n(11)},
		Args:    []Arg{argFilename, argArgv, argEnvp},
	},
	{
		Name:    "execveat",
		Numbers: Numbers{AMD64: n(322), ARM64: n(281), X32: n(545), I386: n(358), ARM: n(387)},
		Args:    []Arg{argDirFD, argFilename, argArgv, argEnvp, argFlags},
	},
	{
		Name:    "setuid",
		Numbers: Numbers{AMD64: n(105), ARM64: n(146), I386: n(23, 213), ARM: n(23, 213)},
		Args:    []Arg{argUID},
	},
	{
		Name:    "setgid",
		Numbers: Numbers{AMD64: n(106), ARM64: n(144), I386: n(46, 214), ARM: n(46, 214)},
		Args:    []Arg{argGID},
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
			{Name: "request", Kind: KindEnum},
			argPID,
			{Name: "addr", Kind: KindAddress},
			{Name: "data", Kind: KindAddress},
		},
		Result: ResultCount,
	},
	{
		Name:    "unshare",
		Numbers: Numbers{AMD64: n(272), ARM64: n(97), I386: n(310), ARM: n(337)},
		Args:    []Arg{argFlags},
	},
	{
		Name:    "setns",
		Numbers: Numbers{AMD64: n(308), ARM64: n(268), I386: n(346), ARM: n(375)},
		Args:    []Arg{argFD, {Name: "nstype", Kind: KindFlags}},
	},
	{
		Name:    "kill",
		Numbers: Numbers{AMD64: n(62), ARM64: n(129), I386: n(37), ARM: n(37)},
		Args:    []Arg{argPID, argSignal},
	},
	{
		Name:    "clone",
		Numbers: Numbers{AMD64: n(56), ARM64: n(220), I386: n(120), ARM: n(120)},
		Args:    []Arg{argFlags, {Name: "stack", Kind: KindAddress}},
		Result:  ResultPID,
	},
	{
		Name:    "clone3",
		Numbers: Numbers{AMD64: n(435), ARM64: n(435), I386: n(435), ARM: n(435)},
		Args:    []Arg{{Name: "cl_args", Kind: KindCloneArgs}, {Name: "size", Kind: KindUint64}},
		Result:  ResultPID,
	},
	{
		Name:    "fork",
		Numbers: Numbers{AMD64: n(57), I386: n(2), ARM: n(2)},
		Result:  ResultPID,
	},
	{
		Name:    "vfork",
		Numbers: Numbers{AMD64: n(58), I386: n(190), ARM: n(190)},
		Result:  ResultPID,
	},
	{
		Name:    "setreuid",
		Numbers: Numbers{AMD64: n(113), ARM64: n(145), I386: n(70, 203), ARM: n(70, 203)},
		Args:    []Arg{{Name: "ruid", Kind: KindUID}, {Name: "euid", Kind: KindUID}},
	},
	{
		Name:    "setregid",
		Numbers: Numbers{AMD64: n(114), ARM64: n(143), I386: n(71, 204), ARM: n(71, 204)},
		Args:    []Arg{{Name: "rgid", Kind: KindGID}, {Name: "egid", Kind: KindGID}},
	},
	{
		Name:    "setfsuid",
		Numbers: Numbers{AMD64: n(122), ARM64: n(151), I386: n(138, 215), ARM: n(138, 215)},
		Args:    []Arg{argUID},
		Result:  ResultCount,
	},
	{
		Name:    "setfsgid",
		Numbers: Numbers{AMD64: n(123), ARM64: n(152), I386: n(139, 216), ARM: n(139, 216)},
		Args:    []Arg{argGID},
		Result:  ResultCount,
	},
	{
		Name:    "setgroups",
		Numbers: Numbers{AMD64: n(116), ARM64: n(159), I386: n(81, 206), ARM: n(81, 206)},
		Args:    []Arg{{Name: "size", Kind: KindInt}, {Name: "list", Kind: KindAddress}},
	},
	{
		Name:    "setpgid",
		Numbers: Numbers{AMD64: n(109), ARM64: n(154), I386: n(57), ARM: n(57)},
		Args:    []Arg{argPID, {Name: "pgid", Kind: KindPID}},
	},
	{
		Name:    "setsid",
		Numbers: Numbers{AMD64: n(112), ARM64: n(157), I386: n(66), ARM: n(66)},
		Result:  ResultPID,
	},
	{
		Name:    "capset",
		Numbers: Numbers{AMD64: n(126), ARM64: n(91), I386: n(185), ARM: n(185)},
		Args:    []Arg{{Name: "header", Kind: KindAddress}, {Name: "data", Kind: KindAddress}},
	},
	{
		Name:    "prctl",
		Numbers: Numbers{AMD64: n(157), ARM64: n(167), I386: n(172), ARM: n(172)},
		Args: []Arg{
			{Name: "option", Kind: KindEnum},
			{Name: "arg2_int", Kind: KindUint64},
			{Name: "arg3", Kind: KindUint64},
			{Name: "arg4", Kind: KindUint64},
			{Name: "arg5", Kind: KindUint64},
		},
		Result: ResultCount,
	},
	{
		Name:    "seccomp",
		Numbers: Numbers{AMD64: n(317), ARM64: n(277), I386: n(354), ARM: n(383)},
		Args:    []Arg{{Name: "op", Kind: KindUint}, argFlags, {Name: "args", Kind: KindAddress}},
		Result:  ResultCount,
	},
	{
		Name:    "setrlimit",
		Numbers: Numbers{AMD64: n(160), ARM64: n(164), I386: n(75), ARM: n(75)},
		Args:    []Arg{{Name: "resource", Kind: KindEnum}, {Name: "rlim", Kind: KindRlimitLong}},
	},
	{
		Name:    "prlimit",
		Numbers: Numbers{AMD64: n(302), ARM64: n(261), I386: n(340), ARM: n(369)},
		Args: []Arg{
			argPID,
			{Name: "resource", Kind: KindEnum},
			{Name: "newlimit", Kind: KindRlimit},
			{Name: "oldlimit", Kind: KindRlimitOut},
		},
	},
	{
		Name:    "tkill",
		Numbers: Numbers{AMD64: n(200), ARM64: n(130), I386: n(238), ARM: n(238)},
		Args:    []Arg{{Name: "tid", Kind: KindPID}, argSignal},
	},
	{
		Name:    "tgkill",
		Numbers: Numbers{AMD64: n(234), ARM64: n(131), I386: n(270), ARM: n(268)},
		Args:    []Arg{argPID, {Name: "tid", Kind: KindPID}, argSignal},
	},
	{
		Name:    "process_vm_readv",
		Numbers: Numbers{AMD64: n(310), ARM64: n(270), X32: n(539), I386: n(347), ARM: n(376)},
		Args: []Arg{
			argPID,
			{Name: "lvec", Kind: KindAddress},
			{Name: "liovcnt", Kind: KindUint64},
			{Name: "rvec", Kind: KindAddress},
			{Name: "riovcnt", Kind: KindUint64},
			argFlags,
		},
		Result: ResultCount,
	},
	{
		Name:    "process_vm_writev",
		Numbers: Numbers{AMD64: n(311), ARM64: n(271), X32: n(540), I386: n(348), ARM: n(377)},
		Args: []Arg{
			argPID,
			{Name: "lvec", Kind: KindAddress},
			{Name: "liovcnt", Kind: KindUint64},
			{Name: "rvec", Kind: KindAddress},
			{Name: "riovcnt", Kind: KindUint64},
			argFlags,
		},
		Result: ResultCount,
	},
}
